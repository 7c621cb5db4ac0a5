"""The readers of data sets with signs of their own: emotions, splits, groups, boxes, columns and what is left over."""

import io
import re

import numpy as np
import pytest

from emotion.core.errors import InputError
from emotion.faces.detection import Box
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.content import content_of
from emotion.ingest.sources.layouts.layout import Layout
from emotion.ingest.sources.layouts.readers import READERS, read_layout
from emotion.ingest.sources.source import Entry
from tests.ingest.sources.layouts.trees import NUMBERED, MemoryTree, tree_of
from tests.makers import encode, open_source, write_files, write_tar, write_zip


def read(tree: MemoryTree, labels: LabelReader = LabelReader()) -> Layout:  # noqa: B008
    return read_layout(tree, tree.list().names, labels)


def with_files(tree: MemoryTree, **contents: bytes) -> MemoryTree:
    return MemoryTree({**tree.files, **contents})


def npy(value: object) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(value))
    return file.getvalue()


# RAF-DB

RAFDB_LIST = b"train_00001.jpg 5\r\ntrain_00002.jpg 1\ntest_0001.jpg 7\n\ntest_0002.jpg 4\n"


@pytest.mark.parametrize("spelling", ["list_patition_label.txt", "List_Partition_Label.txt"])
@pytest.mark.parametrize("folder, end", [("basic/Image/aligned", "_aligned.jpg"), ("original", ".jpg")])
def test_rafdb(spelling, folder, end):
    names = [f"{folder}/{stem}{end}" for stem in ("train_00001", "train_00002", "test_0001", "test_0003")]
    layout = read(with_files(tree_of(*names), **{f"basic/EmoLabel/{spelling}": RAFDB_LIST}))
    assert layout.name == "RAF-DB"
    assert layout.entries[:3] == [
        Entry(names[0], "sad", "train", "5"),
        Entry(names[1], "surprise", "train", "1"),
        Entry(names[2], "neutral", "test", "7"),
    ]
    assert (layout.entries[3].image, layout.entries[3].split) == ("test_0002.jpg", "test")
    assert "missing" in layout.entries[3].fault
    assert layout.skipped == {"unlisted images": 1}


def test_rafdb_takes_the_aligned_of_two_files():
    files = {"list_patition_label.txt": b"train_00001.jpg 6\n"}
    tree = with_files(tree_of("aligned/train_00001_aligned.jpg", "original/train_00001.jpg"), **files)
    (entry,) = read(tree).entries
    assert entry[:3] == ("aligned/train_00001_aligned.jpg", "angry", "train")


def test_numbers_that_rafdb_has_not_are_refused_unless_a_numbering_is_chosen():
    tree = with_files(tree_of("aligned/train_00001_aligned.jpg"), **{"list_patition_label.txt": b"train_00001.jpg 0\n"})
    with pytest.raises(InputError, match=r"list_patition_label\.txt: .*\b0\b.*labels\.numbers"):
        read(tree)
    assert read(tree, NUMBERED["affectnet"]).entries[0].emotion == "neutral"
    assert "1 surprise" in read(tree, NUMBERED["rafdb"]).entries[0].fault


def test_the_compound_part_of_rafdb_has_other_numbers():
    basic, compound = "basic/Image/aligned/train_00001_aligned.jpg", "compound/Image/aligned/train_0001_aligned.jpg"
    files = {"basic/EmoLabel/list_patition_label.txt": b"train_00001.jpg 4\n"}
    mixed = {"compound/EmoLabel/list_patition_label.txt": b"train_0001.jpg 11\n"}
    layout = read(with_files(tree_of(basic, compound), **files, **mixed))
    assert [(entry.image, entry.emotion) for entry in layout.entries] == [(basic, "happy")]
    assert layout.skipped == {"unlisted images": 1, "label files": 1}
    with pytest.raises(InputError, match=r"compound/.*: .*\b11\b.*labels\.numbers"):
        read(with_files(tree_of(compound), **mixed))


def test_a_broken_list_of_rafdb_is_refused():
    tree = with_files(tree_of("aligned/a_aligned.jpg"), **{"list_patition_label.txt": b"a.jpg 1\nb.jpg\n"})
    with pytest.raises(InputError, match=r"list_patition_label\.txt: line 2 .*'b\.jpg'.*train_00001\.jpg 5"):
        read(tree)


