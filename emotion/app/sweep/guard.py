"""Run a command; end it, with all that it started, and remove a folder, where the process that asked for it ends.

    python guard.py FOLDER COMMAND...

The process that asks holds the standard input open. It closes the input to cancel the command. A kill closes it too.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from threading import Event, Thread

REMOVALS = 50
"""Tries to remove the folder. Processes that were killed may write there for a moment."""


def main() -> None:
    """Run the command of the arguments, and exit with its status."""
    folder, *command = sys.argv[1:]
    process, canceled = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True), Event()
    waiting = Thread(target=_wait, args=(process, canceled))
    waiting.start()
    os.read(0, 1)
    canceled.set()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    waiting.join()
    _remove(folder)
    sys.exit(1)


def _wait(process: "subprocess.Popen[bytes]", canceled: Event) -> None:
    """End this process with the status of the command, unless that was canceled."""
    status = process.wait()
    if not canceled.is_set():
        os._exit(status if status >= 0 else 1)


def _remove(folder: str) -> None:
    for _ in range(REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):  # noqa: PTH110
            return
        time.sleep(0.1)


if __name__ == "__main__":
    main()
