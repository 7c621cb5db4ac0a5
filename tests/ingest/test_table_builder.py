"""From a source to the table: copies, splits, exclusions, counts, and what a bad source leaves."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError
from emotion.core.files import write_csv
from emotion.core.labels import resolve_scheme
from emotion.core.params import SplitParams
from emotion.core.paths import DATASET_METRICS, PIXELS, REJECTED, TABLE
from emotion.data.table import COLUMNS, SPLITS, read_table
from emotion.ingest.statistics import hash_used
from emotion.ingest.table_builder import build_table
from stages import create_dataframe
from tests.makers import (
    Row,
    comparable,
    csv_text,
    encode,
    find_fer2013,
    image_files,
    images_of,
    make_rows,
    write_files,
    write_params,
    write_tar,
    write_zip,
)

ROOT = Path(__file__).parents[2]
RAW = Path("data/raw")
SEVEN = resolve_scheme("seven")
PARAMS = SplitParams(validation=0.1, test=0.1, seed=1, group=None, near_copies=None, keep_copies=False)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run create_dataframe in a temporary folder; its source is what was written to data/raw."""
    monkeypatch.chdir(tmp_path)

    def run_there(**changes: object) -> tuple[pd.DataFrame, dict[str, Any]]:
        write_params(tmp_path, **changes)
        create_dataframe.main()
        return read_table(TABLE), json.loads(DATASET_METRICS.read_text(encoding="utf-8"))

    return run_there


# The table


def test_columns_and_values(run):
    rows = make_rows()
    rows[3] = (rows[3][0], rows[3][1], np.full((12, 12), 9, np.uint8))
    write_files(RAW, {"fer2013.csv": csv_text(rows).encode()})
    table, _ = run()
    assert list(table.columns) == list(COLUMNS)
    assert len(table) == len(rows)
    row = table.iloc[3]
    assert (row["image"], row["emotion"], row["label"], row["split"]) == ("row 3", "disgust", 1, "train")
    assert (row["height"], row["width"], row["channels"], row["offset"]) == (12, 12, 1, 3 * 144)
    assert (row["copy_of"], row["excluded"], bool(row["blank"])) == ("", "", True)
    assert table["blank"].sum() == 1
    pixels = np.load(PIXELS)
    assert (pixels.dtype, pixels.shape) == (np.uint8, (len(rows) * 144,))
    np.testing.assert_array_equal(pixels.reshape(-1, 12, 12), np.stack([image for _, _, image in rows]))


def test_csv_and_folder_give_the_same_table(run):
    rows = make_rows(per_class=4)
    rows.append(("happy", "train", rows[-1][2]))
    write_files(RAW / "a", {"fer2013.csv": csv_text(rows).encode()})
    write_files(RAW / "b", image_files(rows))
    write_zip(RAW / "c" / "archive.zip", image_files(rows))
    (first, metrics), *others = (run(source_folder=f"data/raw/{name}") for name in "abc")
    for table, other_metrics in others:
        pd.testing.assert_frame_equal(comparable(table), comparable(first))
        # A table has numbers where folders have names.
        assert {**other_metrics, "labels": {}} == {**metrics, "labels": {}}


def test_labels_follow_the_scheme_and_come_back(run):
    write_files(RAW, {"fer2013.csv": csv_text(make_rows()).encode()})
    table, metrics = run(labels_scheme=["sad", "happy"])
    scheme = resolve_scheme(["sad", "happy"])
    used = table[table["excluded"] == ""]
    assert [scheme.emotions[label] for label in used["label"]] == used["emotion"].tolist()
    assert (table.loc[~table["emotion"].isin(scheme.emotions), ["label", "excluded"]] == (-1, "scheme")).all(axis=None)
    assert metrics["excluded"] == {"total": 30, "scheme": 30, "copy_of_test": 0, "copy_of_val": 0}
    assert metrics["images"]["test"] == {"total": 4, "sad": 2, "happy": 2}
    table, _ = run()
    assert [EMOTIONS[label] for label in table["label"]] == table["emotion"].tolist()


