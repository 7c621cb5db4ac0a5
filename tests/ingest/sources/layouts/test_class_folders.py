"""emotion.ingest.sources.layouts.class_folders: emotion, split and group come from the folders of a path."""

import pytest

from emotion.core.errors import InputError
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.layouts import class_folders
from emotion.ingest.sources.layouts.layout import Layout, OtherLayoutError
from tests.ingest.sources.layouts.trees import NUMBERED, MemoryTree, tree_of


def read(*names: str, labels: LabelReader = LabelReader()) -> Layout:  # noqa: B008
    tree = tree_of(*names)
    return class_folders.read(tree, tree.list().names, labels)


def kinds(*names: str, labels: LabelReader = LabelReader()) -> list[tuple[str, str | None, str]]:  # noqa: B008
    """Return emotion, split and group of each file, in the order of `names`."""
    entries = {entry.image: entry for entry in read(*names, labels=labels).entries}
    assert len(entries) == len(names)
    return [(entries[name].emotion, entries[name].split, entries[name].group) for name in names]


@pytest.mark.parametrize(
    "names, wanted",
    [
        (["happy/a.png", "Sadness/b.jpg"], [("happy", None, ""), ("sad", None, "")]),
        (["train/happy/a.png", "val/sad/b.png"], [("happy", "train", ""), ("sad", "val", "")]),
        (["happy/train_set/a.png", "sad/val_set/b.png"], [("happy", "train", ""), ("sad", "val", "")]),
        (["p1/happy/a.png", "p2/happy/b.png"], [("happy", None, "p1"), ("happy", None, "p2")]),
        (["1/happy/a.png", "2/sad/b.png"], [("happy", None, "1"), ("sad", None, "2")]),
        (["happy/Anna/a.png", "sad/Bo/b.png"], [("happy", None, "Anna"), ("sad", None, "Bo")]),
        (["Joy/happy/a.png", "Anna/sad/b.png"], [("happy", None, "Joy"), ("sad", None, "Anna")]),
        (["happy/a.png", "sad/Bo/b.png"], [("happy", None, ""), ("sad", None, "Bo")]),
        (["train/p1/happy/a.png", "test/p2/sad/b.png"], [("happy", "train", "p1"), ("sad", "test", "p2")]),
        (["p1/happy/take 1/a.png", "p2/sad/take 2/b.png"], [("happy", None, "p1/take 1"), ("sad", None, "p2/take 2")]),
        (["images/images/train/happy/a.png", "images/images/validation/sad/b.png"],
         [("happy", "train", ""), ("sad", "val", "")]),
        (["train/train/happy/a.png", "test/test/sad/b.png"], [("happy", "train", ""), ("sad", "test", "")]),
        (["happy/happy/a.png", "sad/sad/b.png"], [("happy", None, ""), ("sad", None, "")]),
        (["rafdb_train/happy/a.png", "rafdb_test/sad/b.png"], [("happy", "train", ""), ("sad", "test", "")]),
        (["FER2013Train/happy/a.png", "FER2013Valid/sad/b.png"], [("happy", "train", ""), ("sad", "val", "")]),
        (["test/sad/PrivateTest_1.png", "test/sad/publictest_1.png"], [("sad", "test", ""), ("sad", "val", "")]),
        (["Angry/a.png", "angry/b.png", "ANGER faces/c d.png"], [("angry", None, "")] * 3),
        (["happy/a.png", "Ahegao/b.png"], [("happy", None, ""), ("ahegao", None, "")]),
        (["out/happy/a.png"], [("happy", None, "")]),
        (["train/happy/a.png"], [("happy", "train", "")]),
        (["natural/happy/a.png", "natural/sad/b.png"], [("happy", None, ""), ("sad", None, "")]),
        (["happy/S010_004_00000017.png", "sad/KA.SA1.39.tiff", "sad/bf07sas.jpg", "sad/d.png"],
         [("happy", None, "S010"), ("sad", None, "KA"), ("sad", None, "F07"), ("sad", None, "")]),
    ],
)  # fmt: skip
def test_folders_name_emotion_split_and_group(names, wanted):
    assert kinds(*names) == wanted


def test_emotions_of_ones_own():
    labels = LabelReader(own=("bored", "engaged"))
    assert kinds("Bored/a.png", "engaged/b.png", labels=labels) == [("bored", None, ""), ("engaged", None, "")]


def test_numbers_are_read_in_the_chosen_numbering():
    names = ["DATASET/train/1/a.png", "DATASET/test/7/b.png"]
    assert kinds(*names, labels=NUMBERED["rafdb"]) == [("surprise", "train", ""), ("neutral", "test", "")]
    assert kinds("S1/0/a.png", "S2/3/b.png", labels=NUMBERED["affectnet"]) == [
        ("neutral", None, "S1"),
        ("surprise", None, "S2"),
    ]
    # Only one level has no other numbers, so the other ones are persons.
    names = [f"{person}/{emotion}/a.png" for person in (1, 2, 30) for emotion in (0, 1)]
    assert kinds(*names, labels=NUMBERED["affectnet"])[-1] == ("happy", None, "30")
    # Names of emotions count before numbers, so these numbers are persons.
    assert kinds("3/happy/a.png", "4/sad/b.png", labels=NUMBERED["fer2013"]) == [
        ("happy", None, "3"),
        ("sad", None, "4"),
    ]


