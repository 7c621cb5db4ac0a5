"""What a sweep takes from DVC's queue."""

import subprocess

import pytest

from emotion.app.programs import run_dvc, run_git
from emotion.app.sweep.experiments import ARGUMENTS, find_remotes, open_repository, read_queue, to_flags
from emotion.core.errors import InputError

PIPELINE = """\
stages:
  copy:
    cmd: cp params.yaml out
    params: [rate]
    outs: [out]
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A pipeline with one stage in the working directory."""
    folder = tmp_path / "main"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    for key, value in (("CONFIG_GLOBAL", "/dev/null"), ("AUTHOR_NAME", "Test"), ("AUTHOR_EMAIL", "test@example.com")):
        monkeypatch.setenv(f"GIT_{key}", value)
    monkeypatch.setenv("GIT_COMMITTER_NAME", "Test")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "test@example.com")
    run_git("init", "--quiet")
    run_dvc("init", "--quiet")
    (folder / "dvc.yaml").write_text(PIPELINE, encoding="utf-8")
    (folder / "params.yaml").write_text("rate: 1\n", encoding="utf-8")
    run_git("add", "--all")
    run_git("commit", "--quiet", "--message", "First")


def queue(*arguments: str) -> None:
    run_dvc("exp", "run", "--queue", *arguments)


def test_arguments_of_a_run_become_those_of_the_command_line():
    arguments = {"targets": ["train"], "force": True, "single_item": True, "pull": False, "on_error": "keep-going"}
    assert to_flags(arguments) == ("--force", "--single-item", "--keep-going", "train")


@pytest.mark.medium
def test_queued_experiments_are_read_with_their_changes_and_without_a_token(project, monkeypatch):
    monkeypatch.setenv("DVC_STUDIO_TOKEN", "isat_secret")
    monkeypatch.setenv("DVC_STUDIO_REPO_URL", "git@example.com:team/emotion")
    queue("--set-param", "rate=2,3", "--name", "calm", "--force", "--copy-paths", "raw", "--message", "Try")
    with open_repository() as repository:
        experiments = read_queue(repository)
        assert find_remotes_of(repository, experiments) == "no DVC remote"
    assert [one.name for one in experiments] == ["calm-1", "calm-2"]
    for number, one in enumerate(experiments, start=2):
        assert one.options == ("--force", "--message", "Try")
        assert one.copied == ("raw",)
        assert one.baseline == run_git("rev-parse", "HEAD").strip()
        assert run_git("show", f"{one.commit}:params.yaml") == f"rate: {number}\n"
        assert run_git("diff", "--name-only", one.baseline, one.commit).split() == ["params.yaml"]
        packed = subprocess.run(["git", "show", f"{one.revision}:{ARGUMENTS}"], capture_output=True, check=True)
        assert b"isat_secret" in packed.stdout, "DVC keeps it, so the file may not be sent"
    assert run_git("status", "--porcelain", "--untracked-files=no") == ""


def find_remotes_of(repository, experiments) -> str:
    with pytest.raises(InputError) as raised:
        find_remotes(repository, experiments)
    return str(raised.value)[:13]


@pytest.mark.medium
def test_an_empty_queue_is_an_error_that_says_how_to_fill_it(project):
    with open_repository() as repository, pytest.raises(InputError, match="dvc exp run --queue"):
        read_queue(repository)


@pytest.mark.medium
def test_a_copied_path_outside_the_repository_is_refused(project):
    queue("--set-param", "rate=2", "--copy-paths", "../raw")
    with open_repository() as repository, pytest.raises(InputError, match=r"\.\./raw"):
        read_queue(repository)


def test_a_folder_without_a_repository_is_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="DVC"), open_repository():
        pass
