"""The one exception for what a user can mend, and how a command ends on it."""

import sys
from collections.abc import Callable


class InputError(ValueError):
    """A user's input cannot be used.

    The message says what came, what was expected and how to mend it; it is shown without a traceback.
    """


def run_command(command: Callable[[], None]) -> None:
    """Run a stage or command; on InputError print its message to standard error and exit with status 1."""
    try:
        command()
    except InputError as error:
        sys.exit(f"error: {error}")
