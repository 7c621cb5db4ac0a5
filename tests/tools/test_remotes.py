"""`make setup` repeats the urls of the committed remotes in `.dvc/config.local`, and leaves what the user set there."""

import shutil
import stat

import pytest
from configobj import ConfigObj
from dvc.config import Config

from emotion.core.errors import InputError
from tools import remotes

COMMITTED = """\
[core]
    remote = private
['remote "store"']
    url = ../store
['remote "private"']
    url = ../private
"""


@pytest.fixture
def clone(tmp_path):
    folder = tmp_path / "clone"
    (folder / ".dvc").mkdir(parents=True)
    (folder / ".dvc/config").write_text(COMMITTED)
    return folder


def update(clone):
    return "".join(remotes.update(clone / ".dvc"))


def edit_local(clone, **keys):
    """Change the local settings of the remote `store` as `dvc remote modify --local` does: None removes a key."""
    with Config(str(clone / ".dvc"), validate=False).edit("local", validate=False) as config:
        store = config["remote"].setdefault("store", {})
        for key, value in keys.items():
            store[key] = value
            if value is None:
                del store[key]


def commit_url(clone, url, name="store"):
    with Config(str(clone / ".dvc"), validate=False).edit("repo", validate=False) as config:
        config["remote"][name]["url"] = url


def seen(clone):
    """Return the url of each remote as DVC sees it."""
    return {name: str(keys["url"]) for name, keys in Config(str(clone / ".dvc"))["remote"].items()}


def local(clone):
    return Config.load_file(str(clone / ".dvc/config.local"))["remote"]


def folders(clone):
    return {name: f"{clone}/.dvc/../{name}" for name in ("store", "private")}


def test_relative_urls_become_absolute_paths_in_the_clone(clone):
    printed = update(clone)
    assert seen(clone) == folders(clone)
    assert all(url in printed for url in folders(clone).values())
    assert (clone / ".dvc/config").read_text() == COMMITTED


def test_nothing_is_printed_or_written_where_nothing_changes(clone):
    update(clone)
    before = (clone / ".dvc/config.local").stat()
    assert update(clone) == ""
    after = (clone / ".dvc/config.local").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("url", ["s3://bucket/emotion", "ssh://me@host:2222/data/emotion", "/mnt/team/emotion"])
def test_the_committed_url_wins_after_a_move_and_back(clone, url):
    update(clone)
    commit_url(clone, url)
    assert url in update(clone)
    assert seen(clone) == folders(clone) | {"store": url}
    commit_url(clone, "s3://second/emotion")
    update(clone)
    assert seen(clone)["store"] == "s3://second/emotion"
    (clone / ".dvc/config").write_text(COMMITTED)
    update(clone)
    assert seen(clone) == folders(clone)


def test_a_server_is_named_for_commits_from_before_the_move(clone):
    commit_url(clone, "s3://bucket/emotion")
    update(clone)
    assert local(clone)["store"] == {"url": "s3://bucket/emotion"}


def test_paths_follow_a_clone_that_was_moved(clone, tmp_path):
    update(clone)
    moved = clone.rename(tmp_path / "moved")
    update(moved)
    assert seen(moved) == folders(moved)


def test_paths_in_settings_copied_from_another_clone_are_corrected(clone, tmp_path):
    update(clone)
    other = tmp_path / "other"
    (other / ".dvc").mkdir(parents=True)
    for name in ("config", "config.local"):
        shutil.copy(clone / ".dvc" / name, other / ".dvc" / name)
    update(other)
    assert seen(other) == folders(other)


def test_a_url_that_the_user_set_stays(clone):
    edit_local(clone, url="s3://mine/emotion")
    update(clone)
    update(clone)
    assert seen(clone)["store"] == "s3://mine/emotion"
    commit_url(clone, "s3://bucket/emotion")
    assert update(clone) == ""
    assert seen(clone)["store"] == "s3://mine/emotion"
    edit_local(clone, url=None)
    update(clone)
    assert seen(clone)["store"] == "s3://bucket/emotion"


def test_passwords_and_other_settings_stay_and_so_does_the_mode_of_their_file(clone):
    path = clone / ".dvc/config.local"
    text = '# mine\n[cache]\n    type = "hardlink,copy"\n[\'remote "store"\']\n    secret_access_key = "a%b,#c"\n'
    path.write_text(text)
    path.chmod(0o600)
    update(clone)
    kept = Config.load_file(str(path))
    assert kept["cache"] == {"type": "hardlink,copy"}
    assert kept["remote"]["store"] == {"secret_access_key": "a%b,#c", "url": folders(clone)["store"]}
    assert "# mine" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    commit_url(clone, "s3://bucket/emotion")
    update(clone)
    assert local(clone)["store"] == {"secret_access_key": "a%b,#c", "url": "s3://bucket/emotion"}


