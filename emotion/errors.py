"""The one exception for what a user can mend, and how a command ends on it."""

import sys
from collections.abc import Callable


class InputError(ValueError):
    """A user's input cannot be used.

    The message says what came, what was expected and how to mend it; it is shown without a traceback.
    """


def run_command(command: Callable[[], None]) -> None:
    """Run a stage or command; end it without a traceback on what a user did.

    An InputError goes to standard error and gives the exit status 1; an interruption from the keyboard gives 130,
    as shells have it.
    """
    try:
        command()
    except InputError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
