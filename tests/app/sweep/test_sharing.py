"""What a sweep tells workers about remotes, and what it refuses before it starts."""

from pathlib import Path

import pytest

from emotion.app.programs import run_git
from emotion.app.sweep.job import Experiment
from emotion.app.sweep.sharing import (
    check_names,
    describe_remotes,
    find_git_url,
    list_refs,
    sent,
    signed_folders,
    without_credentials,
)
from emotion.core.errors import InputError


class Repository:
    """Stands for DVC's, with settings of remotes."""

    def __init__(self, **remotes):
        self.config = {"remote": remotes}


@pytest.fixture
def clone(tmp_path, monkeypatch) -> Path:
    """A clone with a commit in the working directory, and a bare repository as its remote `origin`."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.chdir(tmp_path)
    run_git("init", "--quiet", "--bare", "bare")
    run_git("init", "--quiet", "clone")
    monkeypatch.chdir(tmp_path / "clone")
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    run_git(*identity, "commit", "--quiet", "--allow-empty", "--message", "First")
    run_git("remote", "add", "origin", "../bare")
    return Path(tmp_path, "clone")


@pytest.fixture
def experiment(clone) -> Experiment:
    commit = run_git("rev-parse", "HEAD").strip()
    return Experiment("calm-cat", "1" * 40, commit, commit)


def refs_of(bare: Path) -> list[str]:
    return run_git("--git-dir", str(bare), "for-each-ref", "--format=%(refname)").split()


@pytest.mark.parametrize(
    "url, shown",
    [
        ("https://someone:secret@host/a.git", "https://host/a.git"),
        ("https://host/a?token=secret", "https://host/a"),
        ("https://token@host:8443/a.git", "https://host:8443/a.git"),
        ("ssh://git:secret@host:22/a.git", "ssh://git@host:22/a.git"),
        ("git@host:a.git", "git@host:a.git"),
        ("s3://bucket/a@b", "s3://bucket/a@b"),
        ("/srv/a.git", "/srv/a.git"),
    ],
)
def test_no_password_of_an_address_is_sent(url, shown):
    assert without_credentials(url) == shown


def test_workers_get_the_address_of_a_remote_and_no_password(tmp_path):
    settings = {
        "url": "s3://bucket/a",
        "endpointurl": "http://a:b@host",
        "secret_access_key": "secret",
        "verify": False,
    }
    found = describe_remotes(Repository(store=settings, other={"url": str(tmp_path)}), {"store"})
    assert found == {"store": {"url": "s3://bucket/a", "endpointurl": "http://host"}}


def test_a_remote_that_is_not_set_is_named():
    with pytest.raises(InputError, match="private"):
        describe_remotes(Repository(), {"private"})


def test_folders_are_signed_for_the_block(tmp_path):
    remotes = {"a": {"url": str(tmp_path / "new")}, "b": {"url": "s3://bucket/b"}}
    with signed_folders(remotes) as signs:
        (sign,) = map(Path, signs)
        assert sign.is_file()
        assert sign.parent == tmp_path / "new"
    assert not sign.exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file"), signed_folders({"a": {"url": str(tmp_path / "file")}}):
        pass


def test_a_path_of_the_git_remote_is_absolute(clone):
    assert find_git_url("origin") == str(clone.parent / "bare")


def test_a_missing_git_remote_is_named(clone):
    with pytest.raises(InputError, match="--git-remote"):
        find_git_url("upstream")


def test_a_git_remote_that_is_gone_is_named(clone):
    (clone.parent / "bare").rename(clone.parent / "moved")
    with pytest.raises(InputError, match="origin"):
        list_refs("origin")


def test_an_experiment_that_the_remote_has_is_named(experiment):
    check_names("origin", list_refs("origin"), [experiment])
    run_git("push", "--quiet", "origin", f"HEAD:{experiment.result_ref}")
    with pytest.raises(InputError, match="dvc exp remove"):
        check_names("origin", list_refs("origin"), [experiment])


def test_what_was_sent_is_removed_and_results_stay(clone, experiment):
    bare = clone.parent / "bare"
    stopped = Experiment("calm-dog", "2" * 40, experiment.baseline, experiment.commit)
    ended: set[Experiment] = set()
    with sent("origin", [experiment, stopped], ended):
        assert refs_of(bare) == [experiment.sent_ref, stopped.sent_ref]
        for one in (experiment, stopped):
            run_git("push", "--quiet", "origin", f"HEAD:{one.result_ref}")
        ended.add(experiment)
    assert refs_of(bare) == [experiment.result_ref]


def test_a_git_remote_that_refuses_a_push_is_named(clone, experiment):
    hook = clone.parent / "bare/hooks/pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    with pytest.raises(InputError, match="cannot be pushed to"), sent("origin", [experiment], set()):
        pass
