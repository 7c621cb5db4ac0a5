"""A user's mistake ends a command with a message, and a mistake of ours with a traceback."""

import errno
import os

import pytest

from emotion.core.errors import InputError, in_one_line, run_command


def raising(error):
    def command():
        raise error

    return command


def test_an_input_error_is_the_last_word():
    with pytest.raises(SystemExit) as end:
        run_command(raising(InputError("got 3, expected 4")))
    assert end.value.code == "error: got 3, expected 4"


def test_an_interruption_ends_as_shells_expect(capsys):
    with pytest.raises(SystemExit) as end:
        run_command(raising(KeyboardInterrupt()))
    assert end.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_other_errors_keep_their_traceback():
    with pytest.raises(ValueError, match="ours"):
        run_command(raising(ValueError("ours")))


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError("Can't write data (file write failed: errno = 28, error message = 'No space left on device')"),
    ],
)
def test_a_full_disk_is_said_and_what_to_do(error):
    with pytest.raises(SystemExit, match=r"error: the disk is full .*unchanged.*`dvc gc -w`"):
        run_command(raising(error))


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENAMETOOLONG, errno.EROFS, errno.EIO, errno.EMFILE])
def test_errors_of_files_name_the_file_and_the_reason(number):
    with pytest.raises(SystemExit, match=rf"^error: a/b\.csv cannot be read or written: {os.strerror(number)}\. "):
        run_command(raising(OSError(number, os.strerror(number), "a/b.csv")))


def test_errors_of_other_kinds_than_files_keep_their_traceback():
    for error in (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), BrokenPipeError(), OSError("odd")):
        with pytest.raises(type(error)):
            run_command(raising(error))


def test_a_name_stays_in_one_line():
    assert in_one_line("a\n\tb\x1b[2J\r\x9c ü.png") == "a\\n\\tb\\x1b[2J\\x0d\\x9c ü.png"


def test_signs_of_control_do_not_reach_the_terminal():
    def fail():
        raise InputError("\x1b[2J\x07a.png\r: broken\n  \tü")

    with pytest.raises(SystemExit) as exit_:
        run_command(fail)
    assert str(exit_.value) == "error: \\x1b[2J\\x07a.png\\x0d: broken\n  \tü"
