"""A command on the results of the pipeline that is killed, or cannot write, leaves no half file and all of before."""

import errno
import shutil
import subprocess
import sys

import pytest

from tests.app.killing import FEW, MANY, SETTINGS, check_kills
from tests.app.writing import read_files

pytestmark = pytest.mark.pipeline

COMMANDS = {
    "release": ("release tiny", ["dvc.yaml"], None),
    "labels audit": ("labels audit --folds 2 --epochs 1", [], "data/audit/folds/"),
}
"""Their arguments, the files of before that they change, and the folder of what they need to go on."""


@pytest.mark.parametrize("kills", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_kill_leaves_all_files_whole(finished, tmp_path, command, kills):
    arguments, changes, work = COMMANDS[command]
    check_kills(
        arguments,
        lambda folder: shutil.copytree(finished.path, folder, symlinks=True),
        tmp_path,
        kills,
        changes=changes,
        work=work,
        environment=finished.environment,
    )


FAILING = """
import functools, sys, tempfile
number = int(sys.argv.pop())
def fail(make, *arguments, dir=None, **options):
    if dir is None:
        return make(*arguments, **options)
    raise OSError(number, "no room", str(dir))
for name in "mkstemp", "mkdtemp":
    setattr(tempfile, name, functools.partial(fail, getattr(tempfile, name)))
from emotion.app.cli import main
main()
"""
"""Runs a command that cannot write beside its outputs. The number of the error is the last argument."""


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_write_that_fails_is_said_and_changes_nothing(finished, tmp_path, command, number):
    folder = tmp_path / "main"
    shutil.copytree(finished.path, folder, symlinks=True)
    before = read_files(folder)
    done = subprocess.run(
        [sys.executable, "-c", FAILING, *COMMANDS[command][0].split(), str(number)],
        cwd=folder,
        env=finished.environment | SETTINGS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr
    assert read_files(folder) == before
