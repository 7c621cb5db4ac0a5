"""emotion.core.folder_walk: every item is found once, with its kind, and nothing is opened."""

import os
import socket
from pathlib import Path

from emotion.core.folder_walk import Kind, walk
from tests.makers import write_files


def found(folder: str = ".") -> dict[str, Kind]:
    items = list(walk(folder))
    kinds = {item.name: item.kind for item in items}
    assert len(kinds) == len(items)
    return kinds


def test_each_item_has_its_kind(here):
    write_files(here, {"a.png": b"", "b/c d.png": b"", "b/.git/x": b"", "b/.hidden/y": b"", ".dvc/z": b""})
    Path("elsewhere").symlink_to("/tmp")
    Path("b/file.png").symlink_to("../a.png")
    Path("b/gone.png").symlink_to("nowhere")
    Path("b/self.png").symlink_to("self.png")
    Path("b/up").symlink_to("..")
    os.mkfifo("b/pipe.png")
    Path("zero.png").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.png")
    Path("b/\udcff").mkdir()
    Path("b/\udcff/\udce9.png").write_bytes(b"")
    files = ["a.png", "b/c d.png", "b/.hidden/y", "b/file.png", "b/\udcff/\udce9.png"]
    assert found() == dict.fromkeys(files, Kind.FILE) | {
        "elsewhere": Kind.FOLDER_LINK,
        "b/up": Kind.FOLDER_LINK,
        "b/gone.png": Kind.BROKEN_LINK,
        "b/self.png": Kind.BROKEN_LINK,
        "b/pipe.png": Kind.SPECIAL,
        "zero.png": Kind.SPECIAL,
        "socket.png": Kind.SPECIAL,
    }


def test_a_link_to_a_folder_is_walked_where_it_is_the_folder_itself(here):
    write_files(here, {"real/a.png": b""})
    Path("raw").symlink_to("real")
    assert found("raw") == {"a.png": Kind.FILE}


def test_folders_may_lie_deep(here):
    name = "d/" * 300 + "a.png"
    write_files(here, {name: b""})
    assert found() == {name: Kind.FILE}


def test_a_folder_without_permission_is_an_item_of_its_own(here, monkeypatch):
    write_files(here, {"a/x.png": b"", "b/y.png": b""})
    monkeypatch.setattr(os, "access", lambda path, mode: not path.rstrip("/").endswith("b"))
    assert found() == {"a/x.png": Kind.FILE, "b": Kind.CLOSED_FOLDER}
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert found() == {".": Kind.CLOSED_FOLDER}
