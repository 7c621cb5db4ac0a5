"""The released models beside their peers: the rows come from the metrics, and both plots are drawn."""

import pytest

from benchmarks import released, released_plots
from benchmarks.released_report import find_releases, read_package, read_peers, read_systems, render_released
from emotion.core.errors import InputError
from tests.pages import ROOT

pytestmark = pytest.mark.medium


@pytest.fixture(autouse=True)
def project(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_every_release_has_a_row_the_most_accurate_first():
    systems = read_systems()
    assert {folder.name for folder in find_releases()} <= {system.name for system in systems}
    accuracies = [system.accuracy[0] for system in systems]
    assert accuracies == sorted(accuracies, reverse=True)
    assert len(render_released().splitlines()) == 2 + len(systems) + 1 + len(read_peers())


def test_both_plots_are_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(released_plots, "TRAINING_PLOT", tmp_path / "training.png")
    monkeypatch.setattr(released_plots, "LATENCY_PLOT", tmp_path / "latency.png")
    released.compare(plots_only=True)
    assert {path.read_bytes()[:4] for path in tmp_path.iterdir()} == {b"\x89PNG"}
    assert len(list(tmp_path.iterdir())) == 2


def test_the_facts_of_peers_are_marked():
    assert {peer.kind for peer in read_peers()} <= {"stated", "measured"}
    assert read_package().passes == 1


def test_models_that_are_not_here_are_named(tmp_path):
    with pytest.raises(InputError, match=r"some/model_int8\.tflite"):
        released.check_pulled([tmp_path / "some"])