def test_merged_and_dropped_emotions_in_the_table(run):
    write_files(RAW, {"fer2013.csv": csv_text(make_rows()).encode()})
    whole, _ = run()
    table, metrics = run(labels_scheme=["neutral", {"positive": ["happy", "surprise"]}, {"sad": ["fear", "sad"]}])
    names = {"happy": "positive", "surprise": "positive", "fear": "sad"}
    assert table["emotion"].tolist() == whole["emotion"].replace(names).tolist()
    used = table[table["excluded"] == ""]
    assert set(zip(used["label"], used["emotion"], strict=True)) == {(0, "neutral"), (1, "positive"), (2, "sad")}
    assert set(table.loc[table["excluded"] == "scheme", "emotion"]) == {"angry", "disgust"}
    assert metrics["images"]["val"] == {"total": 10, "neutral": 2, "positive": 4, "sad": 4}
    same = ["image", "split", "hash", "copy_of", "offset"]
    pd.testing.assert_frame_equal(table[same], whole[same])


def test_folders_of_contempt_are_read_and_left_out_of_the_seven(run):
    rows = make_rows(per_class=3)
    write_files(RAW, image_files([*rows, *(("contempt", split, image[::-1]) for _, split, image in rows[::4])]))
    table, metrics = run()
    contempt = table[table["emotion"] == "contempt"]
    assert len(contempt) == metrics["excluded"]["scheme"] == 16
    assert (contempt[["label", "excluded"]] == (-1, "scheme")).all(axis=None)
    table, metrics = run(labels_scheme=["contempt", "happy"])
    assert metrics["images"]["total"] == 16 + 9


def test_a_table_that_is_missing_or_something_else_is_refused(tmp_path):
    with pytest.raises(InputError, match="is missing; run `dvc repro create_dataframe`"):
        read_table(tmp_path / "a.csv")
    for text in ("image,emotion\na,b\n", "", "image,label\na,b\n"):
        (tmp_path / "a.csv").write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="run `dvc repro create_dataframe`"):
            read_table(tmp_path / "a.csv")


def test_names_survive_writing_and_reading(tmp_path):
    table = build_table(images_of([("happy", "train", "a")] * 5), SEVEN, PARAMS)
    table["image"] = ["NA", "a,b", 'q"uote', "ünï", "a\nb.png"]
    write_csv(tmp_path / "a.csv", table)
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.csv"), table)


# Copies


def planted() -> list[tuple[str, str, np.ndarray]]:
    """Return images in which 8 copies are planted, two of them with another emotion."""
    rows = make_rows(per_class=5)
    by_split = {split: [row for row in rows if row[1] == split] for split in SPLITS}
    copied = [("train", by_split["test"][0]), ("train", by_split["test"][1]), ("val", by_split["test"][1])]
    copied += [("train", by_split["val"][7]), ("train", by_split["train"][9]), ("test", by_split["test"][20])]
    rows += [(emotion, split, image) for split, (emotion, _, image) in copied]
    rows.append(("sad", "train", by_split["train"][0][2]))
    rows.append(("sad", "test", by_split["val"][0][2]))
    return rows


@pytest.mark.parametrize("layout", ["csv", "folder"])
def test_planted_copies_are_found_and_excluded(run, layout):
    rows = planted()
    write_files(RAW, {"a.csv": csv_text(rows).encode()} if layout == "csv" else image_files(rows))
    table, metrics = run()
    used = table[table["excluded"] == ""]
    assert used.groupby("hash")["split"].nunique().max() == 1
    assert (table.loc[table["split"] == "test", "excluded"] == "").all()
    assert table["excluded"].value_counts().to_dict() == {"": len(rows) - 5, "copy of test": 4, "copy of val": 1}
    assert metrics["copies"] == {
        "total": 8,
        "within": {"train": 2, "val": 0, "test": 1},
        "across": {"val_in_train": 2, "test_in_train": 2, "test_in_val": 2},
    }
    assert metrics["conflicting_labels"] == {"groups": 2, "images": 4}
    assert metrics["images"]["total"] == len(used)
    assert metrics["excluded"]["total"] == 5
    first = table.drop_duplicates("hash").set_index("hash")["image"]
    copies = table[table["copy_of"] != ""]
    assert len(copies) == 8
    assert (copies["hash"].map(first) == copies["copy_of"]).all()


