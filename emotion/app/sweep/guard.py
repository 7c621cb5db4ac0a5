"""Run a command; end it, with all that it started, and remove a folder, where the process that asked for it ends.

    python guard.py FOLDER COMMAND...

The process that asks holds the standard input open. It closes the input to cancel the command. A kill closes it too.
"""

import os
import shutil
import signal
import subprocess
import sys
from threading import Thread


def main() -> None:
    """Run the command of the arguments, and exit with its status."""
    folder, *command = sys.argv[1:]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    Thread(target=_end_with_parent, args=(process.pid, folder), daemon=True).start()
    sys.exit(process.wait())


def _end_with_parent(group: int, folder: str) -> None:
    os.read(0, 1)
    os.killpg(group, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    main()
