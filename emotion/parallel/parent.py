"""The end of a process with the one that started it."""

import ctypes
import os
import signal
import sys

SET_SIGNAL_OF_PARENTS_END = 1
"""PR_SET_PDEATHSIG of prctl(2): the signal that a process gets when the thread that started it ends."""


def end_with_parent(parent: int) -> None:
    """Let this process end at Ctrl-C without a traceback, and on Linux with its parent, also where that is killed."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(SET_SIGNAL_OF_PARENTS_END, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the call
        os._exit(1)
