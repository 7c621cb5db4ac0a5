"""What the figures of benchmarks/detection.py rest on: hits, ignored regions, turned and scaled photos."""

import json

import cv2
import numpy as np
import pytest

from benchmarks import detection
from benchmarks.true_faces import (
    PhotoScore,
    TrueBox,
    TrueFace,
    TruePhoto,
    is_hit,
    match_boxes,
    overlap,
    read_photos,
    score_photo,
    summarize,
)
from emotion.core.errors import InputError
from emotion.faces.detection import RawDetection

FACE = TrueBox(100, 100, 60, 60)


def make_photo(*boxes, ignored=(), size=(300, 400), kinds=("frontal",)):
    faces = tuple(TrueFace(TrueBox(*box), frozenset(kinds)) for box in boxes)
    return TruePhoto("photo.png", np.zeros((*size, 3), np.uint8), faces, tuple(TrueBox(*box) for box in ignored))


def test_overlap_is_that_of_squares():
    assert overlap(FACE, FACE) == 1.0
    assert overlap(FACE, TrueBox(100, 130, 60, 60)) == pytest.approx(1 / 3)
    assert overlap(TrueBox(90, 110, 80, 40), FACE) == 1.0, "a square of the same center and mean side"
    assert overlap(FACE, TrueBox(200, 200, 60, 60)) == 0.0


@pytest.mark.parametrize(
    "box, hit",
    [
        (TrueBox(115, 115, 60, 60), True),
        (TrueBox(100, 100, 31, 31), True),
        (TrueBox(100, 100, 29, 29), False),
        (TrueBox(70, 70, 119, 119), True),
        (TrueBox(70, 70, 121, 121), False),
        (TrueBox(131, 131, 60, 60), False),
    ],
    ids=["shifted", "half as large", "too small", "twice as large", "too large", "center outside"],
)
def test_a_hit_overlaps_or_has_its_center_in_the_face(box, hit):
    assert is_hit(box, FACE) == hit


def test_each_face_has_one_hit_and_the_better_one():
    near, exact, other = TrueBox(110, 110, 60, 60), FACE, TrueBox(202, 100, 60, 60)
    assert sorted(match_boxes([near, exact, other], [FACE, TrueBox(200, 100, 60, 60)])) == [(1, 0), (2, 1)]
    assert match_boxes([near], []) == []


def test_a_photo_counts_misses_and_false_alarms():
    photo = make_photo(FACE, (300, 100, 60, 60), ignored=[(0, 0, 90, 90)])
    twice, in_ignored, small, false = FACE, TrueBox(20, 20, 40, 40), TrueBox(200, 10, 35, 35), TrueBox(200, 200, 36, 36)
    score = score_photo(photo, [FACE, twice, in_ignored, small, false], smallest=36)
    assert score == PhotoScore((True, False), (twice, false))


def test_figures_are_shares_and_counts():
    photos = [make_photo(FACE, (300, 100, 60, 60)), make_photo(FACE, kinds=("profile", "dark")), make_photo()]
    scores = [PhotoScore((True, True), ()), PhotoScore((False,), ()), PhotoScore((), (FACE,))]
    figures = summarize(photos, scores)
    assert figures["recall"] == figures["precision"] == pytest.approx(2 / 3)
    assert figures["photos_all_right"] == pytest.approx(1 / 3)
    assert (figures["photos_without_faces"], figures["false_alarms_without_faces"]) == (1, 1)
    assert (figures["photos_with_faces"], figures["photos_with_a_reading"]) == (2, 0.5)
    assert figures["by_kind"]["frontal"] == {"faces": 2, "found": 2}
    assert figures["by_kind"]["profile"] == figures["by_kind"]["dark"] == {"faces": 1, "found": 0}
    assert figures["by_kind"]["small"] == {"faces": 0, "found": 0}


