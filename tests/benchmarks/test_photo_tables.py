"""The table of the seeds of the preset photo."""

from pathlib import Path

import pytest

from benchmarks.photo_seeds import record
from benchmarks.photo_tables import SEEDS, render_seeds
from emotion.core.errors import InputError
from emotion.core.files import write_json
from tests.makers import ROOT, write_params


def scores(accuracy: float) -> dict[str, object]:
    """Return what is kept of a seed. Every accuracy is the same, and the lowest recall is lower by 0.2."""
    return {
        "minutes": 20.4,
        "test": {"accuracy": accuracy, "calibrated_expected_calibration_error": 0.02},
        "agreed": {"accuracy": accuracy},
        "faces_wild": {
            "accuracy": accuracy,
            "macro_f1": 0.7,
            "recall": {"sad": accuracy - 0.2, "happy": accuracy},
        },
    }


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    SEEDS.parent.mkdir()
    return tmp_path


def test_seeds_have_a_row_each_and_their_spread(here):
    write_json(SEEDS, {"2013": scores(0.7), "2014": scores(0.8)})
    *_, first, second, last = render_seeds().splitlines()
    assert first == "| 2013 | 70.0 % | 0.700 | 0.500 | 70.0 % | 70.0 % | 0.020 | 20 |"
    assert second.startswith("| 2014 | 80.0 % | 0.700 | 0.600 |")
    assert last.startswith("| mean, standard deviation | 75.0 %, 7.1 % | 0.700, 0.000 | 0.550, 0.071 |")


def test_one_seed_has_no_spread(here):
    write_json(SEEDS, {"2013": scores(0.7)})
    assert len(render_seeds().splitlines()) == 3


def test_a_run_of_other_params_is_refused(here):
    write_params(here, train_seed=2014)
    Path("presets").symlink_to(ROOT / "presets")
    with pytest.raises(InputError, match=r"params\.yaml: got labels\.scheme=.*emotion preset photo"):
        record(Path("faces_wild.tar"))
