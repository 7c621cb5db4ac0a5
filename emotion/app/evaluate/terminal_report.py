"""The report of `emotion evaluate` as text for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from emotion.app.evaluate.scoring import NAMED
from emotion.app.evaluate.selection import ALL
from emotion.core.errors import in_one_line
from emotion.core.metadata import WHOLE
from emotion.presentation.formats import figure_text, gap_text, number, percent

SCORES = (
    ("accuracy", "accuracy"),
    ("balanced accuracy", "balanced_accuracy"),
    ("macro F1", "macro_f1"),
    ("log loss", "log_loss"),
    ("log loss with the temperature", "calibrated_log_loss"),
    ("calibration error", "expected_calibration_error"),
    ("calibration error with the temperature", "calibrated_expected_calibration_error"),
)
"""The titles of figures, and their names in the report."""

GROUP_SCORES = (
    ("accuracy", "accuracy"),
    ("balanced accuracy", "balanced_accuracy"),
    ("calibration error with the temperature", "calibrated_expected_calibration_error"),
)
"""The titles of the figures of a group of images, and their names in the report."""

TOO_FEW = "too few"
"""Stands for a figure of a group of few images."""

FEW_UNITS = 30
"""Number of images or groups below which the intervals are too narrow."""


def describe(report: Mapping[str, Any]) -> str:
    """Return the report as lines: model, data and faces, the figures, and those by emotion."""
    lines = [
        *_describe_model(report["model"]),
        *_describe_data(report["data"]),
        *_describe_faces(report["faces"], report["model"]["detector"]),
        "",
        *_tabulate_scores(report["all"], report["found"]),
        "",
        *_tabulate_emotions(report["all"]["by_emotion"], report["found"]["by_emotion"]),
        "",
        *_describe_groups(report.get("groups", {})),
        *_describe_intervals(report["intervals"], report["all"]),
    ]
    # Names of images, emotions and groups may hold an end of a line.
    return "\n".join(map(in_one_line, lines))


def _describe_model(model: Mapping[str, Any]) -> list[str]:
    mirror = "averaged with its mirror image" if model["flip"] else "without its mirror image"
    return [f"{model['file']}: {', '.join(model['emotions'])}; each image {mirror}"]


def _describe_data(data: Mapping[str, Any]) -> list[str]:
    split = "all images" if data["split"] == ALL else f"the split {data['split']}"
    others = f", without {data['other_splits']:,} images of other splits" if data["other_splits"] else ""
    lines = [f"{data['name']} ({data['layout']}): {data['images']:,} images scored, of {split}{others}"]
    for key, reason in (("not_in_model", "the model lacks the emotion"), ("not_chosen", "left out by --emotions")):
        counts = data[key]
        if counts:
            listed = ", ".join(f"{count:,} {emotion}" for emotion, count in counts.items())
            lines.append(f"not scored: {sum(counts.values()):,} images, {reason}: {listed}")
    if data["unreadable"]:
        lines.append(f"not scored: {data['unreadable']:,} images that cannot be read")
        named = list(data["unreadable_images"].items())[:NAMED]
        lines += [f"  {name}: {reason}" for name, reason in named]
        lines += ["  ... (--json has all of them)"] if data["unreadable"] > NAMED else []
    return lines


def _describe_faces(faces: Mapping[str, int], detector: str) -> list[str]:
    if detector == WHOLE:
        return ["faces: none searched, each image is one face"]
    small = f"; {faces['not_searched']:,} small images are one face each" if faces["not_searched"] else ""
    if not faces["searched"]:
        return [f"faces: none searched{small}"]
    share = percent(faces["found"] / faces["searched"])
    missing = f", the whole image taken in {faces['not_found']:,}" if faces["not_found"] else ""
    return [f"faces: found in {faces['found']:,} of {faces['searched']:,} images ({share}){missing}{small}"]


def _tabulate_scores(all_images: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    head = ("", f"all, {all_images['images']:,} images", f"with a face, {found['images']:,}")
    rows = [(title, figure_text(all_images, name), figure_text(found, name)) for title, name in SCORES]
    return _align([head, *rows])


def _tabulate_emotions(all_images: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    head = ("emotion", "images", "recall", "precision", "F1", "recall with a face")
    rows = [
        (
            emotion,
            f"{scores['support']:,}",
            figure_text(scores, "recall"),
            number(scores["precision"]),
            number(scores["f1"]),
            number(found.get(emotion, {}).get("recall")),
        )
        for emotion, scores in all_images.items()
    ]
    return _align([head, *rows])


def _describe_groups(groups: Mapping[str, Any]) -> list[str]:
    """Return a table for each column, and its largest gap. A group of few images has their number alone."""
    lines = []
    for name, column in groups.items():
        rows = [
            (
                value,
                f"{row['images']:,}",
                *(figure_text(row, key) if key in row else TOO_FEW for _, key in GROUP_SCORES),
            )
            for value, row in column["values"].items()
        ]
        gap = column["largest_gap"]
        lines += _align([(name, "images", *(title for title, _ in GROUP_SCORES)), *rows])
        lines += [] if gap is None else [f"largest gap of accuracy: {gap_text(gap)}"]
        lines.append("")
    return lines


def _describe_intervals(intervals: Mapping[str, Any], scores: Mapping[str, Any]) -> list[str]:
    units = "groups" if intervals["bootstrap_by"] == "group" else "images"
    few = " So few make them too narrow." if scores[units] < FEW_UNITS else ""
    drawn = f"{intervals['bootstrap']:,} bootstrap samples of {scores[units]:,} {units}"
    return [f"In brackets: 95 % intervals from {drawn}.{few}"]


def _align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows with columns of one width, the first on the left and the others on the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    signs = ("<", *(">" for _ in widths[1:]))
    return [
        "  ".join(f"{cell:{sign}{width}}" for cell, sign, width in zip(row, signs, widths, strict=True)) for row in rows
    ]