@pytest.mark.parametrize("write", [write_files, write_zip, write_tar])
def test_a_data_set_is_read_from_a_folder_and_from_archives(write, tmp_path):
    image = encode(np.random.default_rng(0).integers(0, 256, (12, 12), dtype=np.uint8))
    files = {"basic/aligned/train_00001_aligned.jpg": image, "basic/aligned/test_0001_aligned.jpg": image}
    write(tmp_path / "raw" / "set", files | {"basic/list_patition_label.txt": RAFDB_LIST, "basic/Thumbs.db": b""})
    source = open_source(tmp_path / "raw")
    found = [(entry, content) for batch in source.batches(content_of) for entry, content in batch]
    assert (source.layout, dict(source.skipped)) == ("RAF-DB", {"system files": 1})
    assert [(entry.emotion, content.height) for entry, content in found if not content.reason] == [
        ("sad", 12),
        ("neutral", 12),
    ]
    assert [content.reason for _, content in found if content.reason] == [
        "the list has it, and the file is missing"
    ] * 2


# AffectNet


def affectnet(split: str, number: int, expression: object, annotations: str = "annotations/", images: str = "images/"):
    files = {"exp": npy(expression), "val": npy("-0.25"), "aro": npy(0.5), "lnd": npy(np.zeros(136))}
    described = {f"{split}/{annotations}{number}_{kind}.npy": data for kind, data in files.items()}
    return {f"{split}/{images}{number}.jpg": b""} | described


@pytest.mark.parametrize("folders", [("annotations/", "images/"), ("", "")])
def test_affectnet(folders):
    files = affectnet("train_set", 1, "1", *folders) | affectnet("val_set", 2, 7, *folders)
    files |= affectnet("train_set", 3, "8", *folders) | affectnet("train_set", 4, 10.0, *folders)
    layout = read(MemoryTree(files))
    assert (layout.name, layout.columns) == ("AffectNet", ("valence", "arousal"))
    found = {entry.image.rpartition("/")[2]: entry for entry in layout.entries}
    assert {name: entry[1:4] for name, entry in found.items()} == {
        "1.jpg": ("happy", "train", "1"),
        "2.jpg": ("contempt", "val", "7"),
        "3.jpg": ("none", "train", "8"),
        "4.jpg": ("no face", "train", "10.0"),
    }
    assert {entry.columns for entry in layout.entries} == {("-0.25", "0.5")}
    assert layout.skipped == {"label files": 4}


def test_affectnet_with_broken_labels():
    files: dict[str, bytes] = {}
    broken = [b"", b"no array", npy(np.zeros(3)), npy(np.zeros(9999)), npy("12"), npy(np.array([{}], dtype=object))]
    for number, data in enumerate(broken):
        files |= affectnet("train_set", number, 1) | {f"train_set/annotations/{number}_exp.npy": data}
    del files["train_set/annotations/5_val.npy"]
    files["train_set/images/6.jpg"] = b""
    layout = read(MemoryTree(files))
    assert len(layout.entries) == len(broken)
    for entry in layout.entries:
        assert entry.fault, entry
        assert len(entry.columns) == 2
    assert layout.skipped["unlisted images"] == 1


# ExpW


@pytest.mark.parametrize("where", [("label.lst", "origin/"), ("label/label.lst", "image/origin/")])
def test_expw(where):
    label, images = where
    lines = [b"angry actor_1.jpg 0 50 20 110 140 33.5 0", b"b.jpg 0 -3 5 60 62 9 3", b"b.jpg 1 1 2 3 4 9 6"]
    lines += [
        b"missing.jpg 0 1 2 3 4 9 6",
        b"b.jpg 2 10 20 5 40 9 6",
        b"b.jpg 3 1 2 x 4 9 6",
        b"b.jpg 4 1 2 3 4 9 hapy",
    ]
    tree = with_files(tree_of(f"{images}angry actor_1.jpg", f"{images}b.jpg"), **{label: b"\n".join(lines)})
    layout = read(tree)
    assert (layout.name, layout.columns) == ("ExpW", ("face_id", "box_confidence"))
    first = f"{images}angry actor_1.jpg"
    assert layout.entries[:3] == [
        Entry(first, "angry", None, "0", box=Box(20, 50, 90, 90), columns=("0", "33.5")),
        Entry(f"{images}b.jpg", "happy", None, "3", box=Box(5, -3, 55, 65), columns=("0", "9")),
        Entry(f"{images}b.jpg", "neutral", None, "6", box=Box(2, 1, 1, 3), columns=("1", "9")),
    ]
    faults = [entry.fault for entry in layout.entries[3:]]
    assert [bool(re.search(wanted, fault)) for wanted, fault in zip(
        ["missing", "empty", "no box", "'hapy' is not known"], faults, strict=True)] == [True] * 4  # fmt: skip
    assert layout.skipped == {}


