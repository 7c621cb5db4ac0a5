"""A timeline as a page of HTML in one file, which loads nothing and runs no script."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

import numpy as np

from emotion.app.page_style import read_style
from emotion.app.timeline.texts import (
    LEGEND,
    TITLE,
    clock,
    clock_step,
    notes,
    presence,
    shares,
    subtitle,
    ticks,
    whole_percent,
)
from emotion.app.timeline.timeline import FaceTimeline, Timeline
from emotion.core.files import atomic_path
from emotion.inference.annotation import emotion_color

STYLE = Path(__file__).with_name("page.css")

HEIGHT = 1000
"""The height of a band in the units of its SVG. A column is one unit wide."""

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: {name}</title>
<style>
{style}{colors}
</style>
</head>
<body>
<main>
<header>
<h1>{title}</h1>
<p class="file">{name}</p>
<p>{subtitle}</p>
{notes}
<ul class="legend">
{legend}
</ul>
</header>
{faces}
<section>
<h2>Share of time by emotion</h2>
{table}
</section>
<footer>{explanation}</footer>
</main>
</body>
</html>
"""


def write_page(timeline: Timeline, path: Path) -> None:
    """Write a timeline as a page of HTML."""
    with atomic_path(path) as temporary:
        temporary.write_text(to_html(timeline), encoding="utf-8", newline="\n")


def to_html(timeline: Timeline) -> str:
    """Return a timeline as a page of HTML."""
    names = [escape(name) for name in timeline.emotions]
    return PAGE.format(
        title=TITLE,
        name=escape(timeline.name),
        style=read_style(STYLE),
        colors="\n".join(_color_rules(timeline.emotions)),
        subtitle=subtitle(timeline),
        notes="\n".join(f'<p class="note">{note}</p>' for note in notes(timeline)),
        legend="\n".join(f'<li><span class="swatch e{index}"></span>{name}</li>' for index, name in enumerate(names)),
        faces="\n".join(_face_section(face, timeline) for face in timeline.faces),
        table=_table(timeline),
        explanation=LEGEND,
    )


def _color_rules(emotions: Sequence[str]) -> Iterator[str]:
    for index, name in enumerate(emotions):
        red, green, blue = emotion_color(name)
        yield f".e{index} {{ --color: rgb({red} {green} {blue}); }}"


def _face_section(face: FaceTimeline, timeline: Timeline) -> str:
    parts = [
        f'<span class="share"><span class="swatch e{timeline.emotions.index(name)}"></span>{escape(name)} {text}</span>'
        for name, text in shares(face, timeline.emotions)
    ]
    described = ", ".join(f"{name} {text}" for name, text in shares(face, timeline.emotions))
    label = escape(f"Face {face.number}: {presence(face, timeline)}. {described}.")
    return "\n".join(
        [
            '<section class="face">',
            f"<h2>Face {face.number}</h2>",
            f'<p class="presence">{presence(face, timeline)}</p>',
            f'<p class="shares">{" ".join(parts)}</p>',
            _band(face.columns, timeline, label),
            _axis(timeline),
            "</section>",
        ]
    )


def _band(columns: np.ndarray, timeline: Timeline, label: str) -> str:
    """Return the SVG of a face's probabilities, stacked from the first emotion at the bottom.

    An emotion's shape reaches to the bottom, and those of the emotions below lie on it. So no seams show.
    """
    width = timeline.seconds / timeline.column_seconds
    tops = HEIGHT - np.rint(HEIGHT * np.cumsum(np.nan_to_num(columns), axis=1)).astype(int)
    runs = list(_runs(~np.isnan(columns[:, 0])))
    paths = [
        f'<path class="e{emotion}" d="{"".join(_steps(tops[start:end, emotion], start) for start, end in runs)}"/>'
        for emotion in reversed(range(len(timeline.emotions)))
    ]
    return "\n".join(
        [
            f'<svg viewBox="0 0 {width:g} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{label}">',
            *paths,
            "</svg>",
        ]
    )


def _runs(present: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield start and end of each run of True."""
    start = 0
    for value, members in groupby(present.tolist()):
        end = start + len(list(members))
        if value:
            yield start, end
        start = end


def _steps(tops: np.ndarray, start: int) -> str:
    """Return the path of a shape from the bottom to `tops`, one unit wide each."""
    line = "".join(f"V{top}h{len(list(members))}" for top, members in groupby(tops.tolist()))
    return f"M{start} {HEIGHT}{line}V{HEIGHT}Z"


def _axis(timeline: Timeline) -> str:
    labels = "".join(
        f'<span style="left:{100 * place:.2f}%"{_edge(place)}>{label}</span>'
        for place, label in ticks(timeline.seconds)
    )
    return f'<div class="axis" aria-hidden="true">{labels}</div>'


def _edge(place: float) -> str:
    return ' class="first"' if place < 0.02 else ' class="last"' if place > 0.96 else ""


def _table(timeline: Timeline) -> str:
    head = "".join(
        f'<th scope="col">{escape(name)}</th>' for name in ("face", "from", "to", "seen", *timeline.emotions)
    )
    rows = "\n".join(_table_row(face, timeline) for face in timeline.faces)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Share of time by emotion"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _table_row(face: FaceTimeline, timeline: Timeline) -> str:
    step = clock_step(timeline)
    times = [clock(time, step=step) for time in (face.first, face.last, face.seconds)]
    values = [*times, *(escape(whole_percent(share)) for share in face.shares)]
    cells = "".join(f"<td>{value}</td>" for value in values)
    return f'<tr><th scope="row">{face.number}</th>{cells}</tr>'