def test_photos_are_read_with_their_faces(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((50, 60, 3), np.uint8))
    face = {"box": [1, 2, 30, 40], "pose": "tilted", "small": True, "dark": False}
    row = {"file": "a.png", "faces": [face], "ignore": [[0, 0, 9, 9]]}
    (tmp_path / "truth.json").write_text(json.dumps([row]), encoding="utf-8")
    (photo,) = read_photos(tmp_path)
    assert photo.image.shape == (50, 60, 3)
    assert photo.faces == (TrueFace(TrueBox(1, 2, 30, 40), frozenset({"tilted", "small"})),)
    assert photo.ignored == (TrueBox(0, 0, 9, 9),)


@pytest.mark.parametrize("text, words", [(None, "missing"), ("[{}]", "file, faces and ignore"), ("[", "list")])
def test_a_truth_that_cannot_be_used_is_named(tmp_path, text, words):
    if text is not None:
        (tmp_path / "truth.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=f"truth.json.*{words}"):
        read_photos(tmp_path)


def test_a_turned_portrait_has_its_face_in_the_middle():
    photo = make_photo((200, 100, 60, 60))
    photo.image[100:130, 200:260] = 255, 0, 0
    photo.image[130:160, 200:260] = 0, 255, 0
    canvas, box = detection.turn_portrait(photo, 90)
    x, y = (round(value) for value in box.center)
    assert canvas.shape == (500, 500, 3)
    assert box == TrueBox(220, 220, 60, 60)
    assert canvas[y, x + 15].tolist() == [255, 0, 0], "clockwise, so that the upper half is at the right"
    assert canvas[y, x - 15].tolist() == [0, 255, 0]
    assert canvas[y, x - 40].tolist() == [0, 0, 0]


def test_portraits_have_one_large_frontal_face():
    portrait, small = make_photo((100, 50, 80, 100)), make_photo((100, 50, 70, 80))
    others = make_photo((100, 50, 80, 100), kinds=("profile",)), make_photo((10, 50, 99, 99), (200, 50, 99, 99))
    large = make_photo((400, 200, 500, 500), size=(1200, 1600))
    first, second = detection.choose_portraits([portrait, small, *others, large, make_photo()])
    assert first == portrait
    assert second.image.shape == (600, 800, 3)
    assert second.faces[0].box == TrueBox(200, 100, 250, 250)


def test_shrunk_photos_count_faces_of_24_to_40_pixels():
    photo = make_photo((0, 0, 60, 60), (100, 0, 90, 90), (200, 0, 180, 180), ignored=[(0, 200, 30, 30)])
    shrunk = detection.shrink_to_faces(photo, 30)
    assert shrunk.image.shape == (100, 133, 3)
    assert [face.box.side for face in shrunk.faces] == pytest.approx([30])
    assert sorted(box.side for box in shrunk.ignored) == pytest.approx([10, 20, 60])


def test_images_are_timed_at_640x480():
    for size in ((100, 300), (1000, 700), (480, 640)):
        assert detection.crop_to_timed_size(np.zeros((*size, 3), np.uint8)).shape == (480, 640, 3)
    assert detection.crop_to_timed_size(np.zeros((90, 90, 1), np.uint8)).shape == (480, 640, 1)


class FixedDetector:
    """A detector with the same face in every image."""

    def __init__(self, box):
        x, y, width, height = box
        self.raw = RawDetection(x, y, width, height, 1.0)

    def detect_raw(self, image):
        return [self.raw]

    def detect(self, image, *, level=True):
        return []


def test_the_result_covers_all_that_is_measured():
    photos = [make_photo((160, 110, 80, 80)), make_photo()]
    figures = detection.measure_detector(lambda smallest: FixedDetector((210, 210, 80, 80)), photos, 1)
    assert figures["recall"] == 0.0
    assert figures["turned"] == {str(angle): {"faces": 2, "found": 2} for angle in detection.ANGLES}
    assert figures["small"]["recall"] == 0.0
    assert figures["milliseconds"]["detect"]["median"] >= 0
