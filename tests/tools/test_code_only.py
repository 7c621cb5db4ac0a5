"""tools.code_only: it commits the code that is the same, and refuses everything else."""

import json
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from emotion.core.errors import InputError
from tools import code_only
from tools.code_only import commit_code, commit_stages, list_other_changes

OLD = "0" * 32
NEW = "1" * 32
DATA = {"path": "data/table.csv", "hash": "md5", "md5": OLD, "size": 3}
LOCK: dict[str, Any] = {
    "schema": "2.0",
    "stages": {
        "train": {
            "cmd": "python -m stages.train",
            "deps": [DATA, {"path": "emotion/core", "hash": "md5", "md5": f"{OLD}.dir", "size": 5, "nfiles": 2}],
            "params": {"params.yaml": {"train": {"epochs": 2}}},
            "outs": [{"path": "models/trained.keras", "hash": "md5", "md5": OLD, "size": 7}],
        },
        "plot": {"cmd": "python -m stages.plot", "outs": [{"path": "metrics/plots", "md5": OLD}]},
    },
}
SUMS = {"emotion/core": f"{NEW}.dir"}


def committed() -> dict[str, Any]:
    """Return what dvc.lock should be afterwards."""
    lock = deepcopy(LOCK)
    lock["stages"]["train"]["deps"][1] |= {"md5": f"{NEW}.dir", "size": 6, "nfiles": 2}
    return lock


def write_lock(lock: dict[str, Any]) -> None:
    with Path("dvc.lock").open("w", encoding="utf-8") as stream:
        YAML().dump(lock, stream)


@pytest.fixture
def dvc_writes(here, monkeypatch):
    """A function that takes the lock that `dvc commit` will write; no DVC runs."""
    write_lock(LOCK)

    def set_lock(lock: dict[str, Any]) -> list[tuple[str, ...]]:
        calls: list[tuple[str, ...]] = []

        def run_dvc(*arguments: str) -> str:
            calls.append(arguments)
            write_lock(lock)
            return ""

        monkeypatch.setattr(code_only, "run_dvc", run_dvc)
        return calls

    return set_lock


def test_only_the_stages_whose_code_changed_are_committed(dvc_writes):
    calls = dvc_writes(committed())
    commit_stages(["train"], LOCK, SUMS)
    assert calls == [("commit", "--force", "train")]
    assert code_only.read_lock() == committed()


def changed(stage: str, key: str, index: int, change: dict[str, Any]) -> dict[str, Any]:
    lock = committed()
    lock["stages"][stage][key][index] |= change
    return lock


@pytest.mark.parametrize(
    "lock, named",
    [
        (changed("train", "outs", 0, {"md5": NEW}), "train"),
        (changed("train", "deps", 0, {"md5": NEW}), "train"),
        (changed("train", "deps", 1, {"md5": f"{'2' * 32}.dir"}), "emotion/core"),
        (changed("train", "deps", 1, {"path": "emotion/other"}), "emotion/core"),
        (changed("plot", "outs", 0, {"md5": NEW}), "plot"),
        (committed() | {"stages": committed()["stages"] | {"new": {"cmd": "true"}}}, "new"),
    ],
)
def test_the_lock_is_restored_where_anything_else_changes_in_it(dvc_writes, lock, named):
    before = Path("dvc.lock").read_bytes()
    dvc_writes(lock)
    with pytest.raises(InputError, match=rf"{named}.*dvc\.lock.*try again"):
        commit_stages(["train"], LOCK, SUMS)
    assert Path("dvc.lock").read_bytes() == before


def test_the_lock_is_restored_where_dvc_is_interrupted(dvc_writes, monkeypatch):
    before = Path("dvc.lock").read_bytes()

    def write_and_stop(*arguments: str) -> str:
        write_lock({})
        raise KeyboardInterrupt

    monkeypatch.setattr(code_only, "run_dvc", write_and_stop)
    with pytest.raises(KeyboardInterrupt):
        commit_stages(["train"], LOCK, SUMS)
    assert Path("dvc.lock").read_bytes() == before


@pytest.mark.parametrize(
    "entry, found",
    [
        ({"changed deps": {"params.yaml": {"train.epochs": "modified"}}}, r"params\.yaml.*train\.epochs.*dvc repro"),
        ({"changed deps": {"data/table.csv": "modified"}}, r"data/table\.csv.*modified.*dvc repro"),
        ({"changed deps": {"data/table.csv": "deleted"}}, r"data/table\.csv.*deleted.*dvc pull"),
        ({"changed deps": {"emotion/core": "deleted"}}, r"emotion/core.*deleted"),
        ({"changed deps": {"emotion/core": "new"}}, r"emotion/core.*new.*dvc repro"),
        ({"changed outs": {"models/trained.keras": "not in cache"}}, r"trained\.keras.*not in cache.*dvc pull"),
        ({"changed outs": {"emotion/made.py": "modified"}}, r"emotion/made\.py.*modified.*dvc repro"),
        ("changed command", r"changed command.*dvc repro"),
    ],
)
def test_changes_of_anything_but_code_are_named_with_a_remedy(entry, found):
    code = {"changed deps": {"emotion/core": "modified", "stages/train.py": "modified"}}
    (message,) = list_other_changes({"train": [code, entry]})
    assert message.startswith("train: ")
    with pytest.raises(InputError, match=found):
        code_only.refuse(iter([message]))
    assert list(list_other_changes({"train": [code]})) == []


