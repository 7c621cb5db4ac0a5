"""The texts of a timeline, the same on the page and in the image."""

from collections.abc import Sequence
from itertools import takewhile

import numpy as np

from emotion.app.timeline.timeline import FaceTimeline, Timeline
from emotion.presentation.formats import number

TITLE = "Emotions over time"
LEGEND = (
    "The height of a color is the probability of an emotion, as the mean of a column. Where a band is empty, the face "
    "was not found. A share is the part of the face's time in which the emotion is the predicted one. A model predicts "
    "how an expression looks, and not what a person feels."
)

TICK_SECONDS = (
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    20,
    30,
    60,
    120,
    180,
    300,
    600,
    900,
    1200,
    1800,
    3600,
    7200,
    14400,
    28800,
    86400,
)
MOST_TICKS = 6

SMALLEST_SHARE = 0.005
"""Shares below it are left out of a sentence. They would read as 0 %."""


def clock(seconds: float, *, step: float = 1.0) -> str:
    """Return a time such as `0:07`, `12:30` or `1:02:05`; with tenths where `step` is below 1, such as `0:07.5`."""
    tenths = round(10 * seconds) if step < 1 else 10 * round(seconds)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    start = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{start}:{rest // 10:02}" + (f".{rest % 10}" if step < 1 else "")


def clock_step(timeline: Timeline) -> float:
    """Return the step of times in texts: tenths of a second in a table of a few seconds, and else seconds."""
    return 0.1 if timeline.seconds < 10 else 1.0


def ticks(seconds: float) -> list[tuple[float, str]]:
    """Return the places on the axis of time as shares of it, and their labels."""
    step = next((step for step in TICK_SECONDS if seconds / step <= MOST_TICKS), seconds / MOST_TICKS)
    times = takewhile(lambda time: time <= seconds, (index * step for index in range(MOST_TICKS + 1)))
    return [(time / seconds, clock(time, step=step)) for time in times]


def subtitle(timeline: Timeline) -> str:
    """Return a summary: the faces, the time and the length of a column."""
    count = len(timeline.faces) + timeline.other_faces
    faces = "1 face" if count == 1 else f"{number(count, 0)} faces"
    length = clock(timeline.seconds, step=clock_step(timeline))
    return f"{faces} in {length} ({number(timeline.rows, 0)} rows). Each column is {timeline.column_seconds:g} s."


def notes(timeline: Timeline) -> list[str]:
    """Return the sentences about faces and rows that are not drawn."""
    found = []
    if timeline.other_faces:
        others = "1 more face is" if timeline.other_faces == 1 else f"{number(timeline.other_faces, 0)} more faces are"
        found.append(f"{others} not drawn. Those drawn have the most frames.")
    if timeline.cut_off:
        found.append("The table is cut off in its last line. The rows before are drawn.")
    return found


def presence(face: FaceTimeline, timeline: Timeline) -> str:
    """Return the times of a face, such as `0:03 to 1:20, seen for 1:05`."""
    step = clock_step(timeline)
    first, last, seconds = (clock(time, step=step) for time in (face.first, face.last, face.seconds))
    return f"{first} to {last}, seen for {seconds}"


def shares(face: FaceTimeline, emotions: Sequence[str], most: int | None = None) -> list[tuple[str, str]]:
    """Return the emotions that a face shows and their shares in percent, the largest first."""
    order = [index for index in np.argsort(-face.shares, kind="stable") if face.shares[index] >= SMALLEST_SHARE]
    return [(emotions[index], whole_percent(face.shares[index])) for index in order[:most]]


def whole_percent(share: float) -> str:
    """Return a share in whole percent; `<1 %` for less than one, if it is not zero."""
    return "<1 %" if 0 < share < 0.01 else f"{100 * share:.0f} %"
