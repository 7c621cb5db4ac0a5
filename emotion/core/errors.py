"""The one exception for what a user can mend, and how a command ends on it."""

import errno
import sys
from collections.abc import Callable


class InputError(ValueError):
    """A user's input cannot be used.

    The message says what came, what was expected and how to mend it; it is shown without a traceback.
    """


def run_command(command: Callable[[], None]) -> None:
    """Run a stage or command; end it without a traceback on what a user did.

    An InputError or a full disk goes to standard error and gives the exit status 1; an interruption from the keyboard
    gives 130, as shells have it.
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
    """Return whether writing failed for want of room on the disk, or in the user's quota."""
    # HDF5 raises OSError without the number, and names it in the text.
    return error.errno in (errno.ENOSPC, errno.EDQUOT) or f"errno = {errno.ENOSPC}" in str(error)
