"""The motion of a face is measured inside its box."""

import numpy as np
import pytest

from emotion.inference.motion import LONGEST_SIDE, GrayFrame, move_boxes
from tests.inference.textures import BOX, SIZE, moved, texture


def move_box(previous, current, box=BOX):
    return move_boxes(GrayFrame.of(previous), GrayFrame.of(current), [box])[0]


def test_the_same_frame_leaves_a_box_exactly_where_it_was():
    np.testing.assert_allclose(move_box(texture(), texture()), BOX, atol=1e-9)


@pytest.mark.parametrize("shift", [(1, 0), (7, -4), (-15, 20), (0.5, 0.25)])
def test_a_box_moves_with_a_shift(shift):
    image = texture()
    expected = BOX + [*shift, 0, 0, 0]
    np.testing.assert_allclose(move_box(image, moved(image, shift)), expected, atol=0.3)


@pytest.mark.parametrize("growth", [0.9, 1.05, 1.15])
def test_a_box_grows_about_its_center(growth):
    image = texture()
    side = 60 * growth
    expected = [150 - side / 2, 110 - side / 2, side, side, 0]
    np.testing.assert_allclose(move_box(image, moved(image, growth=growth)), expected, atol=1.0)


def test_the_tilt_stays_as_it_is():
    box = BOX + [0, 0, 0, 0, 0.3]
    np.testing.assert_allclose(move_box(texture(), moved(texture(), (6, 3), 1.1), box)[4:], [0.3])


def test_gray_images_work_as_well():
    image = texture()[:, :, :1]
    shifted = moved(image, (5, 5))[:, :, None]
    np.testing.assert_allclose(move_box(image, shifted), BOX + [5, 5, 0, 0, 0], atol=0.3)


def test_large_frames_are_measured_in_a_smaller_copy():
    image = texture((1200, 1920), grain=27)
    assert max(GrayFrame.of(image).gray.shape) == LONGEST_SIDE
    box = np.array([900.0, 500.0, 200.0, 200.0, 0.0])
    np.testing.assert_allclose(move_box(image, moved(image, (30, -16)), box), box + [30, -16, 0, 0, 0], atol=1.0)


def test_each_of_many_boxes_moves_by_itself():
    left, right = texture(seed=1), texture(seed=2)
    previous = np.hstack([left, right])
    current = np.hstack([moved(left, (6, 0)), moved(right, (0, -9))])
    boxes = [BOX, BOX + [320, 0, 0, 0, 0], BOX + [330, 20, -10, -10, 0]]
    moved_boxes = move_boxes(GrayFrame.of(previous), GrayFrame.of(current), boxes)
    shifts = [[6, 0, 0, 0, 0], [0, -9, 0, 0, 0], [0, -9, 0, 0, 0]]
    np.testing.assert_allclose(np.array(moved_boxes), np.array(boxes) + shifts, atol=0.5)


@pytest.mark.parametrize(
    "current",
    [texture(seed=5), np.full((*SIZE, 3), 90, np.uint8), texture((200, 320))],
    ids=["another scene", "no texture", "another size"],
)
def test_a_face_whose_motion_cannot_be_measured_is_lost(current):
    assert move_box(texture(), current) is None


def test_a_face_that_leaves_the_image_is_lost():
    image = texture()
    box = np.array([-20.0, 80.0, 60.0, 60.0, 0.0])
    assert move_box(image, moved(image, (5, 0)), box) is not None
    assert move_box(image, moved(image, (-15, 0)), box) is None


def test_a_whole_image_stays_whole():
    image = texture()
    whole = np.array([0.0, 0.0, 320.0, 240.0, 0.0])
    np.testing.assert_array_equal(move_box(image, moved(image, (9, 9)), whole), whole)


def test_no_faces_need_no_motion():
    assert move_boxes(GrayFrame.of(texture()), GrayFrame.of(texture()), []) == []
