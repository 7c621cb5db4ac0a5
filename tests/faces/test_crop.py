"""The crop of a face: leveled, with the image's border repeated beyond it, in little memory."""

import math
import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.data.images import to_input
from emotion.faces.crop import align_crop, crop_face
from emotion.faces.detection import Box, Detection

BOXES = st.builds(Box, st.integers(-90, 130), st.integers(-90, 130), *[st.shared(st.integers(1, 120), key="side")] * 2)
IMAGE = np.random.default_rng(5).integers(0, 256, (60, 80, 3), dtype=np.uint8)


def spots(tilt, distance=80, size=400):
    """Return a black image with two bright eyes about its middle, and the face there, half as large as it."""
    image = np.zeros((size, size, 1), np.uint8)
    half = np.array([math.cos(tilt), math.sin(tilt)]) * distance / 2
    for x, y in ((size / 2 - half).tolist(), (size / 2 + half).tolist()):
        cv2.circle(image, (round(x), round(y)), size // 40, 255, -1)
    return image, Detection(Box(size // 4, size // 4, size // 2, size // 2), tilt)


@given(box=BOXES, margin=st.floats(-0.3, 0.6), color=st.sampled_from(["grayscale", "rgb"]))
def test_beyond_the_image_its_border_is_repeated(box, margin, color):
    side = max(1, round(box.width * (1 + 2 * margin)))
    left, top = round(box.x + (box.width - side) / 2), round(box.y + (box.height - side) / 2)
    rows, columns = np.clip(np.arange(top, top + side), 0, 59), np.clip(np.arange(left, left + side), 0, 79)
    expected = to_input(IMAGE[rows[:, None], columns], 48, color)
    np.testing.assert_array_equal(align_crop(IMAGE, Detection(box), margin, 48, color), expected)


def test_a_crop_of_the_models_size_keeps_its_pixels():
    np.testing.assert_array_equal(align_crop(IMAGE, Detection(Box(7, 3, 48, 48)), 0, 48, "rgb"), IMAGE[3:51, 7:55])


def test_a_box_that_is_no_square_keeps_its_longer_side():
    np.testing.assert_array_equal(align_crop(IMAGE, Detection(Box(17, 3, 28, 48)), 0, 48, "rgb"), IMAGE[3:51, 7:55])


@pytest.mark.parametrize("degrees", [-50, -20, -3, 0, 8, 35, 60])
@pytest.mark.parametrize("times", [1, 9])
def test_a_tilted_face_becomes_upright(degrees, times):
    # The larger ones are made smaller before they are turned.
    image, detection = spots(math.radians(degrees), distance=80 * times, size=400 * times)
    crop = align_crop(image, detection, 0, 100, "grayscale")[:, :, 0].astype(float)
    for half, expected in ((crop[:, :50], 30), (crop[:, 50:], 20)):
        y, x = (np.average(places, weights=half) for places in np.indices(half.shape))
        assert (x + 0.5, y + 0.5) == pytest.approx((expected, 50), abs=0.8)


@pytest.mark.parametrize("tilt", [0, 0.3])
@pytest.mark.parametrize("side", [500, 3000])
def test_shrinking_averages(tilt, side):
    stripes = np.tile(np.array([0, 200], np.uint8), (side, side // 2))[:, :, None]
    _, detection = spots(tilt, distance=side / 5, size=side)
    crop = align_crop(stripes, detection, 0, 48, "grayscale").astype(int)
    assert np.abs(crop - 100).max() <= 20


@pytest.mark.parametrize("box", [Box(2990, 2990, 3000, 3000), Box(-9000, 400, 5000, 5000), Box(0, 0, 3000, 3000)])
def test_no_border_takes_much_memory(box):
    image = np.full((3000, 3000, 3), 77, np.uint8)
    tracemalloc.start()
    try:
        crop = align_crop(image, Detection(box, 0.22), 2.0, 48, "rgb")
        assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
    finally:
        tracemalloc.stop()
    assert (crop == 77).all()


def test_images_of_one_pixel_can_be_cropped():
    assert (align_crop(np.full((1, 1, 1), 9, np.uint8), Detection(Box(-3, -3, 9, 9)), 0.1, 48, "rgb") == 9).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_whole_image_gets_no_margin(channels):
    image = IMAGE[:, :, :channels]
    crop = crop_face(image, Detection(Box(0, 0, 80, 60)), 0.5, 48, "grayscale")
    np.testing.assert_array_equal(crop, to_input(image, 48, "grayscale"))


@pytest.mark.parametrize("detection", [Detection(Box(0, 0, 60, 60)), Detection(Box(0, 0, 80, 60), 0.4)])
def test_other_faces_get_theirs(detection):
    np.testing.assert_array_equal(
        crop_face(IMAGE, detection, 0.5, 48, "rgb"), align_crop(IMAGE, detection, 0.5, 48, "rgb")
    )
