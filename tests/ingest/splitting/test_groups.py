"""Groups of a source: where they come from, what lies across splits, and names that look like sequences."""

import json

import numpy as np
import pandas as pd
import pytest

from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError
from emotion.core.labels import resolve_scheme
from emotion.core.params import SplitParams
from emotion.core.paths import DATASET_METRICS, TABLE
from emotion.data.table import SPLITS, read_table
from emotion.ingest.splitting.groups import find_groups
from emotion.ingest.splitting.sequence_names import PATTERN, find_sequences
from emotion.ingest.splitting.splits import assign_splits
from emotion.ingest.table_builder import build_table, check_classes
from stages import create_dataframe
from tests.makers import encode, images_of, write_files, write_params

PARAMS = SplitParams(validation=0.1, test=0.1, seed=1, group=None, near_copies=None, keep_copies=False)
SEVEN = resolve_scheme("seven")
PERSON = {"pattern": r"(S\d+)_"}
CLIP = {"pattern": r"(clip\d+)_"}


def named(*names: str) -> pd.DataFrame:
    images = images_of([("happy", None, str(number)) for number in range(len(names))])
    return images.assign(image=names, group=[name[:1] for name in names], person=["x", " y ", ""][: len(names)])


def test_groups_come_from_the_layout_a_column_or_the_path():
    images = named("a/S1_2_0003.png", "b/S1_4_0001.png", "b/T5.png")
    assert find_groups(images, None).tolist() == ["a", "b", "b"]
    assert find_groups(images, {"column": "person"}).tolist() == ["x", "y", ""]
    assert find_groups(images, {"column": "group"}).tolist() == ["a", "b", "b"]
    assert find_groups(images, PERSON).tolist() == ["S1", "S1", ""]
    assert find_groups(images, {"pattern": r"(S\d+)_(\d)"}).tolist() == ["S1/2", "S1/4", ""]
    assert find_groups(images, {"pattern": r"S(x?)|(T)"}).tolist() == ["", "", "/T"]


def test_a_person_is_the_same_in_tables_with_and_without_missing_numbers():
    images = named("train/a.png", "train/b.png", "test/a.png").assign(
        person=["3.0", "", "3"], group=["3", "v1.0", "3.00"]
    )
    assert find_groups(images, {"column": "person"}).tolist() == ["3", "", "3"]
    assert find_groups(images, None).tolist() == ["3", "v1.0", "3"]


@pytest.mark.parametrize(
    "names, choice, facts",
    [
        (["a/b.png"], {"column": "subject"}, ["'subject'", "person", "group"]),
        (["a/b.png"], PERSON, [r"(S\\d+)_", "'a/b.png'", "parentheses"]),
        (["row 0", "row 17"], {"pattern": r"(\d)"}, ["no path", "'row 0'", "column"]),
    ],
)
def test_groups_that_cannot_be_found_are_refused(names, choice, facts):
    with pytest.raises(InputError, match=r"^split\.group: got") as error:
        find_groups(named(*names), choice)
    assert all(fact in str(error.value) for fact in facts)


# Splits of the source


def across(keep_copies: bool = False) -> pd.Series:
    """Return why images of a source with splits are excluded, by their names."""
    rows = [
        ("t", "test", "1", "anna", ""),
        ("t2", "test", "2", "", ""),
        ("v", "val", "3", "ben", ""),
        ("v of group t", "val", "4", "anna", ""),
        ("v near t2", "val", "5", "", "t2"),
        ("copy of t", "train", "1", "", ""),
        ("group of t", "train", "6", "anna", ""),
        ("group of v", "train", "7", "ben", ""),
        ("near v near t2", "train", "8", "", "t2"),
        ("copy of v, group of t", "train", "3", "anna", ""),
        ("free", "train", "9", "cleo", ""),
    ]
    table = images_of([("happy", split, pixels) for _, split, pixels, _, _ in rows])
    table = table.assign(label=0, image=[row[0] for row in rows], group=[row[3] for row in rows])
    from emotion.ingest.splitting.copies import find_excluded

    table["near_copy_of"] = [row[4] for row in rows]
    return pd.Series(find_excluded(table, keep_copies).to_numpy(), index=table["image"])


