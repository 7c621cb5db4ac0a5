"""Boxes and labels are there, stay inside the image, and can be read on any background."""

import numpy as np
import pytest

from emotion.core.emotion_names import EMOTIONS
from emotion.faces.detection import Box
from emotion.inference.annotation import RGB_COLORS, annotate, emotion_color, label_text
from emotion.inference.predictor import Face
from emotion.presentation.colors import COLORS


def make_face(box=(100, 120, 90, 90), emotion="happy", confidence=0.9):
    probabilities = np.full(7, (1 - confidence) / 6)
    probabilities[EMOTIONS.index(emotion)] = confidence
    return Face(Box(*box), probabilities, emotion, confidence)


def test_emotions_have_the_colors_of_the_plots():
    assert list(RGB_COLORS) == list(COLORS)
    assert (COLORS["happy"], RGB_COLORS["happy"]) == ("#e69f00", (230, 159, 0))


def test_an_unknown_name_always_has_the_same_color():
    assert emotion_color("negative") == emotion_color("negative")
    assert emotion_color("negative") in RGB_COLORS.values()


def test_labels_have_emotion_confidence_and_number():
    assert label_text(make_face(confidence=0.894)) == "happy 89 %"
    assert label_text(make_face(confidence=0.894), 3) == "#3 happy 89 %"


@pytest.mark.parametrize("value", [0, 127, 255])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_face_is_boxed_in_its_color_on_a_copy(value, channels):
    image = np.full((480, 640, channels), value, np.uint8)
    before = image.copy()
    drawn = annotate(image, [make_face()])
    assert (image == before).all()
    assert drawn.shape == (480, 640, 3)
    assert drawn.dtype == np.uint8
    for x, y in ((100, 160), (189, 160), (140, 209)):
        assert tuple(drawn[y, x]) == RGB_COLORS["happy"]
    inside = drawn[125:200, 110:180]
    assert (inside == value).all(), "the face itself stays as it was"
    label = drawn[100:119, 100:180]
    assert (label == RGB_COLORS["happy"]).all(axis=2).mean() > 0.3
    assert (label.max(axis=2) < 60).mean() > 0.02, "dark letters on the light color"


@pytest.mark.parametrize(
    "box", [(-50, -40, 100, 100), (600, 440, 100, 100), (-10, -10, 900, 900), (639, 479, 1, 1), (700, 500, 50, 50)]
)
def test_boxes_that_reach_beyond_the_image_are_drawn_inside(box):
    drawn = annotate(np.zeros((480, 640, 3), np.uint8), [make_face(box, "surprise")], emotions=EMOTIONS)
    color = (drawn == RGB_COLORS["surprise"]).all(axis=2)
    assert color.sum() > 400, "the label is there"


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (48, 48), (3000, 40)])
def test_small_and_narrow_images_do_not_fail(size):
    drawn = annotate(np.zeros((*size, 1), np.uint8), [make_face((0, 0, size[1], size[0]))], emotions=EMOTIONS)
    assert drawn.shape == (*size, 3)
    assert drawn.any()


def test_labels_of_neighbors_do_not_cover_one_another():
    image = np.zeros((480, 640, 3), np.uint8)
    faces = [make_face((200, 150, 60, 60), "happy"), make_face((230, 150, 60, 60), "sad")]
    drawn = annotate(image, faces)
    areas = [
        (drawn == RGB_COLORS[face.emotion]).all(axis=2).sum()
        / (annotate(image, [face]) == RGB_COLORS[face.emotion]).all(axis=2).sum()
        for face in faces
    ]
    assert min(areas) > 0.8


def test_bars_are_beside_the_face_where_there_is_room():
    image = np.zeros((480, 640, 3), np.uint8)
    with_bars = annotate(image, [make_face()], emotions=EMOTIONS)
    beside = with_bars[120:300, 192:400]
    assert (beside > 190).all(axis=2).sum() > 5000
    lengths = {name: (beside == color).all(axis=2).sum() for name, color in RGB_COLORS.items()}
    assert lengths["happy"] > 5 * lengths["sad"] > 0
    assert (with_bars[:, :190] == annotate(image, [make_face()])[:, :190]).all()
    whole = make_face((0, 0, 640, 480))
    assert (annotate(image, [whole], emotions=EMOTIONS) == annotate(image, [whole])).all()


def test_letters_grow_with_the_image():
    heights = []
    for size in (300, 3000):
        face = make_face((size // 3, size // 3, size // 4, size // 4))
        drawn = annotate(np.zeros((size, size, 3), np.uint8), [face])
        rows = (drawn == RGB_COLORS["happy"]).all(axis=2).sum(axis=1) > size / 10
        heights.append(rows[: size // 3].sum())
    assert heights[1] > 4 * heights[0] > 40


def test_numbers_and_faces_go_together():
    image = np.zeros((480, 640, 3), np.uint8)
    assert (annotate(image, [make_face()], numbers=[7]) != annotate(image, [make_face()])).any()
    assert (annotate(image, [], numbers=[]) == image).all()
