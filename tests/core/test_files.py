"""Files are written whole or not at all."""

import json
import math
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emotion.core.errors import InputError
from emotion.core.files import atomic_folder, atomic_path, read_json, remove_leftovers, write_csv, write_json

ROOT = Path(__file__).resolve().parents[2]


def write_half(path):
    with atomic_path(path) as temporary:
        temporary.write_text("half of the n", encoding="utf-8")
        raise OSError("disk full")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "kept.txt"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(OSError, match="disk full"):
        write_half(path)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_get_its_name_is_kept(tmp_path):
    def write_where_a_folder_comes():
        with atomic_path(tmp_path / "a.txt") as temporary:
            temporary.write_text("the work of hours", encoding="utf-8")
            (tmp_path / "a.txt").mkdir()

    with pytest.raises(InputError, match=r"a\.txt cannot be written: .* is in .*\.partial-.*\.txt"):
        write_where_a_folder_comes()
    (kept,) = tmp_path.glob(".partial-*.txt")
    assert kept.read_text(encoding="utf-8") == "the work of hours"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_temporary_files_are_hidden_and_short_and_keep_the_suffix(tmp_path):
    path = tmp_path / f"{'x' * 246}.png"
    with atomic_path(path) as temporary:
        assert re.fullmatch(rf"\.partial-[0-9a-f]{{8}}-{os.getpid()}-[a-z0-9_]{{8}}\.png", temporary.name)
        assert temporary.parent == path.parent
    assert names(tmp_path) == [path.name]


def test_no_write_takes_or_removes_the_temporary_file_of_another(tmp_path):
    path = tmp_path / "a.txt"
    (tmp_path / ".partial-a.txt-mine").write_text("kept", encoding="utf-8")
    with atomic_path(path) as first:
        with atomic_path(path) as second:
            second.write_text("second", encoding="utf-8")
        first.write_text("first", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "first"
    assert names(tmp_path) == [".partial-a.txt-mine", "a.txt"]


def test_files_are_on_the_disk_before_and_after_they_get_their_name(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(
        os, "fsync", lambda handle: synced.append((str(Path(f"/proc/self/fd/{handle}").readlink()), names(tmp_path)))
    )
    with atomic_path(tmp_path / "a.npy") as temporary:
        temporary.touch()
    assert synced == [(str(temporary), [temporary.name]), (str(tmp_path), ["a.npy"])]
    with atomic_path(tmp_path / "b.png", durable=False):
        pass
    assert len(synced) == 2
    with atomic_folder(tmp_path / "made", durable=True) as temporary:
        (temporary / "c.txt").touch()
    assert [Path(path).name for path, _ in synced[2:]] == ["c.txt", ".new", tmp_path.name]


KILLED = """
import os, signal, sys
from pathlib import Path
from emotion.core.files import atomic_folder, atomic_path
with atomic_path(Path("a.txt")) as file, atomic_folder(Path("made")) as folder:
    file.write_text("half")
    (folder / "half").touch()
    if sys.argv[1] == "moved":
        rename = Path.rename
        def kill(path, target):
            if path.name == ".new":
                os.kill(os.getpid(), signal.SIGKILL)
            return rename(path, target)
        Path.rename = kill
    else:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.medium
@pytest.mark.skipif(sys.platform == "win32", reason="on Windows they stay")
@pytest.mark.parametrize("moment", ["writing", "moved"])
def test_what_a_killed_process_left_is_removed_and_what_it_moved_aside_is_put_back(tmp_path, moment):
    (tmp_path / "made").mkdir()
    (tmp_path / "made/old").touch()
    for mine in (".partial-notes", ".partial-00000000-1-abcdefgh.b", "partial-abcdefgh"):
        (tmp_path / mine).touch()
    subprocess.run([sys.executable, "-c", KILLED, moment], cwd=tmp_path, check=False, env={"PYTHONPATH": str(ROOT)})
    left = {name for name in names(tmp_path) if name.startswith(".partial-")}
    assert len(left) == 4
    with atomic_path(tmp_path / "b.txt") as living:
        remove_leftovers(tmp_path)
        assert living.exists()
    assert names(tmp_path) == [".partial-00000000-1-abcdefgh.b", ".partial-notes", "b.txt", "made", "partial-abcdefgh"]
    assert names(tmp_path / "made") == ["old"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "old").touch()
    with atomic_folder(folder) as temporary:
        (temporary / "new").touch()
        assert [path.name for path in folder.iterdir()] == ["old"]
    assert [path.name for path in folder.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_written_file_can_be_read_by_others_as_the_umask_says(tmp_path):
    plain, atomic = tmp_path / "plain", tmp_path / "new" / "atomic"
    plain.touch()
    with atomic_path(atomic) as temporary:
        temporary.touch()
    assert stat.S_IMODE(atomic.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_json_has_five_decimals_and_null_for_what_is_no_number(tmp_path):
    path = tmp_path / "metrics.json"
    write_json(path, {"a": np.float32(1 / 3), "b": [math.nan, np.int64(7)], "c": {"d": math.inf}, "é": True})
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 0.33333, "b": [None, 7], "c": {"d": None}, "é": True}
    assert "é" in path.read_text(encoding="utf-8")


def test_a_table_has_five_decimals(tmp_path):
    path = tmp_path / "table.csv"
    write_csv(path, pd.DataFrame({"name": ["a.jpg", "é"], "share": [1 / 3, 1.0]}))
    assert path.read_bytes() == "name,share\na.jpg,0.33333\né,1.00000\n".encode()


@pytest.mark.parametrize("content", [None, b'{"accuracy": ', b"\xff", b"[]", b'"x"', b"3", b"null"])
def test_json_that_cannot_be_read_is_refused_with_the_remedy(tmp_path, content):
    path = tmp_path / "evaluate.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"evaluate\.json.*train first"):
        read_json(path, remedy="train first")
