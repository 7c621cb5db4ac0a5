"""Every command that writes says why it cannot: a full disk, a read-only one, no permission. All files stay."""

import errno
import os
import re
import tempfile

import pytest

from tests.app.writing import COMMANDS, NEED_KERAS, fill, read_files


@pytest.fixture
def filled(here, clip, model, talk):
    fill(here, clip, model, talk)
    return here


@pytest.mark.medium
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in NEED_KERAS])
def test_a_write_that_fails_is_said_and_changes_nothing(command, number, filled, run_emotion, monkeypatch):
    check(COMMANDS[command], number, filled, run_emotion, monkeypatch)


@pytest.mark.tf
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("command", NEED_KERAS)
def test_a_write_by_keras_that_fails_is_said_too(command, number, here, run_emotion, monkeypatch, keras_model):
    fill(here, keras_model)
    check(COMMANDS[command], number, here, run_emotion, monkeypatch)


def check(command, number, folder, run_emotion, monkeypatch):
    def fail(*_, dir=None, **__):
        raise OSError(number, os.strerror(number), str(dir))

    before = read_files(folder)
    monkeypatch.setattr(tempfile, "mkstemp", fail)
    status, _, err = run_emotion(*command.split())
    said = "the disk is full" if number == errno.ENOSPC else os.strerror(number)
    assert re.match(f"error: .*{re.escape(said)}", str(status)), (status, err)
    assert read_files(folder) == before