def test_a_remote_that_is_no_longer_committed_goes_but_its_password_stays(clone):
    update(clone)
    edit_local(clone, secret_access_key="s", url=folders(clone)["store"])
    (clone / ".dvc/config").write_text("[core]\n    autostage = false\n")
    update(clone)
    assert local(clone) == {"store": {"secret_access_key": "s"}}


S3 = "s3://bucket/emotion"


def test_a_url_stays_where_dvc_would_refuse_the_passwords_beside_a_path(clone):
    commit_url(clone, S3)
    update(clone)
    edit_local(clone, access_key_id="a", secret_access_key="b", jobs="2")
    (clone / ".dvc/config").write_text(COMMITTED)
    for _ in range(2):
        (line,) = remotes.update(clone / ".dvc")
        assert all(part in line for part in ('"store"', "access_key_id, secret_access_key", "../store", "config.local"))
        assert "jobs" not in line
        assert seen(clone) == folders(clone) | {"store": S3}
    edit_local(clone, access_key_id=None, secret_access_key=None)
    update(clone)
    assert seen(clone) == folders(clone)
    assert local(clone)["store"]["jobs"] == "2"


def test_passwords_of_another_kind_of_server_are_named_too(clone):
    commit_url(clone, "ssh://host/data")
    update(clone)
    edit_local(clone, passphrase="p")
    commit_url(clone, S3)
    assert "passphrase" in update(clone)
    assert seen(clone)["store"] == "ssh://host/data"


@pytest.mark.parametrize("record", ["[]", '"x"', "null", "{}"])
def test_a_record_that_holds_no_url_is_an_empty_one(clone, record):
    edit_local(clone, url="s3://mine/emotion")
    (clone / ".dvc/remotes.json").write_text(record)
    update(clone)
    assert seen(clone) == folders(clone) | {"store": "s3://mine/emotion"}


def test_a_link_is_followed_and_stays(clone, tmp_path):
    target, link = tmp_path / "settings", clone / ".dvc/config.local"
    target.write_text("[cache]\n    type = copy\n")
    link.symlink_to(target)
    update(clone)
    assert link.readlink() == target
    assert "type = copy" in target.read_text()
    assert seen(clone) == folders(clone)


@pytest.mark.parametrize("place", ["mine", "../stores", "store/../../mine"])
def test_a_path_inside_a_clone_that_the_user_set_stays(clone, place):
    url = f"{clone}/.dvc/../{place}"
    edit_local(clone, url=url)
    update(clone)
    assert seen(clone)["store"] == url


def test_paths_in_copied_settings_are_corrected_after_a_move_too(clone, tmp_path):
    edit_local(clone, url=f"{tmp_path}/other/.dvc/../store")
    commit_url(clone, S3)
    update(clone)
    assert seen(clone)["store"] == S3


@pytest.mark.parametrize("name", ["%(x)s", "a %(url)s b", "%%(x)s"])
def test_a_clone_whose_path_looks_like_a_placeholder_has_relative_urls(clone, tmp_path, name):
    update(clone)
    moved = clone.rename(tmp_path / name)
    update(moved)
    assert seen(moved) == {name: str(moved / name) for name in ("store", "private")}
    assert local(moved)["store"] == {"url": "../store"}
    again = moved.rename(tmp_path / "again")
    update(again)
    assert seen(again) == folders(again)


@pytest.mark.parametrize("name", ["a, b", "ä # b", "50 % off"])
def test_every_name_of_a_folder_is_read_as_it_was_written(clone, tmp_path, name):
    moved = clone.rename(tmp_path / name)
    update(moved)
    assert seen(moved) == folders(moved)


@pytest.mark.parametrize("name", ["config", "config.local"])
def test_settings_that_cannot_be_read_are_named(clone, name):
    (clone / ".dvc" / name).write_text("[core\n")
    with pytest.raises(InputError, match=rf"{name} .*remove"):
        update(clone)


def test_a_write_that_fails_leaves_the_settings_whole(clone, monkeypatch):
    update(clone)
    before = (clone / ".dvc/config.local").read_bytes()
    commit_url(clone, "s3://bucket/emotion")

    def fail(config, stream):
        stream.write(b"[")
        raise OSError("no space")

    monkeypatch.setattr(ConfigObj, "write", fail)
    with pytest.raises(OSError, match="no space"):
        update(clone)
    assert (clone / ".dvc/config.local").read_bytes() == before
    assert {path.name for path in (clone / ".dvc").iterdir()} == {"config", "config.local", "remotes.json"}


def test_git_ignores_what_is_written():
    assert {f"/{remotes.LOCAL}", f"/{remotes.RECORD}"} <= set((remotes.FOLDER / ".gitignore").read_text().splitlines())
