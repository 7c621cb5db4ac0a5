"""The report of `emotion check` as text and as JSON."""

from collections.abc import Iterable
from typing import Any

from emotion.app.check.folder_faults import FolderContent
from emotion.app.check.plan import Plan
from emotion.app.check.source_check import Report
from emotion.ingest.label_counts import describe_labels
from emotion.ingest.statistics import describe_skipped

SUFFIXES = 6
"""Suffixes that the text lists of a kind."""


def to_text(report: Report) -> str:
    """Return the report for the terminal, without warnings and faults."""
    blocks = [f"source.folder: {report.folder}"]
    if report.note:
        blocks.append(report.note)
    if report.content:
        blocks.append("\n".join(_list_files(report.content)))
    if report.plan:
        blocks += [
            "\n".join(_list_plan(report.plan)),
            "\n".join(describe_labels(report.plan.labels, report.plan.scheme)),
        ]
    return "\n\n".join(blocks)


def _list_files(content: FolderContent) -> list[str]:
    rows = []
    for kind, amount in content.amounts.items():
        suffixes = sorted(amount.suffixes)
        more = f" and {len(suffixes) - SUFFIXES} more" if len(suffixes) > SUFFIXES else ""
        size = f"{amount.size / 1e6:,.1f} MB" if amount.size >= 1e5 else f"{amount.size / 1e3:,.1f} kB"
        rows.append((kind, f"{amount.files:,}", size if amount.suffixes else "", ", ".join(suffixes[:SUFFIXES]) + more))
    return _align(rows, right=(1, 2)) or ["no files"]


def _list_plan(plan: Plan) -> list[str]:
    images = "known after reading" if plan.images is None else f"{plan.images:,}"
    seen = f" (of the first {plan.seen:,} rows)" if plan.images is None else ""
    splits = ", ".join(f"{count:,} {split}" for split, count in plan.splits.items() if split != "none")
    without = plan.splits.get("none", 0)
    rows = [
        ("reader", plan.layout),
        ("source", plan.name),
        ("images", images),
        ("splits", f"{splits or 'none in the source'}{seen if splits else ''}"),
    ]
    if without:
        rows.append(("", f"{without:,} images without one; split.validation and split.test apply"))
    held = [split for split in plan.splits if split in ("val", "test")]
    if plan.images is not None and len(held) == 1:
        renamed = "val becomes the test split; " if held == ["val"] else ""
        rows.append(("", f"{renamed}validation is taken from training, by split.validation"))
    groups = f"{plan.groups:,} persons or sequences, from {plan.grouped_by}{seen}" if plan.groups else "none"
    rows.append(("groups", groups))
    if plan.columns:
        rows.append(("columns", ", ".join(plan.columns)))
    if plan.skipped:
        rows.append(("not read", describe_skipped(plan.skipped)))
    if seen:
        rows.append(("labels", f"those of the first {plan.seen:,} rows; the rest was not read"))
    return _align(rows)


def _align(rows: Iterable[tuple[str, ...]], right: tuple[int, ...] = ()) -> list[str]:
    """Return a line for each row, with columns of equal width. Those in `right` end at the same place."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            f"{cell:>{width}}" if column in right else f"{cell:{width}}"
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def to_json(report: Report) -> dict[str, Any]:
    """Return the report with plain values."""
    content, plan = report.content, report.plan
    return {
        "folder": report.folder,
        "note": report.note,
        "files": {
            kind: {"files": amount.files, "bytes": amount.size, "suffixes": sorted(amount.suffixes)}
            for kind, amount in (content.amounts.items() if content else ())
        },
        "source": None
        if plan is None
        else {
            "name": plan.name,
            "layout": plan.layout,
            "images": plan.images,
            "seen": plan.seen,
            "splits": plan.splits,
            "labels": plan.labels,
            "groups": plan.groups,
            "grouped_by": plan.grouped_by,
            "columns": list(plan.columns),
            "skipped": dict(plan.skipped),
        },
        "warnings": report.warnings,
        "faults": [
            {"message": fault.message, "names": list(fault.names), "remedy": fault.remedy} for fault in report.faults
        ],
    }
