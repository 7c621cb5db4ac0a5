"""Images annotated with their faces: boxes, labels and bars of probabilities."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from emotion.faces.detection import Box
from emotion.inference.predictor import Face
from emotion.presentation.colors import COLORS
from emotion.presentation.formats import percent

Color = tuple[int, int, int]
"""Red, green and blue, each 0 to 255."""


def _parse_hex(color: str) -> Color:
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue


RGB_COLORS = {name: _parse_hex(color) for name, color in COLORS.items()}
"""The colors of the emotions in plots, as RGB."""

BLACK, WHITE = (0, 0, 0), (255, 255, 255)
FONT = cv2.FONT_HERSHEY_DUPLEX
FONT_HEIGHT = 22
"""Pixels of a capital letter of FONT at scale 1."""

SMALLEST_TEXT = 9
"""Pixels of a capital letter. Smaller ones cannot be read."""

PANEL_SHARE = 0.2
"""The share of the image that shows through the white behind the bars."""


class _Area(NamedTuple):
    """A rectangle of pixels; `right` and `bottom` are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


def emotion_color(name: str) -> Color:
    """Return the color of an emotion, RGB. Names without a color of their own always get the same one."""
    palette = list(RGB_COLORS.values())
    return RGB_COLORS.get(name) or palette[sum(name.encode()) % len(palette)]


def annotate(
    image: np.ndarray,
    faces: Sequence[Face],
    *,
    numbers: Sequence[int] | None = None,
    emotions: Sequence[str] | None = None,
) -> np.ndarray:
    """Return a copy of an image in which each face has a box and a label such as `happy 89 %`.

    Lines and letters grow with the image. What does not fit into it is moved inside, or made smaller.

    Args:
        image: uint8 (height, width, 1 or 3), gray or RGB.
        faces: what to draw; their boxes may reach beyond the image.
        numbers: a number for each face, which then comes first in its label: `#3 happy 89 %`.
        emotions: the names of the probabilities, in their order. With them each face that has room beside it gets a
            bar for each emotion.

    Returns:
        uint8 (height, width, 3), RGB.
    """
    canvas = image.copy() if image.shape[2] == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    for face in faces:
        _draw_box(canvas, face)
    labels: list[_Area] = []
    for index, face in enumerate(faces):
        text = label_text(face, numbers[index] if numbers else None)
        labels.append(_draw_label(canvas, face, text, labels))
    if emotions is not None:
        occupied = labels + [_visible_area(face.box, canvas) for face in faces]
        for face, label in zip(faces, labels, strict=True):
            panel = _draw_probability_bars(canvas, face, label, emotions, occupied)
            occupied += [] if panel is None else [panel]
    return canvas


def label_text(face: Face, number: int | None = None) -> str:
    """Return the label of a face: `happy 89 %`, or `#3 happy 89 %`."""
    return f"{'' if number is None else f'#{number} '}{face.emotion} {percent(face.confidence, 0)}"


def _draw_box(canvas: np.ndarray, face: Face) -> None:
    area = _visible_area(face.box, canvas)
    thickness = max(1, round(min(canvas.shape[:2]) / 240))
    corners = (area.left, area.top), (area.right - 1, area.bottom - 1)
    color = emotion_color(face.emotion)
    # A border of the contrasting color, so that the box shows on any background.
    cv2.rectangle(canvas, *corners, _contrasting(color), thickness + 2)
    cv2.rectangle(canvas, *corners, color, thickness)


def _draw_label(canvas: np.ndarray, face: Face, text: str, occupied: Sequence[_Area]) -> _Area:
    """Write `text` beside the face, off the areas `occupied` if there is room; return its area."""
    height = _text_height(canvas, face)
    height *= min(1, canvas.shape[1] / (_text_width(text, height) + height))
    size = round(_text_width(text, height) + height), round(1.8 * height)
    area = _choose_label_area(canvas, _visible_area(face.box, canvas), size, occupied)
    color = emotion_color(face.emotion)
    cv2.rectangle(canvas, (area.left, area.top), (area.right - 1, area.bottom - 1), color, cv2.FILLED)
    _put_text(canvas, text, (area.left + height / 2, area.bottom - 0.4 * height), height, _contrasting(color))
    return area