def test_nothing_of_a_later_split_stays_in_an_earlier_one():
    excluded = across()
    assert excluded[excluded != ""].to_dict() == {
        "v of group t": "group of test",
        "v near t2": "near copy of test",
        "copy of t": "copy of test",
        "group of t": "group of test",
        "group of v": "group of val",
        "near v near t2": "near copy of test",
        "copy of v, group of t": "group of test",
    }


def test_kept_copies_leave_groups_apart():
    excluded = across(keep_copies=True)
    assert set(excluded) == {"", "group of test", "group of val"}
    assert excluded[["copy of t", "v near t2", "near v near t2"]].tolist() == [""] * 3


# A set like CK+


@pytest.mark.parametrize(
    "groups, facts",
    [
        (["indoor", "yard", "indoor", "yard"], ["got 0", "inside: indoor, yard"]),
        (["a", "b", "b", "c"], ["got 1", "(a)"]),
    ],
)
def test_too_few_groups_are_named_with_the_way_out(groups, facts):
    images = images_of([("happy", split, str(place)) for place, split in enumerate(["train", "train", "test", "test"])])
    with pytest.raises(InputError) as error:
        assign_splits(images.assign(group=groups), PARAMS)
    assert all(fact in str(error.value) for fact in [*facts, "train, val", "{pattern: '(.+)'}"])
    alone = find_groups(images.assign(image=list("abcd")), {"pattern": "(.+)"})
    assert set(assign_splits(images.assign(group=alone), PARAMS)) == set(SPLITS)


def test_a_class_without_images_in_a_split_is_explained_by_the_groups():
    kinds = [("happy", "positive"), ("sad", "negative"), ("angry", "other")]
    rows = [(emotion, None, f"{emotion}{number}") for emotion, _ in kinds for number in range(9)]
    images = images_of(rows).assign(group=np.repeat([group for _, group in kinds], 9))
    scheme = resolve_scheme(["happy", "sad"])
    with pytest.raises(InputError, match=r"3 groups, such as positive, negative, other\. split\.group .*\(\.\+\)"):
        check_classes(build_table(images, scheme, PARAMS), scheme)


