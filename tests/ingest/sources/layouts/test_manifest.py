"""A manifest: what it says of each image, in every form that people write it, and what is refused."""

import io
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow.parquet import write_table

from emotion.core.errors import InputError
from emotion.faces.detection import Box
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.content import content_of
from emotion.ingest.sources.layouts import manifest_table
from emotion.ingest.sources.layouts.layout import Layout
from emotion.ingest.sources.layouts.manifest import find_manifests, read_manifest
from emotion.ingest.sources.layouts.readers import read_layout
from emotion.ingest.sources.source import Entry, Source
from tests.ingest.sources.layouts.trees import NUMBERED, MemoryTree
from tests.makers import encode, open_source, write_files, write_zip

IMAGE = encode(np.random.default_rng(0).integers(0, 256, (12, 12), dtype=np.uint8))
NAMES = ["images/a.png", "images/b c.png", "images/ü.png"]

WHOLE = """image,emotion,split,group,x,y,width,height,age,label
images/a.png,Happy,Training,p1,1,2,30,40,7,x
images/b c.png,sadness,PublicTest,,,,,,,y
images/ü.png,Ahegao,test,p2,0,0,3.6,4,,
"""


def read(table: str | bytes, file: str = "labels.csv", labels: LabelReader = LabelReader()) -> Layout:  # noqa: B008
    """Return what a manifest beside the images NAMES says."""
    data = table.encode() if isinstance(table, str) else table
    tree = MemoryTree(dict.fromkeys(NAMES, IMAGE) | {file: data, "notes.txt": b""})
    return read_manifest(tree, tree.list().names, labels, file)


def parquet(**columns: object) -> bytes:
    file = io.BytesIO()
    pd.DataFrame(columns).to_parquet(file)
    return file.getvalue()


def contents(source: Source) -> dict[str, str]:
    """Return the reason of rejection by the name of each image; an empty text for a good one."""
    return {entry.image: content.reason for batch in source.batches(content_of) for entry, content in batch}


def test_a_row_says_everything_of_an_image():
    layout = read(WHOLE)
    assert (layout.name, layout.columns) == ("manifest", ("age", "source_label_"))
    assert layout.entries == [
        Entry("images/a.png", "happy", "train", "Happy", "p1", Box(1, 2, 30, 40), ("7", "x")),
        Entry("images/b c.png", "sad", "val", "sadness", "", None, ("", "y")),
        Entry("images/ü.png", "ahegao", "test", "Ahegao", "p2", Box(0, 0, 4, 4), ("", "")),
    ]
    assert layout.skipped == {"label files": 1}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_usual_form_of_a_table_gives_the_same(encoding, separator):
    text = WHOLE.replace(",", separator).replace("\n", "\r\n")
    assert read(text.encode(encoding)) == read(WHOLE)


def test_parquet_gives_the_same():
    frame = pd.read_csv(io.StringIO(WHOLE))
    layout = read(parquet(**frame), "labels.parquet")
    assert [entry[:6] for entry in layout.entries] == [entry[:6] for entry in read(WHOLE).entries]
    assert [entry.columns for entry in layout.entries] == [("7.0", "x"), ("", "y"), ("", "")]


@pytest.mark.parametrize(
    "image", ["path", "File", "filename", " file_name", "FilePath", "img", "subDirectory_filePath"]
)
@pytest.mark.parametrize("emotion", ["Emotion", "label", "EXPRESSION", "class ", "target"])
def test_usual_names_of_the_columns(image, emotion):
    (entry,) = read(f'"{image}",{emotion}\n"images/b c.png", Fear\n').entries
    assert entry[:4] == ("images/b c.png", "fear", None, "Fear")


def test_the_preferred_name_counts_where_two_fit():
    layout = read(",file,image,label,emotion\n0,x.png,images/a.png,3,sad\n")
    assert (layout.entries[0].image, layout.entries[0].emotion) == ("images/a.png", "sad")
    assert layout.columns == ("file", "source_label_")


@pytest.mark.parametrize(
    "path", [r"images\a.png", "./images/a.png", "images//a.png", "images/../images/a.png", " images/a.png "]
)
def test_paths_are_read_as_people_write_them(path):
    assert read(f"image,emotion\n{path},sad\n").entries[0].image == "images/a.png"