def _choose_label_area(canvas: np.ndarray, box: _Area, size: tuple[int, int], occupied: Sequence[_Area]) -> _Area:
    """Return the area of a label of `size`: above the box, below it, or inside at its upper or lower edge."""
    (height, width), (label_width, label_height) = canvas.shape[:2], size
    left = max(0, min(box.left, width - label_width))
    tops = (box.top - label_height, box.bottom, box.top, box.bottom - label_height)
    areas = [
        _Area(left, top, left + label_width, top + label_height) for top in tops if 0 <= top <= height - label_height
    ]
    free = [area for area in areas if not _overlaps_any(area, occupied)]
    return next(iter(free or areas), _Area(left, 0, left + label_width, label_height))


def _draw_probability_bars(
    canvas: np.ndarray, face: Face, label: _Area, emotions: Sequence[str], occupied: Sequence[_Area]
) -> _Area | None:
    """Draw a bar for each emotion on a light panel beside the face; return its area, None without room for it."""
    height = _text_height(canvas, face)
    names_width = max(_text_width(name, height) for name in emotions)
    row_height, bar_width = round(1.6 * height), round(4 * height)
    size = round(names_width + bar_width + 1.5 * height), row_height * len(emotions) + round(0.6 * height)
    panel = _choose_panel_area(canvas, (_visible_area(face.box, canvas), label), size, occupied)
    if panel is None:
        return None
    background = canvas[panel.top : panel.bottom, panel.left : panel.right]
    background[:] = cv2.convertScaleAbs(background, alpha=PANEL_SHARE, beta=255 * (1 - PANEL_SHARE))
    start = round(panel.left + names_width + height)
    for row, (name, probability) in enumerate(zip(emotions, face.probabilities, strict=True), start=1):
        base = panel.top + row * row_height
        _put_text(canvas, name, (panel.left + height / 2, base), height, BLACK)
        end = start + max(1, round(bar_width * float(probability)))
        cv2.rectangle(canvas, (start, base - round(height)), (end, base), emotion_color(name), cv2.FILLED)
    return panel


def _choose_panel_area(
    canvas: np.ndarray, neighbors: Sequence[_Area], size: tuple[int, int], occupied: Sequence[_Area]
) -> _Area | None:
    """Return where a panel of `size` has room: right of one of the areas `neighbors`, or left of it."""
    (height, width), (panel_width, panel_height) = canvas.shape[:2], size
    if panel_height > height:
        return None
    gap = max(2, round(min(height, width) / 120))
    top = max(0, min(neighbors[0].top, height - panel_height))
    lefts = [area.right + gap for area in neighbors] + [area.left - gap - panel_width for area in neighbors]
    areas = [
        _Area(left, top, left + panel_width, top + panel_height) for left in lefts if 0 <= left <= width - panel_width
    ]
    return next((area for area in areas if not _overlaps_any(area, occupied)), None)


def _visible_area(box: Box, canvas: np.ndarray) -> _Area:
    """Return the part of `box` inside the image, of at least one pixel."""
    height, width = canvas.shape[:2]
    left, top = min(max(box.x, 0), width - 1), min(max(box.y, 0), height - 1)
    right, bottom = min(box.x + box.width, width), min(box.y + box.height, height)
    return _Area(left, top, max(right, left + 1), max(bottom, top + 1))


def _overlaps_any(area: _Area, others: Sequence[_Area]) -> bool:
    return any(
        area.left < other.right and other.left < area.right and area.top < other.bottom and other.top < area.bottom
        for other in others
    )


def _text_height(canvas: np.ndarray, face: Face) -> float:
    """Return the height of letters in pixels: by the face's size, within what suits the image's."""
    side = min(canvas.shape[:2])
    return float(np.clip(face.box.width / 8, max(SMALLEST_TEXT, 0.014 * side), max(SMALLEST_TEXT, 0.04 * side)))


def _text_width(text: str, height: float) -> int:
    return cv2.getTextSize(text, FONT, height / FONT_HEIGHT, _stroke_width(height))[0][0]


def _put_text(canvas: np.ndarray, text: str, corner: tuple[float, float], height: float, color: Color) -> None:
    """Write `text` with its left lower corner at `corner`, (x, y)."""
    x, y = round(corner[0]), round(corner[1])
    cv2.putText(canvas, text, (x, y), FONT, height / FONT_HEIGHT, color, _stroke_width(height), cv2.LINE_AA)


def _stroke_width(height: float) -> int:
    return max(1, round(height / 14))


def _contrasting(background: Color) -> Color:
    """Return black or white, whichever is easier to read on `background`."""
    red, green, blue = background
    return BLACK if 0.299 * red + 0.587 * green + 0.114 * blue > 128 else WHITE