def test_keeping_copies(run):
    write_files(RAW, {"a.csv": csv_text(planted()).encode()})
    table, metrics = run(split_keep_copies=True)
    assert (table["excluded"] == "").all()
    assert metrics["copies"]["across"]["test_in_train"] == 2


def test_blank_images_are_counted_and_do_not_conflict(run):
    rows = make_rows()
    rows += [(emotion, "train", np.zeros((12, 12), np.uint8)) for emotion in EMOTIONS]
    write_files(RAW, {"a.csv": csv_text(rows).encode()})
    _, metrics = run()
    assert (metrics["blank"], metrics["copies"]["total"], metrics["conflicting_labels"]["groups"]) == (7, 6, 0)


random_images = st.lists(
    st.tuples(st.sampled_from(EMOTIONS), st.sampled_from(SPLITS), st.sampled_from("abcdefgh")), min_size=1, max_size=60
)


@pytest.mark.medium
@given(random_images, st.booleans())
def test_no_hash_is_in_two_splits(rows, two_emotions):
    rows = [*rows, ("happy", "train", "z")]
    scheme = resolve_scheme(["happy", "sad"]) if two_emotions else SEVEN
    table = build_table(images_of(rows), scheme, PARAMS)
    used = table[table["excluded"] == ""]
    assert used.groupby("hash")["split"].nunique().max() <= 1
    assert (used["label"] >= 0).all()
    known = table[(table["split"] == "test") & (table["label"] >= 0)]
    if any(split == "test" for _, split, _ in rows):
        assert (known["excluded"] == "").all()


def test_jonathanoheix_layout(run):
    rows = make_rows(per_class=10)
    files = {
        f"images/{'train' if split == 'train' else 'validation'}/{emotion}/{number}.png": encode(image)
        for number, (emotion, split, image) in enumerate(rows)
        if split != "val"
    }
    write_zip(RAW / "archive.zip", files)
    table, metrics = run()
    assert set(table.loc[table["image"].str.contains("validation"), "split"]) == {"test"}
    assert [metrics["images"][split]["total"] for split in SPLITS] == [63, 7, 70]


# Classes


@pytest.mark.parametrize("split", SPLITS)
def test_an_empty_class_is_named(run, split):
    rows = [row for row in make_rows() if row[:2] != ("disgust", split)]
    write_files(RAW, {"a.csv": csv_text(rows).encode()})
    with pytest.raises(InputError, match=rf"no images of disgust in {split}\. .*`labels.scheme: \[angry, fear, happy"):
        run()


def test_a_class_whose_images_are_all_excluded_counts_as_empty(run):
    rows = [row for row in make_rows() if row[:2] != ("fear", "train")]
    rows += [("fear", "train", image) for emotion, split, image in rows if (emotion, split) == ("sad", "test")]
    write_files(RAW, {"a.csv": csv_text(rows).encode()})
    with pytest.raises(InputError, match=r"no images of fear in train\. .*\(2 copy of test, 0 copy of val\)"):
        run()


@pytest.mark.parametrize(
    "scheme, emotions, message",
    [
        (
            "five",
            ["happy", "sad"],
            r"got five, but there are no images of angry, surprise, neutral in any split\. .*`.*: \[happy, sad\]`",
        ),
        ("happy_sad", ["happy", "fear"], r"got happy_sad, .* sad in any split\. .*every split has \(happy, fear\)"),
        (
            "happy_sad",
            ["angry", "fear"],
            r"happy, sad in any split\. .*every split has \(angry, fear\)",
        ),
        ("happy_sad", ["neutral"], r"happy, sad in any split\. .*every split has \(neutral\)"),
        (
            [{"good": ["happy", "surprise"]}, "contempt", "sad"],
            ["surprise", "sad", "neutral"],
            r"contempt in any split\. .*`labels.scheme: \[{good: \[happy, surprise\]}, sad\]`",
        ),
        (
            [{"good": ["happy", "surprise"]}, {"bad": ["contempt"]}],
            ["surprise", "sad", "fear"],
            r"got \[{good: \[happy, surprise\]}, {bad: \[contempt\]}\], .* bad in .*split has \(good, fear, sad\)",
        ),
    ],
)
def test_a_scheme_that_the_source_cannot_fill_is_refused_with_one_that_it_can(run, scheme, emotions, message):
    write_files(RAW, {"a.csv": csv_text(make_rows(emotions=tuple(emotions))).encode()})
    with pytest.raises(InputError, match=rf"^labels\.scheme: .*{message}"):
        run(labels_scheme=scheme)


