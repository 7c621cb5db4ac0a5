"""The exception for a mistake that the user can correct, and how a command ends on an error."""

import errno
import sys
from collections.abc import Callable


class InputError(ValueError):
    """A user's input cannot be used.

    The message has the input, what was expected and how to correct it; it is shown without a traceback.
    """


def run_command(command: Callable[[], None]) -> None:
    """Run a stage or command; end it without a traceback where the user can correct the error.

    An InputError or a full disk writes its message to standard error and ends with the exit status 1. An interruption
    from the keyboard ends with 130, as shells expect.
    """
    try:
        command()
    except InputError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        if not is_disk_full(error):
            raise
        sys.exit(
            f"error: the disk is full ({error}); what was there before is as it was. Make room (`dvc gc -w` removes "
            "what no longer belongs to this working tree from DVC's cache), then run the command again"
        )
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def is_disk_full(error: OSError) -> bool:
    """Return whether writing failed because the disk, or the user's quota, is full."""
    # HDF5 raises OSError without the number, which is in its text only.
    return error.errno in (errno.ENOSPC, errno.EDQUOT) or f"errno = {errno.ENOSPC}" in str(error)
