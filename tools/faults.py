"""Put hand-made faults into a copy of the project, one at a time, and run the tests that should catch each.

`python -m tools.faults` prints a line for each fault of `tools.fault_list` and ends with status 1 where one was not
caught. `--only NAME` tries one fault. `--tree FOLDER` tries the tests of another working tree, such as an earlier
commit. Slow tests do not count, since `make test` leaves them out.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, STDOUT

from emotion.core.errors import InputError, run_command
from tools.fault_list import FAULTS, Fault

PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", "-m", "not slow")
PASSED, FAILED = 0, 1
"""Exit statuses of pytest. With another one it could not run the tests."""


def main() -> None:
    """Try the faults that the command line names; all by default."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", metavar="NAME", action="append", help="try this fault; may be given several times")
    parser.add_argument("--tree", type=Path, default=Path(), metavar="FOLDER", help="the working tree (this one)")
    options = parser.parse_args()
    run_command(lambda: check_faults(choose_faults(options.only), options.tree))


def choose_faults(names: Sequence[str] | None) -> list[Fault]:
    """Return the faults with these names; all where `names` is None.

    Raises:
        InputError: there is no fault of such a name.
    """
    known = [fault.name for fault in FAULTS]
    for name in names or ():
        if name not in known:
            raise InputError(f"--only: got {name!r}, expected one of {', '.join(known)}")
    return [fault for fault in FAULTS if names is None or fault.name in names]


def check_faults(faults: Sequence[Fault], tree: Path) -> None:
    """Try each fault in a copy of `tree`, and print whether the tests caught it.

    Raises:
        InputError: a fault does not fit the code, the tests fail without any fault, or a fault was not caught.
    """
    with copied(tree) as copy:
        for fault in faults:
            plant(copy, fault)
        if not pass_tests(copy, {test: None for fault in faults for test in fault.tests}):
            raise InputError(f"the tests fail in {tree.resolve()} without any fault; mend that first")
        missed = [fault.name for fault in faults if not is_caught(copy, fault)]
    print(f"{len(faults) - len(missed)} of {len(faults)} faults were caught")
    if missed:
        raise InputError(f"no test caught {', '.join(missed)}; write a test that fails with each of these faults")


@contextmanager
def copied(tree: Path) -> Iterator[Path]:
    """Return a context with a temporary copy of the files that git tracks or would track in `tree`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True).stdout.split("\0")
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        for name in filter(None, names):
            target = Path(folder) / name
            if (tree / name).exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(tree / name, target)
        yield Path(folder)


def plant(copy: Path, fault: Fault) -> str:
    """Return the text of the fault's file with the fault in it.

    Raises:
        InputError: the file is missing, or holds the old text not exactly once.
    """
    path = copy / fault.path
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if (found := text.count(fault.old)) != 1:
        raise InputError(
            f"the fault {fault.name}: {fault.path} holds {fault.old!r} {found} times, expected once; correct the fault "
            "in tools/fault_list.py"
        )
    return text.replace(fault.old, fault.new)


def is_caught(copy: Path, fault: Fault) -> bool:
    """Return whether a test fails with the fault, and print a line about it."""
    path, faulty = copy / fault.path, plant(copy, fault)
    whole = path.read_text(encoding="utf-8")
    started = time.monotonic()
    path.write_text(faulty, encoding="utf-8")
    try:
        caught = not pass_tests(copy, fault.tests)
    finally:
        path.write_text(whole, encoding="utf-8")
    print(f"{fault.name:40} {'caught' if caught else 'NOT CAUGHT':10} {time.monotonic() - started:5.0f} s", flush=True)
    return caught


def pass_tests(copy: Path, tests: Iterable[str]) -> bool:
    """Return whether these test files pass in the copy of the project.

    Raises:
        InputError: pytest could not run them.
    """
    # Python would take a compiled file for current when its source changes within a second and keeps its length.
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run([*PYTEST, *tests], cwd=copy, env=environment, stdout=PIPE, stderr=STDOUT, text=True)
    if result.returncode not in (PASSED, FAILED):
        raise InputError(
            f"pytest ended with status {result.returncode}, expected {PASSED} or {FAILED}; mend the tests, or "
            f"their names in tools/fault_list.py:\n{result.stdout[-2000:]}"
        )
    return result.returncode == PASSED


if __name__ == "__main__":
    main()
