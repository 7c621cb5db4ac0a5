"""A timeline as an image, drawn with Pillow, which the smallest installation has."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from emotion.app.timeline.texts import LEGEND, TITLE, notes, presence, shares, subtitle, ticks
from emotion.app.timeline.timeline import FaceTimeline, Timeline
from emotion.core.files import atomic_path
from emotion.inference.annotation import emotion_color

WIDTH, MARGIN = 1280, 40
BAND_HEIGHT, BAND_GAP = 110, 62
PAPER, TRACK, INK, SOFT = "#ffffff", "#eceae4", "#1c1b22", "#5d5c66"
LARGE, MEDIUM, SMALL = 38, 22, 18
"""Sizes of text, in pixels."""

LINE = 30
"""Pixels from one line of text to the next."""

LONGEST_NAME = 80
"""Characters of a file name that are drawn. Of a longer one the end is."""

FOOTER_CHARACTERS = 130
"""Characters in a line of the explanation."""


def write_picture(timeline: Timeline, path: Path) -> None:
    """Write a timeline as a PNG image."""
    with atomic_path(path) as temporary:
        draw_timeline(timeline).save(temporary)


def draw_timeline(timeline: Timeline) -> Image.Image:
    """Return a timeline as an image, RGB, WIDTH pixels wide; its height grows with the number of faces."""
    footer = wrap(LEGEND, FOOTER_CHARACTERS)
    lines = [_shorten(timeline.name), subtitle(timeline), *notes(timeline)]
    legend = _legend_places(timeline.emotions, MARGIN + 56 + LINE * len(lines) + 16)
    bands = legend[-1][1] + LINE + 24
    bottom = bands + len(timeline.faces) * (BAND_HEIGHT + BAND_GAP)
    image = Image.new("RGB", (WIDTH, bottom + 36 + LINE * len(footer) + MARGIN), PAPER)
    draw = ImageDraw.Draw(image)
    _write(draw, (MARGIN, MARGIN), TITLE, LARGE)
    for index, line in enumerate(lines):
        _write(draw, (MARGIN, MARGIN + 56 + LINE * index), line, MEDIUM, SOFT if index else INK)
    for (left, top), name in zip(legend, timeline.emotions, strict=True):
        draw.rounded_rectangle((left, top + 5, left + 16, top + 21), 4, fill=emotion_color(name))
        _write(draw, (left + 24, top), name, MEDIUM)
    for index, face in enumerate(timeline.faces):
        _draw_face(draw, face, timeline, bands + index * (BAND_HEIGHT + BAND_GAP))
    _draw_axis(draw, timeline, bottom)
    for index, line in enumerate(footer):
        _write(draw, (MARGIN, bottom + 50 + LINE * index), line, SMALL, SOFT)
    return image


def _legend_places(emotions: Sequence[str], top: int) -> list[tuple[float, int]]:
    """Return the left upper corner of each emotion in the legend, in as many lines as they need."""
    places: list[tuple[float, int]] = []
    left = float(MARGIN)
    for name in emotions:
        width = 24 + _font(MEDIUM).getlength(name)
        if left > MARGIN and left + width > WIDTH - MARGIN:
            left, top = float(MARGIN), top + LINE
        places.append((left, top))
        left += width + 26
    return places


def _draw_face(draw: ImageDraw.ImageDraw, face: FaceTimeline, timeline: Timeline, top: int) -> None:
    """Draw the heading and the band of a face."""
    heading = f"Face {face.number}"
    most = ",  ".join(f"{name} {share}" for name, share in shares(face, timeline.emotions, most=4))
    _write(draw, (MARGIN, top), heading, MEDIUM)
    left = MARGIN + draw.textlength(heading, _font(MEDIUM)) + 18
    _write(draw, (left, top + 3), presence(face, timeline), SMALL, SOFT)
    _write(draw, (WIDTH - MARGIN - draw.textlength(most, _font(SMALL)), top + 3), most, SMALL)
    _draw_band(draw, face, timeline, top + LINE + 4)


def _draw_band(draw: ImageDraw.ImageDraw, face: FaceTimeline, timeline: Timeline, top: int) -> None:
    """Draw the probabilities of a face, stacked from the first emotion at the bottom."""
    bottom = top + BAND_HEIGHT - 1
    draw.rectangle((MARGIN, top, WIDTH - MARGIN - 1, bottom), fill=TRACK)
    colors = [emotion_color(name) for name in timeline.emotions]
    for column in np.flatnonzero(~np.isnan(face.columns[:, 0])):
        start, end = (_place((column + step) * timeline.column_seconds / timeline.seconds) for step in (0, 1))
        levels = np.rint(BAND_HEIGHT * np.cumsum(face.columns[column]).clip(0, 1)).astype(int).tolist()
        # Each emotion reaches to the bottom, and those below are drawn over it.
        for level, color in reversed(list(zip(levels, colors, strict=True))):
            if level:
                draw.rectangle((start, bottom + 1 - level, max(start, end - 1), bottom), fill=color)


def _draw_axis(draw: ImageDraw.ImageDraw, timeline: Timeline, bottom: int) -> None:
    top = bottom - BAND_GAP + LINE + 4
    for share, label in ticks(timeline.seconds):
        place, width = _place(share), draw.textlength(label, _font(SMALL))
        draw.line((place, top, place, top + 8), fill=SOFT)
        left = min(max(place - width / 2, MARGIN), WIDTH - MARGIN - width)
        _write(draw, (left, top + 10), label, SMALL, SOFT)


def _place(share: float) -> int:
    """Return the horizontal place of a time, given as a share of the whole."""
    return round(MARGIN + min(share, 1.0) * (WIDTH - 2 * MARGIN))


def _shorten(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"...{name[-LONGEST_NAME:]}"


def _write(draw: ImageDraw.ImageDraw, corner: tuple[float, float], text: str, size: int, color: str = INK) -> None:
    """Write `text` with its left upper corner at `corner`."""
    draw.text(corner, text, fill=color, font=_font(size))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
