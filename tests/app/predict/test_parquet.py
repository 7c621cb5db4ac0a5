"""`emotion predict --parquet`: whole parts that readers take as one table, also where the run ends early."""

import errno
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.dataset
import pytest

from emotion.app.predict import parquet_parts
from emotion.app.predict.parquet_parts import find_earlier, open_parts
from emotion.app.predict.results import ImageResult
from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError
from emotion.core.stores import parse_address
from emotion.faces.detection import Box
from emotion.inference.predictor import Face
from tests.app.predict.test_predict import noise, rows_of, save
from tests.app.writing import read_files

pytestmark = pytest.mark.medium


@pytest.fixture
def predict(model, run_emotion):
    """Run `emotion predict` in this process; return exit status, standard output and standard error."""
    return lambda *arguments: run_emotion("predict", *arguments, "--model", model)


def make_results(count):
    """Return results of images with 0, 1, 2, 0, ... faces."""
    generator = np.random.default_rng(0)
    for number in range(count):
        faces = []
        for _ in range(number % 3):
            probabilities = generator.dirichlet(np.ones(len(EMOTIONS)))
            best = int(probabilities.argmax())
            faces.append(Face(Box(number, 2, 3, 4), probabilities, EMOTIONS[best], float(probabilities[best])))
        yield ImageResult(Path(f"photos/{number:04}.png"), "ok" if faces else "no face", faces)


def write(folder, results, *, overwrite=False):
    with open_parts(folder, EMOTIONS, find_earlier(folder, overwrite=overwrite)) as add:
        for result in results:
            add(result)


