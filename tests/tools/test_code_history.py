"""tools.code_history: the files behind a hash of dvc.lock are found wherever git keeps them."""

import os
import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from emotion.core.errors import InputError
from tools.code_history import find_version, hash_files, list_commits, read_working_tree, run_git

DEP = "emotion/core"
FILE = f"{DEP}/sums.py"
FIRST, SECOND, THIRD = ({FILE: f"SUM = {number}\n".encode(), f"{DEP}/a.py": b""} for number in (1, 2, 3))


def nothing(path: str) -> bool:
    return False


def write(files: dict[str, bytes]) -> None:
    for name, content in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content)


def commit(files: dict[str, bytes], *options: str) -> str:
    write(files)
    run_git("add", "--all")
    run_git("commit", "--quiet", "--allow-empty", "--message", "Change", *options)
    return run_git("rev-parse", "HEAD").decode().strip()


@pytest.fixture
def history(here, monkeypatch):
    """The working folder as a git repository with `FIRST` and `SECOND` as commits, whose ids come back."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@example.com")
    run_git("init", "--quiet", "--initial-branch=main")
    return [commit(FIRST | {"dvc.lock": b"1"}), commit(SECOND)]


@pytest.mark.medium
def test_the_hash_is_that_of_dvc(here):
    files = {
        "code/b.py": b"b\r\n",
        "code/a/z.py": b"",
        "code/a-b.py": "ü".encode(),
        "code/übung.py": b"1",
        "code/Z.j2": b"\xff\x00",
    }
    write(files | {"code/__pycache__/b.pyc": b"0", ".dvcignore": b"__pycache__\n"})
    repo = Repo.init(".", no_scm=True)
    ignores = repo.dvcignore.is_ignored_file
    repo.add(["code"])
    Path("alone").mkdir()
    Path("alone/b.py").write_bytes(b"b\r\n")
    repo.add(["alone/b.py"])
    for dep in ("code", "alone/b.py"):
        recorded = YAML(typ="safe").load(Path(f"{dep}.dvc").read_text(encoding="utf-8"))["outs"][0]["md5"]
        assert hash_files(dep, read_working_tree(dep, ignores)) == recorded
    assert read_working_tree("code", ignores) == files


def test_versions_of_folders_and_files_are_found_by_their_hash(history):
    for files, id in zip((FIRST, SECOND), history, strict=True):
        assert find_version(DEP, hash_files(DEP, files), nothing).files == files
        alone = {FILE: files[FILE]}
        version = find_version(FILE, hash_files(FILE, alone), nothing)
        assert (version.commit, version.files) == (id, alone)


def test_only_the_newest_commit_of_each_state_is_read(history):
    commit({"README.md": b"text"})
    again = commit(FIRST)
    assert list_commits(DEP) == [again, history[1]]


def test_what_dvcignore_names_is_left_out(history):
    commit({f"{DEP}/.gitkeep": b"", FILE: THIRD[FILE]})
    version = find_version(DEP, hash_files(DEP, THIRD), lambda path: path.endswith(".gitkeep"))
    assert version.files == THIRD


def test_a_commit_without_the_dep_is_passed_over(history):
    run_git("rm", "-r", "--quiet", DEP)
    commit({})
    commit(THIRD)
    assert find_version(DEP, hash_files(DEP, FIRST), nothing).commit == history[0]


@pytest.mark.parametrize("target", ["../names.py", "a.py"])
def test_a_commit_with_a_link_that_leads_nowhere_is_passed_over(history, target):
    write({"emotion/names.py": b""})
    Path(f"{DEP}/a.py").unlink()
    Path(f"{DEP}/a.py").symlink_to(target)
    run_git("add", "--all")
    run_git("commit", "--quiet", "--message", "Link")
    assert len(list_commits(DEP)) == 3
    assert find_version(DEP, hash_files(DEP, FIRST), nothing).commit == history[0]


def test_other_branches_and_amended_commits_count(history):
    run_git("switch", "--quiet", "--create", "side")
    side = commit(THIRD)
    run_git("switch", "--quiet", "main")
    assert find_version(DEP, hash_files(DEP, THIRD), nothing).commit == side
    commit({FILE: b"SUM = 4\n"}, "--amend")
    assert find_version(DEP, hash_files(DEP, SECOND), nothing).commit == history[1]


def test_line_ends_that_git_changes_on_checkout_are_those_of_the_hash(history):
    run_git("config", "core.autocrlf", "true")
    windows = {path: content.replace(b"\n", b"\r\n") for path, content in SECOND.items()}
    assert find_version(DEP, hash_files(DEP, windows), nothing).files == windows


def test_a_state_that_was_never_committed_is_refused_with_its_hash(history):
    md5 = hash_files(DEP, THIRD)
    with pytest.raises(InputError, match=rf"{DEP}.*{md5}.*dvc repro") as failure:
        find_version(DEP, md5, nothing)
    assert "git restore" not in str(failure.value)


def test_a_lock_that_was_never_committed_can_be_taken_back(history):
    write({"dvc.lock": b"2"})
    with pytest.raises(InputError, match=r"git restore dvc\.lock.*dvc repro"):
        find_version(DEP, hash_files(DEP, THIRD), nothing)


def test_a_shallow_clone_is_told_to_fetch_the_rest(history, tmp_path, monkeypatch):
    shallow = tmp_path / "shallow"
    run_git("clone", "--quiet", "--depth=1", tmp_path.as_uri(), str(shallow))
    monkeypatch.chdir(shallow)
    assert find_version(DEP, hash_files(DEP, SECOND), nothing).files == SECOND
    with pytest.raises(InputError, match=r"git fetch --unshallow"):
        find_version(DEP, hash_files(DEP, FIRST), nothing)
    subprocess.run(["git", "fetch", "--quiet", "--unshallow"], check=True)
    assert find_version(DEP, hash_files(DEP, FIRST), nothing).files == FIRST


def test_a_folder_without_git_is_refused(here, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(here.parent))
    with pytest.raises(InputError, match=r"git log.*clone"):
        list_commits(DEP)


def test_a_machine_without_git_is_refused(here, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match=r"git.*install"):
        list_commits(DEP)