def test_a_broken_list_of_expw_is_refused():
    tree = with_files(tree_of("origin/a.jpg"), **{"label.lst": b"a.jpg 0 1 2 3 4 5 6\na.jpg 3\n"})
    numbered = with_files(tree_of("origin/a.jpg"), **{"label.lst": b"a.jpg 0 1 2 3 4 5 7\n"})
    with pytest.raises(InputError, match=r"label\.lst: .*\b7\b.*labels\.numbers"):
        read(numbered)
    with pytest.raises(InputError, match=r"label\.lst: line 2 has 2 values.*confidence and emotion"):
        read(tree)


# FER+


def ferplus(**more: bytes) -> MemoryTree:
    lists = {
        "FER2013Train/label.csv": b'fer0000000.png,"(0, 0, 48, 48)",4,0,0,1,3,2,0,0,0,0\n'
        b'fer0000001.png,"(0, 0, 48, 48)",0,5,0,0,5,0,0,0,0,0\n',
        "FER2013Valid/label.csv": b'fer0028638.png,"(0, 0, 48, 48)",0,0,0,0,0,0,0,3,7,0\n',
        "FER2013Test/label.csv": b'fer0032220.png,"(0, 0, 48, 48)",0,0,0,0,0,0,0,0,1,9\n'
        b'fer0032221.png,"(0, 0, 48, 48)",0,0,0,0,0,2,0,8,0,0\n',
    }
    names = ["FER2013Train/fer0000000.png", "FER2013Train/fer0000001.png", "FER2013Valid/fer0028638.png"]
    return with_files(tree_of(*names, "FER2013Test/fer0032220.png"), **(lists | more))


def test_ferplus():
    layout = read(ferplus())
    assert (layout.name, layout.columns) == ("FER+", ("ferplus_votes",))
    assert [(entry.image, entry.emotion, entry.split, entry.columns) for entry in layout.entries] == [
        ("FER2013Test/fer0032220.png", "no face", "test", ("0 0 0 0 0 0 0 0 1 9",)),
        ("FER2013Test/fer0032221.png", "contempt", "test", ("0 2 0 0 0 0 0 8 0 0",)),
        ("FER2013Train/fer0000000.png", "neutral", "train", ("3 2 0 0 1 0 4 0 0 0",)),
        ("FER2013Train/fer0000001.png", "angry", "train", ("5 0 0 5 0 0 0 0 0 0",)),
        ("FER2013Valid/fer0028638.png", "unknown", "val", ("0 0 0 0 0 0 0 3 7 0",)),
    ]
    assert [bool(entry.fault) for entry in layout.entries] == [False, True, False, False, False]
    assert layout.skipped == {}


@pytest.mark.parametrize("votes", [b"4,0,0,1,3,2,0,0,0,x", b"-4,0,0,1,3,2,0,0,0,0", b"0.5,0,0,1,3,2,0,0,0,0"])
def test_votes_that_are_no_numbers_are_refused(votes):
    with pytest.raises(InputError, match=r"FER2013Train/label\.csv: .*votes"):
        read(ferplus(**{"FER2013Train/label.csv": b'fer0000000.png,"(0, 0, 48, 48)",' + votes}))


# JAFFE and KDEF