def names_of(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_table_is_that_of_the_csv(here, predict, astronaut):
    save(here / "photos/a.png", astronaut)
    save(here / "photos/b.png", noise())
    (here / "photos/c.png").write_bytes(b"no image")
    status, out, _ = predict("photos", "--csv")
    rows = rows_of(out)
    assert predict("photos", "--parquet", "table")[:2] == (status, "")
    table = pd.read_parquet("table")
    assert list(table.columns) == list(rows[0])
    assert len(table) == len(rows)
    for name in ("path", "status", "emotion"):
        assert table[name].fillna("").tolist() == [row[name] for row in rows]
    for name in ("face", "confidence", "x", "y", "width", "height", *EMOTIONS):
        expected = [float(row[name] or "nan") for row in rows]
        assert table[name].tolist() == pytest.approx(expected, abs=6e-6, nan_ok=True)


def test_the_counts_are_told(here, predict):
    save(here / "a.png", noise())
    status, out, err = predict("a.png", "--detector", "whole", "--parquet", "table")
    assert (status, out, err) == (0, "", "1 image: 1 with 1 face, 0 without a face, 0 unreadable; written to table\n")


def test_parts_are_bounded_and_read_as_one_table(here, monkeypatch):
    monkeypatch.setattr(parquet_parts, "FIRST_ROWS", 10)
    monkeypatch.setattr(parquet_parts, "PART_ROWS", 50)
    write(here / "table", make_results(120))
    assert names_of(here / "table") == [f"part-{number:05}.parquet" for number in range(4)]
    sizes = [len(pd.read_parquet(path)) for path in sorted((here / "table").iterdir())]
    assert sizes[0] in (10, 11)
    assert all(size in (50, 51) for size in sizes[1:3])
    whole = pyarrow.dataset.dataset(here / "table").to_table().to_pandas()
    assert len(whole) == sum(sizes) == 40 * (1 + 1 + 2)
    assert whole["path"].tolist() == sorted(whole["path"])


def test_the_types_do_not_depend_on_the_rows(here):
    write(here / "faces", make_results(9))
    write(here / "none", [ImageResult(Path("a.png"), "no face")])
    faces, none = (pyarrow.dataset.dataset(here / name).schema for name in ("faces", "none"))
    assert faces == none
    assert str(faces.field("face").type) == "int32"
    assert str(faces.field("happy").type) == "float"


def test_the_same_results_give_the_same_bytes(here, memory):
    write(here / "a", make_results(50))
    write(here / "b", make_results(50))
    write(parse_address("memory://bucket/c"), make_results(50))
    first = (here / "a/part-00000.parquet").read_bytes()
    assert (here / "b/part-00000.parquet").read_bytes() == memory.cat_file("/bucket/c/part-00000.parquet") == first


def test_a_name_that_is_not_utf8_is_escaped(here):
    name = os.fsdecode(b"\xff.png")  # a piece of work that failed on a cluster is named in the status
    write(here / "table", [ImageResult(Path(name), f"unreadable: {name} failed")])
    table = pd.read_parquet(here / "table")
    assert table[["path", "status"]].to_numpy().tolist() == [["\\xff.png", "unreadable: \\xff.png failed"]]


@pytest.mark.parametrize("error", [InputError, KeyboardInterrupt])
def test_an_error_leaves_the_rows_so_far(here, monkeypatch, error):
    monkeypatch.setattr(parquet_parts, "FIRST_ROWS", 10)

    def ends_early():
        yield from make_results(30)
        raise error("the end")

    with pytest.raises(error, match="the end"):
        write(here / "table", ends_early())
    assert pd.read_parquet(here / "table")["path"].nunique() == 30


def test_a_part_that_cannot_be_written_is_not_tried_again(here, monkeypatch):
    calls = []

    def refuse(folder, name, *_):
        calls.append(name)
        raise InputError("the store refuses")

    monkeypatch.setattr(parquet_parts, "FIRST_ROWS", 10)
    monkeypatch.setattr(parquet_parts, "_write_file", refuse)
    with pytest.raises(InputError, match="the store refuses"):
        write(here / "table", make_results(30))
    assert calls == ["part-00000.parquet"]


@pytest.mark.parametrize("is_whole", [False, True])
def test_an_interruption_of_a_write_loses_no_row_and_repeats_none(here, monkeypatch, is_whole):
    write_file, calls = parquet_parts._write_file, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) != 2 or is_whole:
            write_file(*arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(parquet_parts, "FIRST_ROWS", 10)
    monkeypatch.setattr(parquet_parts, "PART_ROWS", 10)
    monkeypatch.setattr(parquet_parts, "_write_file", interrupted)
    results = list(make_results(15))  # the last one completes the second part
    with pytest.raises(KeyboardInterrupt):
        write(here / "table", results)
    rows = pd.read_parquet(here / "table")
    assert rows["path"].tolist() == [str(result.path) for result in results for _ in result.faces or [None]]


def test_a_full_disk_leaves_the_parts_of_an_earlier_run(here, monkeypatch):
    write(here / "table", make_results(30))
    (here / "table/part-00001.parquet").write_bytes((here / "table/part-00000.parquet").read_bytes())
    before = read_files(here / "table")

    def fill_disk(path, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", fill_disk)
    with pytest.raises(OSError, match="No space left"):
        write(here / "table", make_results(3), overwrite=True)
    assert read_files(here / "table") == before


@pytest.mark.parametrize("place", ["table", "memory://bucket/table"])
def test_an_earlier_run_is_replaced_only_on_demand(here, memory, monkeypatch, place):
    folder = parse_address(place) if "://" in place else here / place
    monkeypatch.setattr(parquet_parts, "FIRST_ROWS", 5)
    monkeypatch.setattr(parquet_parts, "PART_ROWS", 5)
    write(folder, make_results(30))
    with pytest.raises(InputError, match=r"exists already; .*--overwrite"):
        find_earlier(folder, overwrite=False)
    earlier = find_earlier(folder, overwrite=True)
    assert len(earlier) > 3
    with open_parts(folder, EMOTIONS, earlier):
        """A run that ends without a result leaves what is there."""
    assert find_earlier(folder, overwrite=True) == earlier
    write(folder, make_results(3), overwrite=True)
    assert find_earlier(folder, overwrite=True) == ["part-00000.parquet"]


@pytest.mark.parametrize("place", ["table", "memory://bucket/table"])
def test_a_folder_with_other_files_is_refused(here, memory, place):
    save(here / "table/photo.png", noise())
    memory.pipe_file("/bucket/table/photo.png", b"x")
    folder = parse_address(place) if "://" in place else here / place
    with pytest.raises(InputError, match=r"holds photo\.png, which is no result .*name a new folder"):
        find_earlier(folder, overwrite=True)


def test_a_file_is_no_folder(here, memory):
    (here / "file").write_bytes(b"x")
    with pytest.raises(InputError, match=r"--parquet: .*file is a file, expected a folder"):
        find_earlier(here / "file", overwrite=True)
    memory.pipe_file("/bucket/file", b"x")
    with pytest.raises(InputError, match="memory://bucket/file holds file, which"):
        find_earlier(parse_address("memory://bucket/file"), overwrite=True)


def test_without_pyarrow_the_extra_is_named(here, predict, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    status, out, _ = predict("a.png", "--parquet", "table")
    assert "pip install 'facial-emotion-pipeline[pipeline]'" in status
    assert out == ""


@pytest.mark.parametrize("other", ["--csv", "--json", "--table"])
def test_one_output_is_chosen(predict, other):
    assert predict("a.png", "--parquet", "table", other)[0] == 2