def test_parquet_keeps_whole_numbers_and_a_named_index(monkeypatch):
    monkeypatch.setattr(manifest_table, "BATCH_ROWS", 2)
    file = io.BytesIO()
    write_table(pa.table({"image": NAMES, "emotion": ["sad"] * 3, "group": [3, None, 3]}), file)
    assert [entry.group for entry in read(file.getvalue()).entries] == ["3", "", "3"]
    file = io.BytesIO()
    pd.DataFrame({"emotion": ["sad"] * 3}, index=pd.Index(NAMES, name="image")).to_parquet(file)
    assert [entry.image for entry in read(file.getvalue()).entries] == NAMES


def test_paths_begin_at_the_manifest_or_at_the_source():
    for path in ("a.png", "images/a.png", "../images/a.png"):
        assert read(f"image,emotion\n{path},sad\n", "images/labels.csv").entries[0].image == "images/a.png"


@pytest.mark.parametrize(
    "path", ["/data/a.png", r"C:\a.png", "../a.png", "images/../../a.png", "https://x.org/a.png", "~/a.png"]
)
def test_paths_outside_of_the_source_are_refused(path):
    with pytest.raises(InputError, match=r"labels\.csv: 1 images .*source\.folder") as error:
        read(f"image,emotion\nimages/a.png,sad\n{path},sad\n")
    assert repr(path) in str(error.value)


def test_numbers_need_a_numbering():
    table = "image,label\nimages/a.png,0\nimages/b c.png,3.0\nimages/ü.png,8\n"
    with pytest.raises(InputError, match=r"labels\.csv: .*0, 3, 8.*labels\.numbers"):
        read(table)
    assert [entry.emotion for entry in read(table, labels=NUMBERED["affectnet"]).entries] == [
        "neutral",
        "surprise",
        "none",
    ]
    assert [(entry.emotion, bool(entry.fault)) for entry in read(table, labels=NUMBERED["fer2013"]).entries] == [
        ("angry", False),
        ("happy", False),
        ("", True),
    ]


def test_splits_that_are_unknown_are_refused_with_what_was_found():
    for split in ("holiday", ""):
        with pytest.raises(InputError, match=rf"labels\.csv: .*splits has '{split}', expected train, val or test"):
            read(f"image,emotion,split\nimages/a.png,sad,train\nimages/b c.png,sad,{split}\n")
    assert [entry.split for entry in read("image,emotion,split\nimages/a.png,sad,\n").entries] == [None]


@pytest.mark.parametrize("box", ["1,2,3,", "1,2,x,4", "1,2,0,4", "1,2,3,-4", "1,2,nan,4", "1,2,3,1e99", "inf,1,2,3"])
def test_rows_without_a_right_box_are_rejected(box):
    first, second = read(f"image,emotion,x,y,width,height\nimages/a.png,sad,{box}\nimages/a.png,sad,1,2,3,4\n").entries
    assert "expected x, y, width, height" in first.fault
    assert second == Entry("images/a.png", "sad", None, "sad", box=Box(1, 2, 3, 4))


def test_a_box_may_begin_outside_of_the_image():
    (entry,) = read("image,emotion,x,y,width,height\nimages/a.png,sad,-7,-2,30,40\n").entries
    assert (entry.box, entry.fault) == (Box(-7, -2, 30, 40), "")


def test_size_alone_is_no_box():
    layout = read("image,emotion,width,height\nimages/a.png,sad,640,480\n")
    assert (layout.entries[0].box, layout.entries[0].columns) == (None, ("640", "480"))
    assert layout.columns == ("source_width", "source_height")


def test_missing_images_and_labels_are_rejected_by_name():
    table = (
        "image,emotion\nimages/a.png,hapy\nimages/none.png,sad\nimages/b c.png,\nimages/a.png,sad\nimages/a.png,sad\n"
    )
    faults = {entry.image: entry.fault for entry in read(table).entries[:3]}
    assert "did you mean happy" in faults["images/a.png"]
    assert "missing" in faults["images/none.png"]
    assert "''" in faults["images/b c.png"]
    assert [entry[:2] for entry in read(table).entries[3:]] == [("images/a.png", "sad")] * 2


