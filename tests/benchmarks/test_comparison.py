"""The comparison of systems: every system is a preset with a row, and DVC's queue is read."""

import pytest

from benchmarks import comparison, runs
from benchmarks.comparison_report import PREFIX, SYSTEMS, Row, plot_accuracy, read_rows
from emotion.app.preset.presets import PRESETS, list_presets
from emotion.core.errors import InputError
from tests.pages import ROOT

pytestmark = pytest.mark.medium

STATUS = """Task     Name                        Created    Status
788de62  compare-happy-sad-rgb       01:16 PM   Running
7afb64b  compare-five-webcam         01:16 PM   Failed
1458e62  compare-vgg-bn              Nov 02, 2026   Queued
e7f4bd0  other                       01:16 PM   Failed
02f04cd  compare-five-webcam         01:14 PM   Success

Worker status: 2 active, 0 idle
"""


@pytest.fixture(autouse=True)
def project(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_every_system_is_a_preset_and_has_its_figures():
    assert set(SYSTEMS) <= set(list_presets())
    assert set(comparison.CUTS) == set(SYSTEMS)
    assert [row.name.partition(",")[0] for row in read_rows()][: len(SYSTEMS)] == [f"`{name}`" for name in SYSTEMS]


@pytest.mark.parametrize("name", [name for name in SYSTEMS if name != "fer2013"])  # that one has changed since
def test_a_run_had_the_params_of_its_preset_but_for_the_cuts(name):
    allowed = {change.partition("=")[0] for change in comparison.CUTS[name]} | {"train.precision"}
    overrides = runs.read_run(PREFIX + name)["overrides"].split()
    assert {override.partition("=")[0] for override in overrides} <= allowed


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_preset_is_read_with_the_params_that_it_leaves_out(name):
    params = runs.read_preset(name)
    assert params.train.seed == 2013
    assert params.train.architecture in (PRESETS / f"{name}.yaml").read_text(encoding="utf-8")


def test_seeds_differ_in_nothing_else():
    for name, seed in (("seeds/fer2013-2014", "2014"), ("seeds/fer2013-2015", "2015")):
        run = runs.read_run(name)
        assert (run["preset"], run["overrides"], run["seed"]) == ("fer2013", "", seed)


def test_a_row_is_replaced_by_one_of_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "RUNS", tmp_path / "runs.csv")
    run = dict.fromkeys(runs.COLUMNS, "1")
    for name, classes in (("b", "2"), ("a", "3"), ("b", "7")):
        runs.write_run(run | {"name": name, "classes": classes})
    assert {name: row["classes"] for name, row in runs.read_runs().items()} == {"a": "3", "b": "7"}
    with pytest.raises(InputError, match=r"'c'.*a, b"):
        runs.read_run("c")


def test_states_are_read_from_the_queue_and_the_newest_counts(monkeypatch):
    monkeypatch.setattr(comparison, "_dvc", lambda *arguments: STATUS)
    assert comparison.read_states() == {"happy-sad-rgb": "Running", "five-webcam": "Failed", "vgg-bn": "Queued"}


@pytest.mark.parametrize("arguments", [["--only", "resnet"], ["--fer2013", "/somewhere/fer2013.tar.gz"]])
def test_wrong_options_are_refused_before_anything_is_queued(arguments):
    with pytest.raises(InputError, match=arguments[1]):
        comparison.check_options(comparison._parser().parse_args(arguments))


def test_the_plot_has_a_panel_for_each_number_of_classes():
    row = Row("`one`", 2, 100, 0.6, 0.7, 0.65, 0.75, 0.7, "", 1, 1, "", "", 0.1, (0.9, 1.0))
    figure = plot_accuracy([row, row._replace(classes=7, stated=None), row._replace(classes=7)])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["2 classes", "7 classes"]
    assert len(figure.axes[1].get_yticks()) == 2
