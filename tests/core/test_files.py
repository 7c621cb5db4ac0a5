"""Files are written whole or not at all."""

import json
import math
import stat

import numpy as np
import pandas as pd
import pytest

from emotion.core.errors import InputError
from emotion.core.files import atomic_folder, atomic_path, read_json, write_csv, write_json


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


def test_what_a_killed_write_left_goes_with_the_next(tmp_path):
    for name in (".partial-a.npy-xyz.npy", ".partial-b.npy-xyz.npy", "a.npy-notes"):
        (tmp_path / name).touch()
    (tmp_path / ".partial-a.npy-folder").mkdir()
    with atomic_path(tmp_path / "a.npy"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [".partial-b.npy-xyz.npy", "a.npy", "a.npy-notes"]


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