@pytest.mark.parametrize(
    "table, found",
    [
        ("image,emotion\nphotos/a.png,sad\n", r"none of the 1 images exists, such as 'photos/a\.png'"),
        ("image,emotion\nb c.png,sad\n", r"none of the 1 images exists, such as 'b c\.png' .*mean images/b c\.png"),
        ("image,emotion\n", "none of the 0 images exists"),
        ("image,emotion\nimages/a.png,bored\n", "no emotion is known: found 'bored'"),
        ("image,mood\nimages/a.png,sad\n", "missing emotion, found image, mood"),
        ("a;b\n1;2\n", "missing image and emotion, found a, b"),
        ("", "cannot be read as a table"),
        ("image,emotion\nimages/a.png,sad,1\n", "cannot be read as a table"),
        ("image,emotion\nimages/a.png,sad\nimages/b c.png,1,2,3\n", "cannot be read as a table"),
        (b"image,emotion\nimages/\xe9.png,sad\n", "cannot be read as a table.*UTF-8"),
        ('image,emotion, "emotion"\nimages/a.png,sad,happy\n', "two columns 'emotion'; rename one"),
        ('image,emotion,"Emotion"\nimages/a.png,sad,happy\n', "two columns 'emotion'; rename one"),
        ("image,emotion,age,age\nimages/a.png,sad,1,2\n", "two columns 'age'; rename one"),
    ],
)
def test_what_cannot_be_used_is_refused(table, found):
    with pytest.raises(InputError, match=rf"data/raw: labels\.csv.*{found}"):
        read(table)


@pytest.mark.parametrize("data", [b"", b"PAR1", parquet(image=[{"bytes": b"1"}], label=[1])])
def test_parquet_without_paths_is_refused(data):
    with pytest.raises(InputError, match=r"labels\.parquet"):
        read(data, "labels.parquet", NUMBERED["fer2013"])


def test_a_wide_table_is_read():
    names = [f"embedding_{number}" for number in range(20_000)]
    table = f"image,emotion,{','.join(names)},,\nimages/a.png,sad{',0' * len(names)},,\n"
    assert read(table).entries[0].emotion == "sad"


def test_parquet_with_two_columns_of_one_name_is_refused():
    file = io.BytesIO()
    paths, emotions = pa.array(["images/a.png"]), pa.array(["sad"])
    write_table(pa.Table.from_arrays([paths, emotions, emotions], ["image", "emotion", "emotion"]), file)
    with pytest.raises(InputError, match="two columns 'emotion'; rename one"):
        read(file.getvalue(), "labels.parquet")


def test_emotions_of_ones_own():
    labels = LabelReader(own=("bored",))
    assert read("image,emotion\nimages/a.png,Bored\n", labels=labels).entries[0].emotion == "bored"


@pytest.mark.medium
def test_many_rows_are_read_quickly():
    """A million rows take seconds: fifty times this."""
    names = [f"images/{number}.png" for number in range(20_000)]
    rows = "".join(f"{name},happy,train,p{number % 99},1,2,3,4,a\n" for number, name in enumerate(names))
    table = f"image,emotion,split,group,x,y,width,height,z\n{rows}"
    tree = MemoryTree(dict.fromkeys(names, b"") | {"a.csv": table.encode()})
    files = tree.list().names
    start = time.process_time()
    assert len(read_manifest(tree, files, LabelReader(), "a.csv").entries) == len(names)
    assert time.process_time() - start < 1


# Which source is meant

TABLE = b"image,emotion\nimages/a.png,sad\nimages/b.png,happy\n"
FLAT = {"images/a.png": IMAGE, "images/b.png": IMAGE}


def test_a_manifest_beside_images_is_the_source(tmp_path):
    for name, files in {
        "top": {**FLAT, "labels.csv": TABLE, "readme.txt": b"", "other.csv": b"a,b\n1,2\n"},
        "only folder": {**{f"set/{name}": data for name, data in FLAT.items()}, "set/labels.csv": TABLE},
        "loose": {"a.png": IMAGE, "b.png": IMAGE, "labels.csv": TABLE.replace(b"images/", b"")},
    }.items():
        write_files(tmp_path / name, files)
        source = open_source(tmp_path / name)
        assert source.layout == "manifest"
        assert set(contents(source).values()) == {""}
        assert source.count == 2
        write_zip(tmp_path / f"{name} packed" / "a.zip", files)
        packed = open_source(tmp_path / f"{name} packed")
        assert (packed.layout, set(contents(packed).values())) == ("manifest", {""})


