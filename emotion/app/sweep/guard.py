"""Have nothing outlive the process that asks for it: a command that it runs, or a folder.

    python guard.py run COMMAND...
    python guard.py remove FOLDER

The process that asks holds the standard input open. It closes the input at the end or to cancel. A kill closes it too.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from threading import Event, Thread

REMOVALS = 100
"""Tries to remove the folder. Processes that were killed may write there for a moment."""


def main() -> None:
    """Do what the arguments say."""
    task, *arguments = sys.argv[1:]
    if task == "run":
        run(arguments)
    else:
        remove(*arguments)


def run(command: list[str]) -> None:
    """Run a command and exit with its status; end it with all that it started where the input closes before."""
    process, canceled = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True), Event()
    waiting = Thread(target=_wait, args=(process, canceled))
    waiting.start()
    _wait_for_close()
    canceled.set()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    waiting.join()
    sys.exit(1)


def _wait(process: "subprocess.Popen[bytes]", canceled: Event) -> None:
    """End this process with the status of the command, unless that was canceled."""
    status = process.wait()
    if not canceled.is_set():
        os._exit(status if status >= 0 else 1)


def remove(folder: str) -> None:
    """Remove a folder once the input closes."""
    _wait_for_close()
    for _ in range(REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):  # noqa: PTH110
            return
        time.sleep(0.1)


def _wait_for_close() -> None:
    os.read(0, 1)


if __name__ == "__main__":
    main()
