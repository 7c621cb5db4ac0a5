"""Keeping from the terminal what native code and converters say of themselves."""

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress

from emotion.core.errors import InputError

STDOUT, STDERR = 1, 2


@contextmanager
def quiet(*, stdout: bool = False) -> Iterator[None]:
    """Hold back what the block writes to standard error, with `stdout` also to standard output.

    What was held back is shown where the block fails, unless with an InputError, which says what is wrong itself.
    Libraries write there before any setting of theirs is read, and native code past Python's `sys.stderr`; so the
    file descriptors of the process are turned aside, those of its other threads among them.
    """
    with ExitStack() as stack:
        if stdout:
            stack.enter_context(_held_back(STDOUT))
            stack.enter_context(redirect_stdout(io.StringIO()))
        stack.enter_context(_held_back(STDERR))
        yield


@contextmanager
def _held_back(descriptor: int) -> Iterator[None]:
    _flush()
    try:
        terminal = os.dup(descriptor)
    except OSError:  # a process without that stream has nothing to hold back
        yield
        return
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), descriptor)
        try:
            yield
        except InputError:
            raise
        except BaseException:
            _flush()
            held_back.seek(0)
            os.write(terminal, held_back.read())
            raise
        finally:
            _flush()
            os.dup2(terminal, descriptor)
            os.close(terminal)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):  # there may be none, or it is closed
            stream.flush()