def test_listed_images_may_have_any_names(tmp_path):
    write_files(tmp_path, {"images/a": IMAGE, "images/b": IMAGE, "labels.csv": TABLE.replace(b".png", b"")})
    assert contents(open_source(tmp_path)) == {"images/a": "", "images/b": ""}


def test_tables_and_archives_behind_outer_folders_are_still_found(tmp_path):
    pixels = b"emotion,pixels\nhappy,1 2 3 4\n"
    write_files(tmp_path / "a", {"readme.txt": b"", "fer2013/x/fer2013.csv": pixels})
    write_files(tmp_path / "b", {"notes.csv": b"a,b\n", "fer2013/fer2013.csv": pixels})
    for folder in "ab":
        assert open_source(tmp_path / folder).layout == "table of pixels"
    write_files(tmp_path / "c", {"readme.txt": b"", "set/happy/a.png": IMAGE, "set/fer2013.csv": pixels})
    with pytest.raises(InputError, match=r"several sources: .*the class folders.*set/fer2013\.csv"):
        open_source(tmp_path / "c")


def test_missing_and_broken_images_of_a_manifest_are_rejected_by_name(tmp_path):
    table = b"image,emotion\na.png,sad\nb.png,sad\nnone.png,sad\nno.txt,sad\n"
    files = {"a.png": IMAGE, "b.png": IMAGE[:50], "no.txt": b"hi", "labels.csv": table}
    write_files(tmp_path / "a", files)
    write_zip(tmp_path / "b" / "b.zip", files)
    for folder in "ab":
        found = contents(open_source(tmp_path / folder))
        assert [bool(found[name]) for name in ("a.png", "b.png", "none.png", "no.txt")] == [False, True, True, True]
        assert "missing" in found["none.png"]


def test_class_folders_and_a_manifest_are_several_sources(tmp_path):
    files = {"happy/a.png": IMAGE, "sad/b.png": IMAGE, "labels.csv": b"image,emotion\nhappy/a.png,fear\n"}
    write_files(tmp_path / "raw", files)
    with pytest.raises(InputError, match=r"several sources: \. .*labels\.csv \(a manifest\).*source\.file"):
        open_source(tmp_path / "raw")
    folders = open_source(tmp_path / "raw", ".")
    assert (folders.layout, len(contents(folders)), folders.skipped) == ("class folders", 2, {"label files": 1})
    table = open_source(tmp_path / "raw", "labels.csv")
    assert (table.layout, list(contents(table)), table.skipped) == ("manifest", ["happy/a.png"], {"unlisted images": 1})
    write_zip(tmp_path / "zip" / "a.zip", files)
    with pytest.raises(InputError, match=r"a\.zip holds several sources: labels\.csv and folders.*source\.file"):
        open_source(tmp_path / "zip")


def test_a_table_of_other_things_beside_class_folders_is_a_label_file(tmp_path):
    """RAF-DB at Kaggle: folders of numbers, and lists of names that lie nowhere as they are written."""
    files = {"DATASET/train/1/train_00001_aligned.jpg": IMAGE, "DATASET/test/7/test_0001_aligned.jpg": IMAGE}
    lists = {"train_labels.csv": b"image,label\ntrain_00001_aligned.jpg,1\n", "a.csv": b"<html>", "b.csv": b""}
    write_files(tmp_path, files | lists)
    with pytest.raises(InputError, match=r"numbers 1, 7.*labels\.numbers"):
        open_source(tmp_path)
    source = open_source(tmp_path, labels=NUMBERED["rafdb"])
    assert (source.layout, source.skipped) == ("class folders", {"label files": 3})
    found = [entry[:3] for batch in source.batches(content_of) for entry, _ in batch]
    assert found == [(name, emotion, split) for name, emotion, split in zip(
        sorted(files), ["neutral", "surprise"], ["test", "train"], strict=True)]  # fmt: skip


def test_a_table_of_pixels_beside_class_folders_is_a_source_of_its_own(tmp_path):
    write_files(tmp_path, {"happy/a.png": IMAGE, "fer2013.csv": b"emotion,pixels\nhappy,1 2 3 4\n"})
    with pytest.raises(InputError, match=r"several sources: \. .*fer2013\.csv"):
        open_source(tmp_path)


