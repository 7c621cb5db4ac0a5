"""`emotion sweep`: queued experiments on the machines of a cluster."""

import argparse
import sys
from pathlib import Path

from emotion.app.arguments import add_cluster_argument
from emotion.app.termination import interrupted_by_termination
from emotion.core.errors import InputError
from emotion.parallel.address import SCHEDULER, scheduler_address, use_cluster

SOME_FAILED, ALL_FAILED = 3, 1
"""Exit statuses: some experiments, or all of them, did not end well."""

DESCRIPTION = """\
Run the experiments of DVC's queue on the workers of a Dask cluster, one at a
time on each. A worker clones the git remote, runs dvc exp run and dvc exp
push, and removes the clone. This command brings the results here, and takes
them out of the queue.

All machines need the same code and packages, the git remote, and DVC remotes
that are servers or folders that all mount. Workers use their own passwords."""

DETAILS = """\
examples:
  emotion sweep --cluster tcp://host:8786   run all queued experiments
  emotion sweep --no-files                  leave models in the DVC remote

An experiment that fails is tried once more, if possible on another worker.
If it fails again it stays in the queue, with the end of its log shown here.

exit status:
  0    all experiments ended well
  1    none did, or an input cannot be used
  2    the command line is wrong
  3    some did
  130  Ctrl-C ended the command; experiments that had ended are here"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `emotion`."""
    parser = commands.add_parser(
        "sweep",
        help="run queued experiments on the machines of a cluster",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_cluster_argument(parser)
    parser.add_argument(
        "--git-remote",
        default="origin",
        metavar="NAME",
        help="git remote that all machines reach (default: %(default)s)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="folder that has, on each worker, the files that were queued with -C, under the same names "
        "(default: the path of this repository)",
    )
    parser.add_argument(
        "--no-files", action="store_true", help="fetch params and figures only; dvc exp pull fetches the rest"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the queued experiments; exit with SOME_FAILED or ALL_FAILED where some or all failed."""
    use_cluster(arguments.cluster)
    address = scheduler_address()
    if address is None:
        raise InputError(
            f"no cluster is named; name one with --cluster or {SCHEDULER}. `dvc queue start` runs queued experiments "
            "on this machine"
        )
    from emotion.app.sweep.runner import run_queue

    with interrupted_by_termination():
        ended, total = run_queue(address, arguments.git_remote, arguments.data, files=not arguments.no_files)
    if ended < total:
        sys.exit(SOME_FAILED if ended else ALL_FAILED)
