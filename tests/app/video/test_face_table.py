"""The table says of each face in each frame what a prediction of that frame says."""

import numpy as np
import pytest

from emotion.app.video.face_table import COLUMNS
from emotion.core.emotion_names import EMOTIONS
from emotion.inference.predictor import Predictor, find_standard
from tests.app.video.tables import probabilities_of, read_rows
from tests.clips import FRAMES, noise_images, read_frames, write_video


def test_each_frame_is_predicted_as_an_image_is(clip, model, here, emotion_video):
    assert emotion_video(clip, "--csv", "out.csv", "--search", 0, "--smooth", 0)[0] == 0
    rows, predictor = read_rows(here / "out.csv"), Predictor(model)
    assert [int(row["frame"]) for row in rows] == list(range(FRAMES))
    for row, frame in zip(rows, read_frames(clip), strict=True):
        [face] = predictor.predict(frame.image)
        assert [int(row[name]) for name in ("x", "y", "width", "height")] == list(face.box)
        assert row["emotion"] == face.emotion
        assert float(row["confidence"]) == pytest.approx(face.confidence, abs=1e-5)
        np.testing.assert_allclose(probabilities_of(row), face.probabilities, atol=1e-5)


def test_the_first_frame_is_predicted_so_whatever_the_smoothing(clip, model, here, emotion_video):
    assert emotion_video(clip, "--csv", "out.csv")[0] == 0
    [face] = Predictor(model).predict(read_frames(clip)[0].image)
    np.testing.assert_allclose(probabilities_of(read_rows(here / "out.csv")[0]), face.probabilities, atol=1e-5)


def test_the_portrait_is_one_happy_face(clip, here, emotion_video):
    assert emotion_video(clip, "--csv", "out.csv", "--model", find_standard())[0] == 0
    rows = read_rows(here / "out.csv")
    assert {row["face"] for row in rows} == {"1"}
    assert {row["emotion"] for row in rows} == {"happy"}
    assert len(rows) == FRAMES


def test_the_table_says_what_was_detected_and_classified_where(clip, here, emotion_video):
    status, out, err = emotion_video(clip, "--csv", "out.csv", "--every", 3, "--search", 0.15)
    assert (status, err) == (0, "")
    assert out == f"{FRAMES} frames (0.4 s), 1 face, 100% of the frames show one\nwritten: out.csv\n"
    rows = read_rows(here / "out.csv")
    assert list(rows[0]) == [*COLUMNS, *EMOTIONS]
    assert [row["seconds"] for row in rows[:3]] == ["0.000", "0.033", "0.067"]
    assert [row["detected"] for row in rows] == [str(int(frame % 5 == 0)) for frame in range(FRAMES)]
    classified = [frame for frame in range(1, FRAMES) if rows[frame]["happy"] != rows[frame - 1]["happy"]]
    assert classified == [3, 6, 9]


def test_whole_frames_can_be_faces(here, emotion_video):
    write_video(here / "noise.mp4", noise_images())
    assert emotion_video("noise.mp4", "--csv", "out.csv", "--detector", "whole")[0] == 0
    assert [[row[name] for name in ("x", "y", "width", "height")] for row in read_rows(here / "out.csv")] == [
        ["0", "0", "64", "48"]
    ] * 4
