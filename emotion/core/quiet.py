"""Suppression of messages that native code and converters write to the terminal."""

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
    """Suppress output of the block to standard error; with `stdout`, also to standard output.

    The output is shown where the block fails with another error than InputError, whose message is enough.

    Some libraries write before they read their settings, and native code does not use Python's `sys.stderr`. So the
    file descriptors of the whole process are redirected, which affects all its threads.
    """
    with ExitStack() as stack:
        if stdout:
            stack.enter_context(_suppressed(STDOUT))
            stack.enter_context(redirect_stdout(io.StringIO()))
        stack.enter_context(_suppressed(STDERR))
        yield


@contextmanager
def _suppressed(descriptor: int) -> Iterator[None]:
    _flush()
    try:
        terminal = os.dup(descriptor)
    except OSError:  # the process has no such stream
        yield
        return
    with tempfile.TemporaryFile() as output:
        os.dup2(output.fileno(), descriptor)
        try:
            yield
        except InputError:
            raise
        except BaseException:
            _flush()
            output.seek(0)
            os.write(terminal, output.read())
            raise
        finally:
            _flush()
            os.dup2(terminal, descriptor)
            os.close(terminal)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):  # the stream may be missing or closed
            stream.flush()
