"""Images with their faces boxed and labeled, for people to look at."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from emotion.faces.detection import Box
from emotion.inference.predictor import Face
from emotion.presentation import colors

Color = tuple[int, int, int]


def _rgb(color: str) -> Color:
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue


COLORS = {name: _rgb(color) for name, color in colors.COLORS.items()}
"""RGB."""

BLACK, WHITE = (0, 0, 0), (255, 255, 255)
FONT = cv2.FONT_HERSHEY_DUPLEX
FONT_HEIGHT = 22
"""Pixels of a capital letter of FONT at scale 1."""

SMALLEST_TEXT = 9
"""Pixels of a capital letter; smaller ones cannot be read."""

PANEL_SHARE = 0.2
"""How much of the image shows through the white behind the bars."""


class _Area(NamedTuple):
    """A rectangle to draw in: from `left`, `top` to before `right`, `bottom`."""

    left: int
    top: int
    right: int
    bottom: int


def emotion_color(name: str) -> Color:
    """Return the color of an emotion, RGB; the same for the same name everywhere."""
    palette = list(COLORS.values())
    return COLORS.get(name) or palette[sum(name.encode()) % len(palette)]


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
    taken: list[_Area] = []
    texts = [label_text(face, numbers[place] if numbers else None) for place, face in enumerate(faces)]
    for face, text in zip(faces, texts, strict=True):
        taken.append(_draw_label(canvas, face, text, taken))
    if emotions is not None:
        taken += [_inside(face.box, canvas) for face in faces]
        for face, label in zip(faces, list(taken), strict=False):
            taken += _draw_bars(canvas, face, label, emotions, taken)
    return canvas


def label_text(face: Face, number: int | None = None) -> str:
    """Return what the label of a face says: `happy 89 %`, or `#3 happy 89 %`."""
    return f"{'' if number is None else f'#{number} '}{face.emotion} {face.confidence:.0%}".replace("%", " %")


def _draw_box(canvas: np.ndarray, face: Face) -> None:
    area = _inside(face.box, canvas)
    thickness = max(1, round(min(canvas.shape[:2]) / 240))
    corners = (area.left, area.top), (area.right - 1, area.bottom - 1)
    color = emotion_color(face.emotion)
    # Its contrary around the color, so that it shows on any background.
    cv2.rectangle(canvas, *corners, _ink(color), thickness + 2)
    cv2.rectangle(canvas, *corners, color, thickness)


def _draw_label(canvas: np.ndarray, face: Face, text: str, taken: Sequence[_Area]) -> _Area:
    """Write `text` beside the face, where no other label stands if there is such a place; return where."""
    height = _text_height(canvas, face)
    height *= min(1, canvas.shape[1] / (_text_width(text, height) + height))
    size = round(_text_width(text, height) + height), round(1.8 * height)
    area = _label_place(canvas, _inside(face.box, canvas), size, taken)
    color = emotion_color(face.emotion)
    cv2.rectangle(canvas, (area.left, area.top), (area.right - 1, area.bottom - 1), color, cv2.FILLED)
    _write(canvas, text, (area.left + height / 2, area.bottom - 0.4 * height), height, _ink(color))
    return area


def _label_place(canvas: np.ndarray, box: _Area, size: tuple[int, int], taken: Sequence[_Area]) -> _Area:
    """Return where a label of `size` goes: above the box, below, or at its upper or lower edge inside."""
    (height, width), (wide, high) = canvas.shape[:2], size
    left = max(0, min(box.left, width - wide))
    tops = (box.top - high, box.bottom, box.top, box.bottom - high)
    places = [_Area(left, top, left + wide, top + high) for top in tops if 0 <= top <= height - high]
    free = [place for place in places if not any(_overlap(place, other) for other in taken)]
    return next(iter(free or places), _Area(left, 0, left + wide, high))


def _draw_bars(
    canvas: np.ndarray, face: Face, label: _Area, emotions: Sequence[str], taken: Sequence[_Area]
) -> list[_Area]:
    """Draw a bar for each emotion on a light panel beside the face; return where, nothing without room."""
    height = _text_height(canvas, face)
    names = max(_text_width(name, height) for name in emotions)
    row, bar = round(1.6 * height), round(4 * height)
    size = round(names + bar + 1.5 * height), row * len(emotions) + round(0.6 * height)
    panel = _panel_place(canvas, (_inside(face.box, canvas), label), size, taken)
    if panel is None:
        return []
    behind = canvas[panel.top : panel.bottom, panel.left : panel.right]
    behind[:] = cv2.convertScaleAbs(behind, alpha=PANEL_SHARE, beta=255 * (1 - PANEL_SHARE))
    start = round(panel.left + names + height)
    for place, (name, probability) in enumerate(zip(emotions, face.probabilities, strict=True)):
        base = panel.top + round(0.3 * height) + (place + 1) * row - round(0.3 * height)
        _write(canvas, name, (panel.left + height / 2, base), height, BLACK)
        end = start + max(1, round(bar * float(probability)))
        cv2.rectangle(canvas, (start, base - round(height)), (end, base), emotion_color(name), cv2.FILLED)
    return [panel]


def _panel_place(
    canvas: np.ndarray, beside: Sequence[_Area], size: tuple[int, int], taken: Sequence[_Area]
) -> _Area | None:
    """Return where a panel of `size` has room: to the right of a face or its label, or to the left."""
    (height, width), (wide, high) = canvas.shape[:2], size
    gap = max(2, round(min(height, width) / 120))
    top = max(0, min(beside[0].top, height - high))
    lefts = [area.right + gap for area in beside] + [area.left - gap - wide for area in beside]
    places = [_Area(left, top, left + wide, top + high) for left in lefts if 0 <= left <= width - wide]
    return next((place for place in places if high <= height and not any(_overlap(place, x) for x in taken)), None)


def _inside(box: Box, canvas: np.ndarray) -> _Area:
    """Return the part of `box` inside the image, of at least one pixel."""
    height, width = canvas.shape[:2]
    left, top = min(max(box.x, 0), width - 1), min(max(box.y, 0), height - 1)
    right, bottom = min(box.x + box.width, width), min(box.y + box.height, height)
    return _Area(left, top, max(right, left + 1), max(bottom, top + 1))


def _overlap(one: _Area, other: _Area) -> bool:
    return one.left < other.right and other.left < one.right and one.top < other.bottom and other.top < one.bottom


def _text_height(canvas: np.ndarray, face: Face) -> float:
    """Return the height of letters in pixels: by the face's size, within what suits the image's."""
    side = min(canvas.shape[:2])
    return float(np.clip(face.box.width / 8, max(SMALLEST_TEXT, 0.014 * side), max(SMALLEST_TEXT, 0.04 * side)))


def _text_width(text: str, height: float) -> int:
    return cv2.getTextSize(text, FONT, height / FONT_HEIGHT, _stroke(height))[0][0]


def _write(canvas: np.ndarray, text: str, corner: tuple[float, float], height: float, color: Color) -> None:
    """Write `text` with its left lower corner at `corner`, (x, y)."""
    place = round(corner[0]), round(corner[1])
    cv2.putText(canvas, text, place, FONT, height / FONT_HEIGHT, color, _stroke(height), cv2.LINE_AA)


def _stroke(height: float) -> int:
    return max(1, round(height / 14))


def _ink(background: Color) -> Color:
    """Return black or white, whichever is easier to read on `background`."""
    red, green, blue = background
    return BLACK if 0.299 * red + 0.587 * green + 0.114 * blue > 128 else WHITE
