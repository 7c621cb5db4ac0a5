"""What the figures of benchmarks/frame_speed.py rest on: its video, its shares and its arithmetic, but no speeds."""

import json
import time

import numpy as np
import pytest

from benchmarks import frame_speed
from benchmarks.frame_speed import (
    AIM,
    LABELS,
    VIDEO,
    VIDEO_RARE,
    WEBCAM,
    RunTime,
    measure,
    portrait_frame,
    summarize,
    timed_parts,
)
from emotion.inference.predictor import Predictor, find_standard
from emotion.inference.tracking import FaceTracker
from tests.makers import write_onnx

pytestmark = pytest.mark.medium

SIZE = 120, 160
FRAMES = 8


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    return Predictor(write_onnx(tmp_path_factory.mktemp("model") / "model.onnx"), detector="cascade")


@pytest.fixture(scope="module")
def measured(predictor):
    pytest.importorskip("skimage.data", reason="scikit-image has the photo")
    pytest.importorskip("pygame", reason="the window is pygame's")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SDL_VIDEODRIVER", "dummy")
        return measure(predictor, FRAMES, 2, SIZE)


def test_each_way_has_its_rates_and_shares(measured):
    assert list(measured) == list(LABELS)
    for figures in measured.values():
        assert len(figures["frames_a_second"]["runs"]) == 2
        assert figures["of_aim"] == figures["frames_a_second"]["median"] / AIM
        assert all(0 <= share <= 1 for share in figures["shares"].values())
        assert sum(figures["shares"].values()) == pytest.approx(1)


def test_every_part_is_timed(measured):
    both = {"track faces", "classify faces", "draw", "the rest"}
    files = {"wait for the encoder", "write the table"}
    assert set(measured[VIDEO]["shares"]) == both | files
    assert set(measured[VIDEO]["shares_beside"]) == {"decode", "search for faces", "write the video"}
    assert set(measured[VIDEO_RARE]["shares"]) == both | files | {"search for faces"}
    assert set(measured[WEBCAM]["shares"]) == both | {"wait for the camera", "show"}
    # A video as short as this may end before the first search does.
    assert {"decode"} <= set(measured[WEBCAM]["shares_beside"]) <= {"decode", "search for faces"}


def test_the_result_is_shown_and_written(measured, predictor, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(frame_speed, "measure", lambda *_: measured)
    monkeypatch.setattr(frame_speed, "_processor", lambda: "some processor")  # asking for it loads TensorFlow
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    options = ["--model", str(predictor.path), "--frames", "8", "--output", str(tmp_path / "speed.json")]
    frame_speed.compare(frame_speed._parser().parse_args(options))
    written = json.loads((tmp_path / "speed.json").read_text(encoding="utf-8"))
    assert written["frames"] == 8
    assert set(LABELS) < set(written)
    assert "emotion webcam: " in capsys.readouterr().out


def test_the_default_model_is_that_of_the_commands():
    assert frame_speed._parser().parse_args([]).model == find_standard()


def test_parts_are_timed_in_the_block_only():
    plain = FaceTracker.classify
    with timed_parts() as spent:
        assert FaceTracker.classify is not plain
        frame_speed._timed(time.sleep, "nap", spent)(0.01)
        assert spent["nap"] >= 0.01
    assert FaceTracker.classify is plain


def test_rates_and_shares_are_medians():
    times = [
        RunTime(2.0, 3.0, {"draw": 1.0, "decode": 0.1}),
        RunTime(4.0, 6.0, {"draw": 1.0, "decode": 4.0}),
        RunTime(1.0, 0.6, {"draw": 0.9}),
    ]
    figures = summarize(times, 60, beside=("decode",))
    assert figures["frames_a_second"]["median"] == 30
    assert figures["of_aim"] == 30 / AIM
    assert figures["processor_milliseconds_a_frame"] == 50
    assert figures["shares"] == {"draw": 0.5, "the rest": 0.5}
    assert figures["shares_beside"] == {"decode": 0.05}


def test_the_camera_drifts_over_the_portrait():
    portrait = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    frames = [portrait_frame(portrait, seconds, SIZE) for seconds in (0.0, 0.0, 0.5)]
    assert frames[0].shape == (*SIZE, 3)
    np.testing.assert_array_equal(frames[0], frames[1])
    assert (frames[0] != frames[2]).any()
