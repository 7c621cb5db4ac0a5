"""The labels that a source has, the emotions for which they are taken, and their counts."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from emotion.core.errors import without_controls
from emotion.core.labels import VOTE_SCHEMES, Scheme
from emotion.ingest.label_reader import parse_number

LISTED = 30
"""Labels that are printed. A column of free texts may have thousands."""


def count_labels(images: pd.DataFrame, scheme: Scheme) -> dict[str, dict[str, Any]]:
    """Return for each label of the source its emotion, whether the scheme has a class for it, and its images.

    Args:
        images: as `collect_batches` returns them.
        scheme: the classes.

    Returns:
        By label as the source writes it, numbers first: `emotion` (text), `in_scheme` (bool) and `images` (int).
    """
    counts = images.groupby(["source_label", "emotion"], sort=False).size().reset_index(name="images")
    rows = sorted(zip(counts["source_label"], counts["emotion"], counts["images"], strict=True), key=_order)
    return {
        label: {"emotion": emotion, "in_scheme": scheme.label(emotion) >= 0, "images": int(count)}
        for label, emotion, count in rows
    }


def _order(row: tuple[str, str, int]) -> tuple[bool, int, str]:
    number = parse_number(row[0])
    return number is None, number or 0, row[0]


def describe_labels(labels: Mapping[str, Mapping[str, Any]], scheme: Scheme) -> list[str]:
    """Return a line for each label of `count_labels`, with a heading. It says so where the scheme leaves it out."""
    shown = dict(list(labels.items())[:LISTED])
    rows = [("label", "emotion", "images", "")]
    for label, found in shown.items():
        left_out = "" if found["in_scheme"] else f"left out, labels.scheme {scheme.written} does not name it"
        rows.append((without_controls(label), without_controls(found["emotion"]), f"{found['images']:,}", left_out))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}".rstrip() for row in rows]
    more = [f"and {len(labels) - LISTED} more labels"] if len(labels) > LISTED else []
    votes = ["the votes of FER+ replace these labels"] if scheme.written in VOTE_SCHEMES else []
    return lines + more + votes