def test_a_project_without_a_lock_is_refused(here):
    with pytest.raises(InputError, match=r"dvc\.lock.*dvc repro"):
        commit_code()


CORE = '"""Sums."""\n\nSTEP = 2\n'
FILES = {
    "emotion/core/sums.py": CORE,
    "emotion/core/names.py": "",
    "stages/double.py": "from emotion.core.sums import STEP\n\nprint(STEP)\n",
    "params.yaml": "double:\n  seed: 1\n",
    ".gitignore": "__pycache__\nout.txt\n",
    ".dvcignore": "__pycache__\n",
    "dvc.yaml": "stages:\n  double:\n    cmd: grep STEP emotion/core/sums.py > out.txt\n    deps:\n    - emotion/core\n"
    "    - stages/double.py\n    params:\n    - double\n    outs:\n    - out.txt\n",
}


def run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def dvc(*arguments: str) -> str:
    return run(sys.executable, "-m", "dvc", *arguments)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A small project with one stage, run and committed."""
    root = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for name, text in FILES.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(text, encoding="utf-8")
        run("git", "init", "--quiet")
        run("git", "config", "user.name", "Test")
        run("git", "config", "user.email", "test@example.com")
        dvc("init", "--quiet")
        dvc("repro", "--quiet")
        run("git", "add", "--all")
        run("git", "commit", "--quiet", "--message", "Results")
    return root


@pytest.fixture
def small_project(finished, tmp_path, monkeypatch):
    """A copy of it, as the working folder."""
    shutil.copytree(finished, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")


def edit(path: str, old: str, new: str) -> None:
    text = Path(path).read_text(encoding="utf-8")
    assert old in text
    Path(path).write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.medium
def test_docstrings_are_committed(small_project, capsys):
    edit("emotion/core/sums.py", "Sums.", "Steps of sums.")
    commit_code()
    printed = capsys.readouterr().out
    assert "emotion/core/sums.py" in printed
    assert "double" in printed
    assert json.loads(dvc("status", "--json")) == {}


@pytest.mark.medium
@pytest.mark.slow
def test_a_dry_run_shows_the_same_and_writes_nothing(small_project, capsys):
    edit("emotion/core/sums.py", "Sums.", "Steps of sums.")
    before = Path("dvc.lock").read_bytes()
    commit_code(dry=True)
    assert Path("dvc.lock").read_bytes() == before
    shown = capsys.readouterr().out.splitlines()
    commit_code()
    assert capsys.readouterr().out.splitlines()[:-1] == shown[:-1] != []
    commit_code()
    assert "nothing to commit" in capsys.readouterr().out


@pytest.mark.medium
@pytest.mark.slow
def test_a_second_edit_needs_the_lock_that_was_committed(small_project):
    edit("emotion/core/sums.py", "Sums.", "Steps.")
    commit_code()
    edit("emotion/core/sums.py", "Steps.", "Steps of sums.")
    with pytest.raises(InputError, match=r"emotion/core.*git restore dvc\.lock.*try again"):
        commit_code()
    run("git", "restore", "dvc.lock")
    commit_code()
    assert json.loads(dvc("status", "--json")) == {}


@pytest.mark.medium
@pytest.mark.parametrize(
    "old, new, found",
    [
        ("stages:\n", "stages:\n  check:\n    cmd: 'true'\n    deps:\n    - emotion\n", r"check.*not in dvc\.lock"),
        (
            "    - stages/double.py\n",
            "    - stages/double.py\n    - stages\n",
            r"double: stages .*dvc\.yaml.*dvc\.lock",
        ),
        ("    - stages/double.py\n", "", r"double: stages/double\.py .*dvc\.lock.*dvc\.yaml"),
    ],
)
def test_stages_and_deps_that_were_never_run_are_refused(small_project, old, new, found):
    edit("emotion/core/sums.py", "Sums.", "Steps of sums.")
    edit("dvc.yaml", old, new)
    with pytest.raises(InputError, match=rf"{found}.*dvc repro"):
        commit_code(dry=True)


@pytest.mark.medium
def test_every_edit_is_refused_where_code_reads_its_source(small_project):
    edit("emotion/core/sums.py", "Sums.", "Steps of sums.")
    edit("stages/double.py", "print(STEP)", "print(STEP)  # linecache")
    with pytest.raises(InputError, match=r"stages/double\.py.*linecache.*dvc repro"):
        commit_code(dry=True)


@pytest.mark.medium
@pytest.mark.parametrize(
    "path, old, new, found",
    [
        ("emotion/core/sums.py", "STEP = 2", "STEP = 3", r"emotion/core/sums\.py, line 3.*dvc repro"),
        pytest.param(
            "stages/double.py",
            "STEP\n\n",
            "STEP\n\nprint(STEP.__doc__)\n\n",
            r"stages/double\.py, line 3.*dvc repro",
            marks=pytest.mark.slow,
        ),
        pytest.param("params.yaml", "seed: 1", "seed: 2", r"params\.yaml.*double.*dvc repro", marks=pytest.mark.slow),
    ],
)
def test_other_changes_beside_a_docstring_are_refused(small_project, path, old, new, found):
    before = Path("dvc.lock").read_bytes()
    edit("emotion/core/sums.py", "Sums.", "Steps of sums.")
    edit(path, old, new)
    with pytest.raises(InputError, match=found):
        commit_code()
    assert Path("dvc.lock").read_bytes() == before