def test_votes_without_ferplus_are_refused(run):
    write_files(RAW, {"a.csv": csv_text(make_rows()).encode()})
    with pytest.raises(InputError, match=r"labels\.targets: got votes with labels\.scheme 'seven'"):
        run(labels_targets="votes")


# Rejected images


def broken(rows: list[Row], count: int) -> dict[str, bytes]:
    files = image_files(rows)
    for name in sorted(files)[:count]:
        files[name] = b"not an image"
    return files


def test_rejected_images_are_listed_and_the_rest_is_used(run):
    rows = make_rows(per_class=10)
    write_files(RAW, broken(rows, 2))
    table, metrics = run(source_rejected_share=0.01)
    rejected = pd.read_csv(REJECTED)
    assert rejected["image"].tolist() == ["test/angry/PrivateTest_00140.png", "test/angry/PrivateTest_00141.png"]
    assert rejected["reason"].str.contains("no image: the file starts with b'not an image'").all()
    assert (len(table), metrics["rejected"], metrics["source_images"]) == (208, 2, 210)


def test_heic_without_its_reader_is_listed_with_the_remedy(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    files = image_files(make_rows(per_class=10))
    files["train/happy/phone.heic"] = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    write_files(RAW, files)
    run(source_rejected_share=0.01)
    (reason,) = pd.read_csv(REJECTED)["reason"]
    assert all(fact in reason for fact in ("HEIC", "pip install", "[heic]"))


def test_without_rejected_images_the_list_has_its_header_only(run):
    write_files(RAW, {"a.csv": csv_text(make_rows()).encode()})
    run()
    assert REJECTED.read_text(encoding="utf-8") == "image,reason\n"


def test_too_many_rejected_images_stop_the_stage(run):
    write_files(RAW, broken(make_rows(per_class=10), 7))
    with pytest.raises(InputError) as error:
        run(source_rejected_share=0.03)
    message = str(error.value)
    assert "7 of 210 images cannot be used" in message
    assert "share of 0.03 that source.rejected_share allows" in message
    assert message.count("no image: the file starts") == 5
    assert "test/angry/PrivateTest_00140.png: no image" in message


def test_a_source_without_a_good_image_is_refused_whatever_the_share(run):
    write_files(RAW, {"a.csv": b"emotion,pixels\nhapy,1\n"})
    with pytest.raises(InputError, match="1 of 1 images cannot be used"):
        run(source_rejected_share=1.0)
    write_files(RAW, {"a.csv": b"emotion,pixels\n"})
    with pytest.raises(InputError, match="holds no rows"):
        run()


# The hash of what is used


def test_the_hash_is_of_the_images_and_not_of_their_source(run):
    rows = make_rows(per_class=4)
    write_files(RAW, {"fer2013.csv": csv_text(rows).encode()})
    _, metrics = run()
    (RAW / "fer2013.csv").unlink()
    write_files(RAW, image_files(rows[::-1]))
    _, of_folders = run()
    assert of_folders["sha256"] == metrics["sha256"]
    next(RAW.glob("train/happy/*")).unlink()
    _, with_one_less = run()
    assert with_one_less["sha256"] != metrics["sha256"]


def test_the_hash_changes_with_pixels_emotion_split_and_votes():
    used = pd.DataFrame({"hash": ["a", "b"], "emotion": ["sad", "happy"], "split": ["train", "test"], "image": "x"})
    before = hash_used(used)
    assert hash_used(used[::-1].assign(image="y")) == before
    changes = ({"hash": ["a", "c"]}, {"emotion": ["happy", "sad"]}, {"split": "test"}, {"votes": ["1 0", "0 1"]})
    sums = {hash_used(used.assign(**change)) for change in changes} | {before, hash_used(used[:1])}
    assert len(sums) == 6


# A run that fails


def snapshot() -> dict[str, bytes]:
    return {
        str(path): path.read_bytes() for path in sorted(Path().rglob("*")) if path.is_file() and RAW not in path.parents
    }


@pytest.mark.parametrize("fault", ["truncated", "rejected", "missing", "class", "killed"])
def test_a_failing_run_leaves_what_was_there(run, fault, monkeypatch):
    source = write_tar(RAW / "fer2013.tar.gz", {"fer2013.csv": csv_text(make_rows()).encode()})
    run()
    before = snapshot()
    if fault == "truncated":
        source.write_bytes(source.read_bytes()[:-500])
    elif fault == "rejected":
        write_tar(source, {"fer2013.csv": csv_text(make_rows()).replace("Usage\n0", "Usage\n9").encode()})
    elif fault == "missing":
        source.unlink()
    elif fault == "class":
        write_tar(source, {"fer2013.csv": csv_text(make_rows(emotions=EMOTIONS[:5])).encode()})
    else:
        monkeypatch.setattr(create_dataframe, "summarize", interrupt)
    with pytest.raises(KeyboardInterrupt if fault == "killed" else InputError):
        run()
    assert snapshot() == before


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_run_that_ends_while_files_move_leaves_no_table(run, monkeypatch):
    write_files(RAW, {"a.csv": csv_text(make_rows()).encode()})
    run()
    monkeypatch.setattr(create_dataframe, "write_json", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert not TABLE.exists()
    assert not list(Path("data").glob(".partial*"))


@pytest.mark.medium
def test_the_command_ends_with_the_message_and_no_traceback(tmp_path):
    write_params(tmp_path)
    command = [sys.executable, "-m", "stages.create_dataframe"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.match(r"error: .*data/raw \(source\.folder\).*FER2013.*`emotion preset sample`", done.stderr)
    assert "Traceback" not in done.stderr


@pytest.mark.medium
def test_the_stages_start_without_heavy_packages():
    code = (
        "import sys, stages.create_dataframe, stages.extract_features; "
        "print([name for name in ('tensorflow', 'keras', 'matplotlib', 'jax', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# FER2013 itself


@pytest.mark.fer2013
def test_facts_about_fer2013(run):
    archive = find_fer2013()
    RAW.mkdir(parents=True)
    (RAW / "fer2013.tar.gz").symlink_to(archive)
    table, metrics = run()
    assert metrics["source_images"] == 35_887
    assert (metrics["rejected"], metrics["blank"]) == (0, 12)
    assert metrics["copies"]["total"] == 1_851
    assert metrics["copies"]["across"] == {"val_in_train": 280, "test_in_train": 288, "test_in_val": 44}
    assert metrics["conflicting_labels"]["groups"] == 57
    assert metrics["images"]["test"]["total"] == 3_589
    assert metrics["excluded"] == {"total": 749, "scheme": 0, "copy_of_test": 433, "copy_of_val": 316}
    official = table[table["split"] == "train"].groupby("emotion").size()
    assert official[list(EMOTIONS)].tolist() == [3995, 436, 4097, 7215, 4830, 3171, 4965]


@pytest.mark.fer2013
@pytest.mark.parametrize(
    "scheme, labeled, used",
    [
        ("five", 30_219, [23_638, 2_994, 3_006]),
        pytest.param("happy_sad", 15_066, [11_944, 1_540, 1_473], marks=pytest.mark.slow),
        pytest.param([{"positive": ["happy", "surprise"]}, "neutral"], 19_189, None, marks=pytest.mark.slow),
    ],
)
def test_schemes_on_fer2013(run, scheme, labeled, used):
    archive = find_fer2013()
    RAW.mkdir(parents=True)
    (RAW / "fer2013.tar.gz").symlink_to(archive)
    table, metrics = run(labels_scheme=scheme)
    assert (table["label"] >= 0).sum() == labeled
    assert used is None or [metrics["images"][split]["total"] for split in SPLITS] == used
    assert list(metrics["images"]["test"]) == ["total", *resolve_scheme(scheme).emotions]