def test_jaffe():
    codes = ["AN", "DI", "FE", "HA", "NE", "SA", "SU"]
    names = [f"jaffe/K{letter}.{code}1.{number}.tiff" for number, code in enumerate(codes, 39) for letter in "AM"]
    layout = read(tree_of(*names, "jaffe/README_FIRST.txt"))
    assert layout.name == "JAFFE"
    assert {entry.image: (entry.emotion, entry.group) for entry in layout.entries}["jaffe/KM.FE1.41.tiff"] == (
        "fear",
        "KM",
    )
    emotions = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]
    assert [entry.emotion for entry in layout.entries if entry.group == "KA"] == emotions
    assert layout.skipped == {"label files": 1}
    assert [entry.split for entry in read(tree_of("train/KA.AN1.39.png", "test/KM.HA1.4.jpg")).entries] == [
        "test",
        "train",
    ]


def test_kdef():
    names = ["AF01/AF01ANS.JPG", "AF01/AF01AFHL.JPG", "BF01/BF01SUFR.JPG", "BM35/bm35nehr.jpg"]
    layout = read(
        tree_of(*names, *(f"AM{number:02}/AM{number:02}DIS.JPG" for number in range(1, 36)), "AM31/AM31H.JPG")
    )
    assert (layout.name, layout.columns) == ("KDEF", ("session", "sex", "view"))
    found = {entry.image: entry for entry in layout.entries}
    assert [(found[name].emotion, found[name].group, found[name].columns) for name in names] == [
        ("angry", "F01", ("A", "F", "S")),
        ("fear", "F01", ("A", "F", "HL")),
        ("surprise", "F01", ("B", "F", "FR")),
        ("neutral", "M35", ("B", "M", "HR")),
    ]
    assert len(found) == 39
    assert layout.skipped == {"images of other names": 1}


@pytest.mark.parametrize("name", ["AF01HAS.JPG", "KA.HA1.29.tiff"])
def test_a_folder_that_names_another_emotion_than_the_file_is_refused(name):
    assert read(tree_of(f"train/Happiness/{name}")).entries[0].emotion == "happy"
    assert read(tree_of(f"train/3/{name}"), NUMBERED["fer2013"]).entries[0].emotion == "happy"
    for folder in ("sad", "4"):
        with pytest.raises(InputError, match=rf"train/{folder}/{re.escape(name)}.*happy.*sad"):
            read(tree_of(f"train/{folder}/{name}"), NUMBERED["fer2013"])


# CK+


@pytest.mark.parametrize(
    "name, emotion",
    [
        ("CK+48/anger/S010_004_00000017.png", "angry"),
        ("contempt/S010/004/S010_004_00000017.png", "contempt"),
        ("S010/004/happy/S010_004_00000017.png", "happy"),
    ],
)
def test_ckplus(name, emotion):
    layout = read(tree_of(name, name.replace("S010", "S999").replace("004", "001")))
    assert layout.name == "CK+"
    assert [(entry.emotion, entry.group, entry.split) for entry in layout.entries] == [
        (emotion, "S010", None),
        (emotion, "S999", None),
    ]


def test_ckplus_without_folders_of_emotions_says_what_to_do():
    tree = tree_of("images/S005/001/S005_001_00000001.png", "Emotion/S005/001/S005_001_00000001_emotion.txt")
    with pytest.raises(InputError, match=r"CK\+: .*_emotion\.txt.*folder for each emotion"):
        read(tree)


# All of them


def test_an_unknown_layout_names_every_reader_and_the_manifest():
    with pytest.raises(InputError, match=r"(?s)data/raw: the layout is unknown.*manifest.*image and emotion") as error:
        read(tree_of("photos/a.jpg", "photos/b.jpg"))
    lines = str(error.value).split("\n")
    for reader in READERS:
        assert sum(line.strip().startswith(f"{reader}: ") for line in lines) == 1


@pytest.mark.parametrize(
    "names",
    [
        ("happy/a.jpg", "sad/b.jpg", "list_patition_label.txt"),
        ("happy/a.jpg", "sad/b.jpg", "annotations/123_exp.npy"),
        ("happy/a.jpg", "sad/b.jpg", "label.lst"),
        ("happy/a.jpg", "sad/b.jpg", "train/label.csv"),
        ("happy/KA.HA1.29.tiff", "sad/b.jpg", "c.txt"),
        ("happy/S010_004_00000017.png", "sad/b.jpg", "c.txt"),
    ],
)
def test_a_sign_alone_is_no_data_set(names):
    layout = read(tree_of(*names))
    assert layout.name == "class folders"
    assert [entry.emotion for entry in layout.entries] == ["happy", "sad"]
    assert layout.skipped == {"label files": 1}
