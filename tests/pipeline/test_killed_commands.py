"""A command on the results of the pipeline that is killed leaves no half of what it writes, and all of before."""

import shutil

import pytest

from tests.app.killing import FEW, MANY, check_kills

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
