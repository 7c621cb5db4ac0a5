"""`emotion labels`: its two commands, audit and apply, and their arguments."""

import argparse
from pathlib import Path

from emotion.app.arguments import positive_int

DESCRIPTION = """\
Find labels that are likely wrong, look at them in the browser, and decide.
Decisions become an input of the pipeline, so that dvc repro trains on what
people decided."""

DETAILS = """\
examples:
  emotion labels audit                            find suspects, write a page
  emotion labels apply ~/Downloads/decisions.csv  take the decisions in

Between the two, open data/audit/suspects.html in a browser, decide by keys, and
save the decisions. After the second, run dvc repro.

The help of each command says more: emotion labels audit --help"""

AUDIT = """\
Find labels that are likely wrong, by confident learning with cleanlab.

Networks are trained by cross-validation: each reads the images of a fold that
it did not train on. Persons, sequences and copies stay in one fold. The
training and validation splits are audited. The test split is not: without the
labels that models doubt, it would give models too good figures.

Images on which a person has decided (labels.decisions) are left out."""

AUDIT_DETAILS = """\
files:
  data/audit/suspects.csv   the suspects, the most suspect first
  data/audit/suspects.html  a page to decide on them, which needs no network
  Both show or name images. Git ignores the folder.

recipe:
  The networks are those of params.yaml, or with --preset those of a preset,
  in few epochs. They start at random weights and imitate no teacher.
  An audit of FER2013 with --preset fer2013-quick takes about 20 minutes on two
  cores. One that was interrupted goes on where it was.

exit status:
  0    the files are written
  1    the table or the arrays cannot be used; the message says why
  2    the command line is wrong

examples:
  emotion labels audit
  emotion labels audit --preset fer2013-quick --folds 3 --epochs 8
  emotion labels audit --page 100"""

APPLY = """\
Copy the decisions of a file to data/labels, and name them in labels.decisions
of params.yaml. Where the file there has decisions already, the new ones are
added. Of two decisions on one image the new one counts.

Then dvc repro makes the table, the arrays and the model of the decided labels."""

APPLY_DETAILS = """\
examples:
  emotion labels apply ~/Downloads/decisions.csv
  emotion labels apply ~/Downloads/decisions.csv --name fer2013.csv"""

FEWEST_FOLDS, MOST_FOLDS = 2, 20
FOLDS, PAGE = 3, 500


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `emotion`."""
    parser = commands.add_parser(
        "labels",
        help="find suspect labels, and take people's decisions on them",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parts = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    _add_audit(parts)
    _add_apply(parts)


def _add_audit(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "audit",
        help="find labels that are likely wrong",
        description=AUDIT,
        epilog=AUDIT_DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--preset", metavar="NAME", help="preset whose network and training to use")
    parser.add_argument(
        "--folds",
        type=_folds,
        default=FOLDS,
        metavar="N",
        help="number of folds and networks (default: %(default)s)",
    )
    parser.add_argument(
        "--epochs", type=positive_int, metavar="N", help="epochs of each network (default: the recipe's, at most 10)"
    )
    parser.add_argument(
        "--page",
        type=positive_int,
        default=PAGE,
        metavar="N",
        help="most suspects on the page (default: %(default)s)",
    )
    parser.set_defaults(run=run_audit)


def _add_apply(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "apply",
        help="take decisions into the pipeline",
        description=APPLY,
        epilog=APPLY_DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="file of decisions that the page saved")
    parser.add_argument(
        "--name",
        type=_file_name,
        metavar="NAME",
        help="name in data/labels (default: that of labels.decisions, or decisions.csv)",
    )
    parser.set_defaults(run=run_apply)


def _file_name(text: str) -> str:
    from emotion.core.params import is_table_name  # pydantic takes its time

    if is_table_name(text):
        return text
    raise argparse.ArgumentTypeError(f"got {text!r}, expected the name of a file without a folder, such as mine.csv")


def _folds(text: str) -> int:
    if text.isdecimal() and FEWEST_FOLDS <= int(text) <= MOST_FOLDS:
        return int(text)
    raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number from {FEWEST_FOLDS} to {MOST_FOLDS}")


def run_audit(arguments: argparse.Namespace) -> None:
    """Audit the labels; raise InputError where the pipeline's files cannot be used."""
    from emotion.app.labels.audit import audit_labels

    audit_labels(arguments.preset, arguments.folds, arguments.epochs, arguments.page)


def run_apply(arguments: argparse.Namespace) -> None:
    """Take a file of decisions; raise InputError where it holds something else."""
    from emotion.app.labels.apply import apply_decisions

    apply_decisions(arguments.file, arguments.name)
