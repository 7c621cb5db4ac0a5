"""`emotion metrics`: every figure of the pipeline, also between two revisions."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.core.errors import InputError

if TYPE_CHECKING:  # at run time it would load numpy
    from emotion.app.metrics.revisions import Metrics

DESCRIPTION = """\
Show every figure that the pipeline wrote: overall with intervals, by class,
by exported file, of the training and of the data set. dvc metrics show and
dvc metrics diff show the five main figures.

With a revision, show how figures change from there to the files on disk. With
two, show how they change from the first to the second. A revision is a git
commit, branch or tag, an experiment of DVC, or workspace."""

DETAILS = """\
examples:
  emotion metrics                   show the figures on disk
  emotion metrics HEAD              show changes since the last commit
  emotion metrics main five-epochs  compare a branch and an experiment
  emotion metrics --only by-class   show one section"""

SECTION_NAMES = ("overall", "by-class", "by-group", "export", "training", "dataset")
"""The keys of SECTIONS, which the help needs before numpy is loaded."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `emotion`."""
    parser = commands.add_parser(
        "metrics",
        help="show every figure, also between two revisions",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("old", nargs="?", metavar="OLD", help="revision to compare with")
    parser.add_argument("new", nargs="?", metavar="NEW", help="revision to compare (default: workspace)")
    parser.add_argument(
        "--only",
        action="append",
        choices=SECTION_NAMES,
        metavar="SECTION",
        help=f"show one section: {', '.join(SECTION_NAMES)}; may be repeated",
    )
    parser.add_argument("--all", action="store_true", help="compare: also show figures that are the same")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print JSON")
    output.add_argument("--md", action="store_true", help="print tables in Markdown")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the figures or their changes; raise InputError where a revision or its metrics are missing."""
    from emotion.app.metrics import rendering
    from emotion.app.metrics.revisions import WORKSPACE, add_times, read_metrics
    from emotion.app.metrics.sections import choose_sections

    sections = choose_sections(arguments.only)
    new = read_metrics(arguments.new or WORKSPACE)
    if arguments.old is None:
        new = add_times(new)
        _report_missing([section.path for section in sections.values()], new)
        content = rendering.show_json(sections, new)
        grids = rendering.show_grids(sections.values(), new)
    else:
        old = read_metrics(arguments.old)
        _report_missing([section.path for section in sections.values()], old, new)
        content = rendering.diff_json(sections, old, new, unchanged=arguments.all)
        grids = rendering.diff_grids(sections.values(), old, new, unchanged=arguments.all)
    if arguments.json:
        print(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        print("\n".join(map(rendering.to_markdown if arguments.md else rendering.to_text, grids)), end="")


def _report_missing(paths: Sequence[Path], *revisions: "Metrics") -> None:
    """Print a line for each file that a revision lacks; raise InputError where all lack all of them."""
    lines = [line for metrics in revisions for line in metrics.describe_missing(paths)]
    if not any(path in metrics.files for metrics in revisions for path in paths):
        raise InputError("; ".join(lines))
    print("".join(f"{line}\n" for line in lines), end="", file=sys.stderr)
