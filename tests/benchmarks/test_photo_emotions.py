"""What the figures of benchmarks/photo_emotions.py rest on: photographs, answers and the balanced accuracy."""

import math
import tarfile

import cv2
import numpy as np
import pytest

from benchmarks import photo_emotions
from benchmarks.labeled_faces import LabeledFace, count_by_emotion, measure_balanced, read_labeled_faces
from emotion.core.errors import InputError
from emotion.faces.detection import Box
from emotion.inference.predictor import Face, Predictor

TRUE = ["angry", "angry", "happy", "happy", "happy", "happy", "fear"]
PREDICTED = ["angry", None, "happy", "happy", "happy", "sad", "fear"]


@pytest.fixture
def folder(tmp_path):
    for level, emotion in enumerate(("happy", "angry")):
        (tmp_path / "faces" / emotion).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "faces" / emotion / "a.png"), np.full((20, 30), level, np.uint8))
        (tmp_path / "faces" / emotion / "note.txt").write_text("no image", encoding="utf-8")
    return tmp_path / "faces"


def test_a_folder_and_a_tar_file_give_the_same_faces(folder, tmp_path):
    with tarfile.open(tmp_path / "faces.tar", "w") as archive:
        archive.add(folder, "faces")
    for path in (folder, tmp_path / "faces.tar"):
        faces = read_labeled_faces(path)
        assert [face.emotion for face in faces] == ["angry", "happy"]
        assert [int(face.image.max()) for face in faces] == [1, 0]
        assert {face.image.shape for face in faces} == {(20, 30, 1)}


def test_photographs_that_are_missing_are_named(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("no tar", encoding="utf-8")
    for name in ("empty", "text", "missing"):
        with pytest.raises(InputError, match=f"{name}.*--faces-wild"):
            read_labeled_faces(tmp_path / name)


def test_the_balanced_accuracy_is_the_mean_recall_without_fear():
    figures = measure_balanced(TRUE, PREDICTED)
    assert figures["mean"] == pytest.approx((1 / 2 + 3 / 4) / 2)
    assert figures["standard_error"] == pytest.approx(math.sqrt(1 / 4 / 2 + 3 / 16 / 4) / 2)
    with pytest.raises(ValueError, match="angry"):
        measure_balanced(["fear"], ["fear"])


def test_faces_are_counted_by_emotion():
    assert count_by_emotion(TRUE, PREDICTED) == {
        "angry": {"faces": 2, "answered": 1, "right": 1},
        "happy": {"faces": 4, "answered": 4, "right": 3},
        "fear": {"faces": 1, "answered": 1, "right": 1},
    }


def test_accuracy_is_of_the_answered_and_of_all():
    figures = photo_emotions.score(TRUE, PREDICTED, 9)
    assert (figures["faces_found"], figures["answered"]) == (9, 6)
    assert figures["accuracy"] == pytest.approx({"of_answered": 5 / 6, "of_all": 5 / 7})
    assert figures["balanced_accuracy"]["of_answered"]["mean"] == pytest.approx((1 + 3 / 4) / 2)
    assert photo_emotions.score(["sad"], [None], 0)["accuracy"] == {"of_answered": None, "of_all": 0.0}


def test_the_largest_face_is_the_answer():
    class FixedPredictor(Predictor):
        def __init__(self):
            pass

        def predict_many(self, images):
            faces = [Face(Box(0, 0, 9, 9), np.ones(1), emotion, 1.0) for emotion in ("happy", "sad")]
            return [faces[: int(image[0, 0, 0])] for image in images]

    images = [np.full((4, 4, 1), count, np.uint8) for count in (0, 2, 1)] * 20
    faces = [LabeledFace(image, "happy") for image in images]
    assert photo_emotions.find_emotions(FixedPredictor(), faces) == ([None, "happy", "happy"] * 20, 60)
