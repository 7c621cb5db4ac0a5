"""emotion.app.outputs: what is there stays, unless --overwrite is given."""

import re
from pathlib import Path

import pytest

from emotion.app.outputs import check_output, removed_if_empty
from emotion.core.errors import InputError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.png").touch()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "pipe.png").symlink_to("/dev/null")
    return tmp_path


@pytest.mark.parametrize("name", ["new.png", "new/folder/new.PNG", "x" * 250 + ".png"])
def test_new_names_are_free(here, name):
    check_output(Path(name), overwrite=False, sources=[Path("there.png"), Path("missing.png")], suffixes=[".png"])


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    "name, problem",
    [
        ("new.jpg", r"expected a name that ends in \.png"),
        ("folder.png", "is a folder; name a file in it"),
        ("pipe.png", "is a device or a pipe"),
        ("photo.png", "is the file to read"),
        ("there.png/new.png", r"there\.png is a file, expected a folder"),
        ("https://host/new.png", "an address"),
        ("x" * 300 + ".png", "File name too long"),
        ("/proc/new.png", "may not write to /proc"),
    ],
)
def test_what_cannot_be_written_is_refused(here, name, problem, overwrite):
    (here / "photo.png").hardlink_to(here / "there.png")
    with pytest.raises(InputError, match=rf"--out: .*{problem}"):
        check_output(Path(name), overwrite=overwrite, sources=[Path("there.png")], option="--out", suffixes=[".png"])


def test_a_file_that_is_there_is_replaced_only_when_asked(here):
    with pytest.raises(InputError, match=r"^there\.png exists already; .*--overwrite"):
        check_output(Path("there.png"), overwrite=False)
    check_output(Path("there.png"), overwrite=True)


WRITING = [
    "explain photo.png -o there.png",
    "evaluate --data folder --plot there.png",
    "evaluate --data folder --json there.json",
    "convert model.keras there.h5",
    "video clip.mp4 -o there.mp4",
    "video clip.mp4 --csv there.csv",
    "timeline table.csv -o there.png",
    "webcam --no-window -o there.mp4",
    "webcam --no-window --csv there.csv",
]
"""The commands that write files of any name, each with a file that is there."""


@pytest.mark.parametrize("command", WRITING)
def test_all_commands_keep_a_file_that_is_there(command, tmp_path, monkeypatch, run_emotion):
    monkeypatch.chdir(tmp_path)
    *arguments, there = command.split()
    (tmp_path / "folder").mkdir()
    for name in ("photo.png", "model.keras", "clip.mp4", "table.csv", there):
        (tmp_path / name).write_text("kept", encoding="utf-8")
    status, out, _ = run_emotion(*arguments, there)
    assert re.search(rf"{re.escape(there)} exists already; .*--overwrite", str(status))
    assert (out, (tmp_path / there).read_text(encoding="utf-8")) == ("", "kept")
    refused, _, _ = run_emotion(*arguments, there, "--overwrite")
    assert "exists already" not in str(refused)


@pytest.mark.parametrize("name", ["", "file"])
def test_an_error_leaves_no_new_and_empty_folder(here, name):
    def make_and_fail():
        Path("a/b/c").mkdir(parents=True)
        if name:
            Path("a", name).touch()
        raise InputError("a fault")

    with pytest.raises(InputError), removed_if_empty(Path("a/b/c")):
        make_and_fail()
    assert Path("a").exists() == bool(name)
    assert not Path("a/b").exists()


def test_a_folder_that_was_there_stays(here):
    Path("mine").mkdir()
    with pytest.raises(InputError), removed_if_empty(Path("mine/new")):
        raise InputError("a fault")
    with pytest.raises(InputError), removed_if_empty(Path("mine")):
        raise InputError("a fault")
    assert Path("mine").is_dir()