def test_numbers_without_a_numbering_are_shown_beside_the_known_ones():
    with pytest.raises(InputError, match=r"data/raw: .*1, 2, 7.*labels\.numbers.*rafdb.*mapping") as error:
        read("train/1/a.png", "train/2/b.png", "test/7/c.png")
    assert not isinstance(error.value, OtherLayoutError)
    assert "surprise" in str(error.value)
    with pytest.raises(InputError, match=r"labels\.numbers"):
        read("happy/a.png", "sad/b.png", "3/c.png")


def test_numbers_outside_of_the_numbering_are_refused_with_what_it_has():
    with pytest.raises(InputError, match=r"data/raw: .*\b7\b.*0 angry.*6 neutral") as error:
        read("6/a.png", "7/b.png", labels=NUMBERED["fer2013"])
    assert not isinstance(error.value, OtherLayoutError)


def test_numbers_at_several_levels_are_refused():
    with pytest.raises(OtherLayoutError, match=r"several levels are numbers of emotions: 1, 2; 0, 3"):
        read("1/0/a.png", "2/3/b.png", labels=NUMBERED["affectnet"])


def test_a_slip_is_refused():
    with pytest.raises(InputError, match=r"data/raw: .*'hapy'.*did you mean happy") as error:
        read("hapy/a.png", "sad/b.png")
    assert not isinstance(error.value, OtherLayoutError)


@pytest.mark.parametrize(
    "names, found",
    [
        (["bored/a.png", "engaged/b.png"], "no folder is named after an emotion .* bored, engaged"),
        (["bored/a.png", "engaged/b.png"], r"emotions of your own, set labels\.scheme: \[bored, engaged\] in params"),
        (["train/bored/a.png", "test/engaged/b.png"], r"set labels\.scheme: \[bored, engaged\] in params"),
        (["x1/bored/a.png", "x2/engaged/b.png"], r"with images are bored, engaged, x1, x2$"),
        (["a.png", "b.png"], "no folder is named after an emotion"),
        (["happy/1", "sad/2"], "no files with the suffix of an image.* happy/1, sad/2"),
        (["hapy/a.png", "saad/b.png"], r"hapy \(did you mean happy\?\), saad \(did you mean sad\?\)$"),
        (["happy/a.png", "b.png"], "outside of class folders.*(none)"),
        (["train/happy/a.png", "train/b.png"], "outside of class folders.* train$"),
        (["train/happy/a.png", "unlabeled/b.png"], "outside of class folders.* unlabeled$"),
        (["train/happy/a.png", "extra/sad/b.png"], "some of the folders extra, train are splits, but not extra"),
        (["train/val/happy/a.png", "train/train/sad/b.png"], "several splits"),
        (["happy/train/a.png", "happy/b.png"], "no split, as others do"),
        (["happy/sad/a.png", "sad/sad/b.png"], "happy/sad name two emotions"),
        (["happy/a.png", "sad/b.png", "train/c.png"], "train lie beside class folders"),
        (["001/a.png", "002/b.png"], "no folder is named after an emotion"),
    ],
)
def test_other_layouts_say_what_is_missing(names, found):
    with pytest.raises(OtherLayoutError, match=found):
        read(*names)


def test_files_that_are_no_images_are_counted():
    names = ["happy/a.png", "happy/a.txt", "happy/a.XML", "labels.csv", "models/net.h5", "README", "sad/b.png"]
    layout = read(*names)
    assert [entry.image for entry in layout.entries] == ["happy/a.png", "sad/b.png"]
    assert layout.skipped == {"label files": 3, "other files": 2}


def test_a_doubled_folder_is_read_once():
    """Kaggle's archive jonathanoheix holds its images in images/ and again in images/images/."""
    files = {f"images/train/{emotion}/{number}.jpg": f"{emotion} {number}".encode()
             for emotion in ("happy", "sad") for number in range(40)}  # fmt: skip
    doubled = {name.replace("images/", "images/images/"): data for name, data in files.items()}
    tree = MemoryTree(files | doubled)
    layout = class_folders.read(tree, tree.list().names, LabelReader())
    assert [entry.image for entry in layout.entries] == sorted(files)
    assert {(entry.split, entry.group) for entry in layout.entries} == {("train", "")}
    assert layout.skipped == {"doubled files": 80}


def test_nested_folders_of_other_images_are_no_doubles():
    tree = MemoryTree({"happy/1.png": b"one", "happy/happy/1.png": b"two", "sad/1.png": b""})
    with pytest.raises(InputError, match=r"happy/happy/1\.png and happy/1\.png .*differ"):
        class_folders.read(tree, tree.list().names, LabelReader())
    assert [emotion for emotion, _, _ in kinds("happy/1.png", "happy/happy/2.png", "sad/1.png")] == [
        "happy",
        "happy",
        "sad",
    ]
