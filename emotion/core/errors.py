"""The exception for mistakes that the user can correct, and the exit status of a command on an error."""

import errno
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path


class InputError(ValueError):
    """A user's input cannot be used.

    The message states the input, what was expected and how to correct it. It is shown without a traceback.
    """


def without_controls(text: str) -> str:
    r"""Return `text` with signs of control other than the end of a line as escapes such as `\x1b`.

    Names of files and labels may hold them, and a terminal would obey them.
    """
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda sign: f"\\x{ord(sign[0]):02x}", text)


def in_one_line(name: str) -> str:
    r"""Return the name of a file or a label without signs of control, of which the end of a line is one: `\n`."""
    return without_controls(name).replace("\n", "\\n").replace("\t", "\\t")


def first_line(error: object) -> str:
    """Return the first line of what an error says, or the name of its type where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def run_command(command: Callable[[], None]) -> None:
    """Run a stage or command; end it without a traceback where the user can correct the error.

    On an InputError, a full disk or a file that cannot be used, the message goes to standard error and the exit status
    is 1. On an interruption from the keyboard the status is 130, as shells expect.
    """
    try:
        command()
    except InputError as error:
        sys.exit(f"error: {without_controls(str(error))}")
    except OSError as error:
        if is_disk_full(error):
            sys.exit(
                f"error: the disk is full ({error}); earlier files are unchanged. Free some space and run the command "
                "again. `dvc gc -w` removes files from DVC's cache that this working tree does not use"
            )
        if error.filename is None:
            raise
        sys.exit(
            f"error: {without_controls(os.fsdecode(error.filename))} cannot be read or written: {error.strerror}. "
            "Correct its name or its permissions, or name another file"
        )
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def check_regular(path: Path, remedy: str) -> None:
    """Raise InputError where `path` is a pipe or a device, from which a reader may wait or read for ever.

    Args:
        path: a file, which may be missing.
        remedy: advice for the user, which ends the message.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise InputError(f"{path} is a pipe or a device, expected a file; {remedy}")


def is_disk_full(error: OSError) -> bool:
    """Return whether writing failed because the disk, or the user's quota, is full."""
    # HDF5 raises OSError without `errno`; the number is in the message only.
    return error.errno in (errno.ENOSPC, errno.EDQUOT) or f"errno = {errno.ENOSPC}" in str(error)
