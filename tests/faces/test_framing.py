"""A detection is framed as FER2013 frames faces, and each face is detected once."""

import math

from emotion.faces.detection import Box, Detection, RawDetection
from emotion.faces.framing import Framing, frame
from emotion.faces.overlap import drop_duplicates


def test_the_center_moves_along_the_axis_of_a_tilted_face():
    raw = RawDetection(100, 100, 100, 100, 1.0)
    assert frame(raw, Framing(1.0, -0.1)).box == (100, 90, 100, 100)
    assert frame(raw, Framing(1.0, -0.1), math.pi / 2) == Detection(Box(110, 100, 100, 100), math.pi / 2)


def test_a_square_lies_about_the_middle_of_the_box():
    detection = frame(RawDetection(100, 50, 80, 120, 1.0), Framing(1.1))
    assert detection == Detection(Box(85, 55, 110, 110))
    assert frame(RawDetection(0, 0, 10, 10, 1.0), Framing(1.6)).box == (-3, -3, 16, 16)


def test_of_boxes_over_each_other_the_most_certain_stays():
    whole, mouth, twin = (
        RawDetection(0, 0, 100, 100, 9),
        RawDetection(30, 60, 30, 30, 5),
        RawDetection(8, -5, 104, 104, 7),
    )
    neighbor = RawDetection(70, 0, 100, 100, 6)
    assert drop_duplicates([mouth, twin, whole, neighbor]) == [whole, neighbor]