def test_folders_without_images_beside_a_table_are_no_source(tmp_path):
    write_files(tmp_path, {"models/net.h5": b"", "fer2013.csv": b"emotion,pixels\nhappy,1 2 3 4\n"})
    assert open_source(tmp_path).layout == "table of pixels"


def test_a_manifest_whose_images_are_elsewhere_is_explained(tmp_path):
    write_files(tmp_path, {**FLAT, "labels.csv": TABLE.replace(b"images/", b"photos/")})
    with pytest.raises(InputError, match=r"(?s)manifest: labels\.csv: none of .*'photos/a\.png'"):
        open_source(tmp_path)
    with pytest.raises(InputError, match=r"labels\.csv: none of the 2 images exists, such as 'photos/a\.png'"):
        open_source(tmp_path, "labels.csv")


def test_images_behind_a_link_to_a_folder_are_refused(tmp_path):
    write_files(tmp_path / "elsewhere", {"a.png": IMAGE})
    write_files(tmp_path / "raw", {"labels.csv": b"image,emotion\nimages/a.png,sad\n"})
    (tmp_path / "raw/images").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"raw/images is a link to the folder"):
        open_source(tmp_path / "raw", "labels.csv")


def test_two_tables_are_two_manifests():
    tree = MemoryTree(
        {**FLAT, "a.csv": TABLE, "b.tsv": TABLE.replace(b",", b"\t"), "images/c.csv": TABLE, "d.csv": b"x\n"}
    )
    assert find_manifests(tree, tree.list().names) == ["a.csv", "b.tsv"]
    with pytest.raises(InputError, match=r"several sources: a\.csv, b\.tsv, expected one"):
        read_layout(tree, tree.list().names, LabelReader())


@pytest.mark.parametrize(
    "table, reason",
    [
        ("d.csv", r"manifest: d\.csv: no columns of images and emotions; found x"),
        ("photos/d.csv", r"manifest: no table at the top; source\.file .*photos/d\.csv"),
        ("d.txt", "manifest: no CSV or Parquet file"),
    ],
)
def test_a_refusal_says_why_no_table_is_a_manifest(table, reason):
    tree = MemoryTree({**FLAT, "photos/c.png": IMAGE, table: b"x\n"})
    with pytest.raises(InputError, match=reason):
        read_layout(tree, tree.list().names, LabelReader())


@pytest.mark.parametrize(
    "train, test",
    [
        ("train.csv", "test.csv"),
        ("x/Train_labels.csv", "x/test-labels.csv"),
        ("train/metadata.csv", "test/metadata.csv"),
    ],
)
@pytest.mark.parametrize("write", [write_files, write_zip])
def test_manifests_with_a_split_each_are_read_together(train, test, write, tmp_path):
    folder = train.rpartition("/")[0]
    other = test.rpartition("/")[0]
    files = {f"{folder}/a.png": IMAGE, f"{other}/b.png": IMAGE, f"{other}/c.png": IMAGE}
    tables = {train: b"file_name,label,age\na.png,sad,1\n", test: b"file_name,label,age\nb.png,happy,2\n"}
    write(tmp_path / "raw" / "set", {name.lstrip("/"): data for name, data in (files | tables).items()})
    source = open_source(tmp_path / "raw")
    entries = [entry for batch in source.batches(content_of) for entry, _ in batch]
    assert [(entry.image[-5:], entry.emotion, entry.split, entry.columns) for entry in entries] in (
        [("b.png", "happy", "test", ("2",)), ("a.png", "sad", "train", ("1",))],
        [("a.png", "sad", "train", ("1",)), ("b.png", "happy", "test", ("2",))],
    )
    assert (source.layout, source.columns, source.skipped) == ("manifest", ("age",), {"unlisted images": 1})


def test_manifests_of_splits_with_other_columns_are_refused(tmp_path):
    tables = {"train.csv": TABLE, "test.csv": b"image,emotion,age\nimages/a.png,sad,3\n"}
    write_files(tmp_path, FLAT | tables)
    with pytest.raises(InputError, match=r"manifests test\.csv, train\.csv have other columns: none; age"):
        open_source(tmp_path)
    write_files(tmp_path, {"train_2.csv": TABLE})
    with pytest.raises(InputError, match=r"several sources: .*test\.csv.*train\.csv.*train_2\.csv"):
        open_source(tmp_path)