def sequences(persons: int = 20, frames: int = 4, seed: int = 0) -> dict[str, bytes]:
    """Return files like those of CK+: of each person a sequence of each of three emotions with slow changes."""
    generator = np.random.default_rng(seed)
    files = {}
    for person in range(persons):
        for number, emotion in enumerate(("happy", "sad", "surprise")):
            face = generator.integers(0, 256, (16, 16))
            for frame in range(frames):
                face = face + generator.integers(-2, 3, face.shape)
                name = f"{emotion}/clip{person:03}_{number:03}_f{frame}.png"
                files[name] = encode(np.clip(face, 0, 255).astype(np.uint8))
    return files


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run create_dataframe on files; return the table, the counts and the output."""
    monkeypatch.chdir(tmp_path)

    def run_there(**changes):
        write_params(tmp_path, labels_scheme=["happy", "sad", "surprise"], **changes)
        create_dataframe.main()
        return read_table(TABLE), json.loads(DATASET_METRICS.read_text(encoding="utf-8")), capsys.readouterr().out

    return run_there


@pytest.mark.medium
def test_frames_of_a_person_leak_without_groups_and_not_with_them(run, tmp_path):
    write_files(tmp_path / "data/raw", sequences())
    table, metrics, output = run()
    assert metrics["sequence_names"]["images"] == len(table) == 240
    assert PATTERN in output
    assert "groups" not in metrics
    persons = table["image"].str.extract(r"(clip\d+)_")[0]
    test, train = persons[table["split"] == "test"], persons[table["split"] == "train"]
    leaked = test.isin(train).mean()
    assert leaked > 0.9
    table, metrics, output = run(split_group=CLIP)
    assert table.groupby("group")["split"].nunique().max() == 1
    groups = metrics["groups"]
    assert (groups["total"], sum(groups[split] for split in SPLITS), groups["images_without"]) == (20, 20, 0)
    leaks = groups["would_leak"]
    assert (leaks["test_share"], leaks["test"]) == (round(leaked, 4), test.isin(train).sum())
    assert "sequence_names" not in metrics
    assert "20 groups" in output
    assert "warning" not in output
    assert [metrics["excluded"][f"group_of_{split}"] for split in ("test", "val")] == [0, 0]
    # The pattern that the warning suggests keeps each sequence together.
    table, _, output = run(split_group={"pattern": PATTERN})
    assert table["image"].str.rpartition("_")[0].str.rpartition("/")[2].groupby(table["split"]).nunique().sum() == 60
    assert "60 groups" in output


def test_groups_across_the_splits_of_a_source_are_counted_and_left_out(run, tmp_path):
    """Each of 20 persons has half of the images in test/, and 20 more are in train/ only."""
    files = sequences(frames=2)
    split = {name: "test" if name.endswith("1.png") else "train" for name in files}
    write_files(tmp_path / "data/raw", {f"{split[name]}/{name}": content for name, content in files.items()})
    others = {name.replace("clip0", "clip1"): content for name, content in sequences(seed=1).items()}
    write_files(tmp_path / "data/raw", {f"train/{name}": content for name, content in others.items()})
    table, metrics, _ = run(split_group=CLIP)
    assert metrics["excluded"]["group_of_test"] == metrics["excluded"]["total"] == 60
    assert metrics["groups"]["would_leak"]["test"] == metrics["images"]["test"]["total"] == 60
    used = table[table["excluded"] == ""]
    assert used.groupby("group")["split"].nunique().max() == 1
    # Validation is chosen among the persons that are not in test.
    assert metrics["images"]["val"]["total"] == 24


@pytest.mark.parametrize(
    "seen, names",
    [
        (True, [f"happy/S{person:03}_{place // 3:03}_{place:08}.png" for person in range(4) for place in range(6)]),
        (True, [f"clip{clip}_f{frame:04}.jpg" for clip in range(5) for frame in range(9)]),
        (True, [f"happy/{name}_{number:02}.jpg" for name in ("anna", "ben", "cleo") for number in range(5)]),
        (True, [f"{name}_{n:04}.jpg" for name in ("Tony_Blair", "Hugo_Chavez", "Colin_Powell") for n in range(4)]),
        (
            False,
            [f"{split}_{number}.jpg" for split in ("Training", "PublicTest", "PrivateTest") for number in range(9)],
        ),
        (False, [f"im{number}.png" for number in range(30)]),
        (False, [f"{emotion}/{emotion}_{number:03}.jpg" for emotion in EMOTIONS for number in range(9)]),
        (False, [f"{split}_{number:05}_aligned.jpg" for split in ("train", "test") for number in range(9)]),
        (False, [f"happy/{number}.jpg" for number in range(30)]),
        (False, [f"{emotion}/{number:04}.jpg" for emotion in range(7) for number in range(9)]),
        (False, [f"{number:08x}ab.jpg" for number in range(0, 2**32, 2**26 + 12345)]),
        (False, [f"row {number}" for number in range(30)]),
        (False, [f"IMG_{number}.jpg" for number in range(9)] + [f"photo{number}.jpg" for number in range(9)]),
        (False, ["anna_01.jpg", "anna_02.jpg", "ben_01.jpg", *(f"{number}.jpg" for number in range(30))]),
        (False, []),
    ],
)
def test_names_of_sequences_and_persons_are_seen(seen, names):
    found = find_sequences(names)
    assert (found is not None) == seen
    if found:
        assert found.images == len(names)
        assert PATTERN in found.warn(len(names))
        images = images_of([("happy", None, name) for name in names]).assign(image=names)
        assert find_groups(images, {"pattern": PATTERN}).nunique() == found.prefixes


def test_emotions_of_the_users_own_are_no_persons():
    names = [f"{emotion}_{number}.jpg" for emotion in ("bored", "engaged", "absent") for number in range(5)]
    assert find_sequences(names) is not None
    assert find_sequences(names, ["bored", "engaged", "absent"]) is None


def test_the_numbers_of_labels_are_no_persons():
    names = [f"{label}_{number}.jpg" for label in "0123" for number in range(5)]
    assert find_sequences(names, labels=[name[0] for name in names]) is None
    persons = find_sequences(names, labels=["0"] * len(names))
    assert persons is not None
    assert (persons.prefixes, persons.images) == (3, 15)
