"""`emotion check`: what lies in the source folder, which reader takes it, and the faults that would stop a run."""

import argparse
import json
import sys

from emotion.core.errors import InputError, without_controls

DESCRIPTION = """\
Look at the images that params.yaml names, before the pipeline runs. Print what
lies in source.folder, which reader takes it, and the labels, splits and groups
that it would read. Nothing is changed, and hardly an image is opened.

Faults that would stop DVC or the pipeline are named with the way out. These
are names that are not UTF-8, broken links, pipes, missing permissions, unknown
layouts and labels, and values of params.yaml that are not allowed."""

DETAILS = """\
examples:
  emotion check          show what would be read
  emotion check --quiet  print faults and warnings only, as make repro does
  emotion check --json   print JSON

exit status:
  0  the pipeline can read this source
  1  there are faults; the message names them"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `emotion`."""
    parser = commands.add_parser(
        "check",
        help="show what the pipeline would read, and the faults in it",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--quiet", action="store_true", help="print faults and warnings only")
    output.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the report; raise InputError with all faults where there are some."""
    from emotion.app.check.report import to_json, to_text
    from emotion.app.check.source_check import check_source
    from emotion.ingest.sources.trees import escape

    report = check_source()
    if not arguments.quiet:
        text = json.dumps(to_json(report), indent=2, ensure_ascii=False) if arguments.json else to_text(report)
        print(without_controls(escape(text)))
    print("".join(f"{without_controls(warning)}\n" for warning in report.warnings), end="", file=sys.stderr)
    if report.faults:
        faults = "\n  ".join(fault.describe() for fault in report.faults)
        raise InputError(f"the pipeline cannot run on {report.folder}:\n  {faults}")
