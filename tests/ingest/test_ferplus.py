"""The votes of FER+: read, matched to the source's rows, and made into labels or targets."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.core.emotion_names import EMOTIONS, KNOWN_EMOTIONS
from emotion.core.errors import InputError
from emotion.core.labels import SCHEMES
from emotion.core.paths import DATASET_METRICS, FEATURES, REJECTED, TABLE
from emotion.data.feature_arrays import ARRAYS, load_features
from emotion.data.table import COLUMNS, read_table
from emotion.ingest.collect import Collected
from emotion.ingest.ferplus import (
    CHOICES,
    MAJORITY,
    Votes,
    choose_by_majority,
    drop_single_votes,
    find_majorities,
    format_votes,
    match_votes,
    parse_votes,
    target_votes,
)
from stages import create_dataframe, extract_features
from tests.makers import (
    USAGES,
    VOTES_HEADER,
    Row,
    csv_text,
    encode,
    find_fer2013,
    image_files,
    make_rows,
    votes_for,
    write_ferplus,
    write_files,
    write_params,
)

RAW = Path("data/raw")
WORDS = list(CHOICES.values())


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run create_dataframe in a temporary folder under the scheme ferplus; its source is in data/raw."""
    monkeypatch.chdir(tmp_path)

    def run_there(**changes: object) -> pd.DataFrame:
        write_params(tmp_path, **{"labels_scheme": "ferplus", "features_image_size": 12, **changes})
        create_dataframe.main()
        return read_table(TABLE)

    return run_there


def eight() -> tuple[list[Row], list[dict[str, int]]]:
    """Return two images in each split for each of the eight emotions, as FER2013 and as FER+ have them."""
    rows = make_rows(emotions=KNOWN_EMOTIONS)
    votes = [votes_for(**{emotion: 7, "unknown": 2, "no_face": 1}) for emotion, _, _ in rows]
    return [("sad" if emotion == "contempt" else emotion, split, image) for emotion, split, image in rows], votes


# Majority


def majority(own: str, **votes: int) -> str:
    counts = np.array([list(votes_for(**votes).values())], np.uint8)
    return str(choose_by_majority(counts, pd.Series([own], index=[5]))[5])


def test_choices_stand_in_the_order_of_the_labels():
    assert tuple(WORDS) == (*SCHEMES["ferplus"], "unknown", "no face")


@pytest.mark.parametrize(
    "own, votes, wanted",
    [
        ("angry", {"happy": 6, "sad": 4}, "happy"),
        ("angry", {"contempt": 5, "neutral": 4, "unknown": 1}, "contempt"),
        ("sad", {"happy": 4, "sad": 4, "fear": 2}, "sad"),
        ("neutral", {"happy": 4, "sad": 4, "fear": 2}, "happy"),
        ("neutral", {"contempt": 5, "fear": 5}, "fear"),
        ("happy", {"unknown": 6, "happy": 4}, "unknown"),
        ("happy", {"no_face": 6, "happy": 4}, "no face"),
        ("happy", {"unknown": 4, "no_face": 4, "happy": 2}, "unknown"),
        ("happy", {"unknown": 5, "sad": 5}, "sad"),
        ("happy", {"no_face": 4, "happy": 3, "sad": 3}, "no face"),
        ("happy", {}, "unknown"),
    ],
)
def test_what_most_people_saw(own, votes, wanted):
    assert majority(own, **votes) == wanted


@pytest.mark.medium
@given(
    st.lists(st.tuples(st.sampled_from(EMOTIONS), st.lists(st.integers(0, 5), min_size=10, max_size=10)), min_size=1)
)
def test_nothing_has_more_votes_than_the_majority(rows):
    counts = np.array([votes for _, votes in rows], np.uint8)
    chosen = choose_by_majority(counts, pd.Series([own for own, _ in rows]))
    for (own, votes), word in zip(rows, chosen, strict=True):
        assert votes[WORDS.index(word)] == max(votes)
        tied = [emotion for emotion, count in zip(KNOWN_EMOTIONS, votes, strict=False) if count == max(votes)]
        if tied and max(votes):
            assert word == (own if own in tied else tied[0])


def counts_of(**votes: int) -> np.ndarray:
    return np.array([list(votes_for(**votes).values())], np.uint8)


@pytest.mark.parametrize(
    "votes, kept",
    [
        ({"happy": 6, "sad": 2, "fear": 1, "unknown": 1}, {"happy": 6, "sad": 2}),
        ({"happy": 1, "sad": 1, "unknown": 4, "no_face": 1}, {"happy": 1, "sad": 1, "unknown": 4}),
        ({}, {}),
    ],
)
def test_single_votes_do_not_count_unless_they_are_all(votes, kept):
    counts = counts_of(**votes)
    found = drop_single_votes(counts)
    assert found.dtype == np.uint8
    assert found.tolist() == counts_of(**kept).tolist()


@pytest.mark.parametrize(
    "votes, agreed",
    [
        ({"happy": 5, "sad": 4, "fear": 1}, True),
        ({"happy": 5, "sad": 5}, False),
        ({"happy": 4, "sad": 3, "neutral": 2, "fear": 1}, False),
        ({"happy": 4, "unknown": 4}, False),
        ({"unknown": 8, "happy": 2}, False),
        ({"happy": 1, "sad": 1}, False),
        ({"happy": 255, "sad": 255}, False),
        ({}, False),
    ],
)
def test_people_agree_where_more_than_half_see_one_emotion(votes, agreed):
    assert find_majorities(counts_of(**votes)).tolist() == [agreed]


# The table


def test_labels_come_from_the_votes(run):
    rows, votes = eight()
    votes[0] = votes_for(unknown=6, happy=4)
    votes[1] = votes_for(no_face=10)
    rows += make_rows(1, seed=1, emotions=("angry",))
    votes += [votes_for(happy=5, angry=5), votes_for(happy=10), votes_for(contempt=10)]
    # With the first two left out, angry would have no training images.
    rows += make_rows(1, seed=2, emotions=("angry",))
    votes += [votes_for(angry=10)] * 3
    write_ferplus(RAW, rows, votes)
    table = run()
    assert list(table.columns) == [*COLUMNS, MAJORITY]
    # Ten votes for one emotion each, but for the first two, and for the one with five votes for each of two.
    assert table.index[table[MAJORITY] == "no"].tolist() == [0, 1, len(eight()[0])]
    seen = ["unknown", "no face", *(emotion for emotion, _, _ in make_rows(emotions=KNOWN_EMOTIONS)[2:])]
    seen += ["angry", "happy", "contempt", "angry", "angry", "angry"]
    assert table["emotion"].tolist() == seen
    assert table["label"].tolist() == [KNOWN_EMOTIONS.index(word) if word in KNOWN_EMOTIONS else -1 for word in seen]
    assert table["excluded"].tolist()[:3] == ["scheme", "scheme", ""]
    metrics = json.loads(DATASET_METRICS.read_text(encoding="utf-8"))
    assert metrics["excluded"]["scheme"] == 2
    assert metrics["images"]["test"] == {"total": 18, **dict.fromkeys(KNOWN_EMOTIONS, 2), "angry": 3, "contempt": 3}


def test_the_order_of_the_columns_and_their_case_do_not_matter(run):
    write_ferplus(RAW, *eight())
    table = run()
    turned = ",".join(reversed(VOTES_HEADER.split(",")))
    write_ferplus(RAW, *eight(), header=turned)
    text = (RAW / "fer2013new.csv").read_text(encoding="utf-8").replace(turned, turned.upper().replace(",", ", "))
    (RAW / "fer2013new.csv").unlink()
    write_files(RAW, {"FER2013New.csv": b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()})
    pd.testing.assert_frame_equal(run(), table)


def test_other_schemes_do_not_read_the_votes(run):
    rows, votes = eight()
    write_ferplus(RAW, rows, votes)
    table = run(labels_scheme="seven")
    (RAW / "fer2013new.csv").write_text("nothing", encoding="utf-8")
    pd.testing.assert_frame_equal(run(labels_scheme="seven"), table)
    assert [emotion for emotion, _, _ in rows] == table["emotion"].tolist()


def test_rejected_rows_have_votes_too(run):
    rows, votes = eight()
    write_ferplus(RAW, rows, votes)
    whole = run()
    lines = (RAW / "fer2013.csv").read_text(encoding="utf-8").split("\n")
    lines[3] = lines[3].replace(",", ",999 ", 1)
    (RAW / "fer2013.csv").write_text("\n".join(lines), encoding="utf-8")
    table = run(source_rejected_share=0.5)
    assert pd.read_csv(REJECTED)["image"].tolist() == ["row 2"]
    pd.testing.assert_series_equal(table["emotion"], whole["emotion"].drop(2).reset_index(drop=True))


def test_a_file_beside_a_source_in_a_folder_of_its_own_is_found(run):
    write_ferplus(RAW, *eight())
    table = run()
    RAW.rename("data/fer2013")
    RAW.mkdir()
    Path("data/fer2013").rename(RAW / "fer2013")
    pd.testing.assert_frame_equal(run(), table)


def test_a_source_without_splits_is_matched_by_its_rows_alone():
    images = pd.DataFrame({"image": ["row 0", "row 2"], "split": [None, None]})
    collected = Collected(images, pd.DataFrame({"image": ["row 1"], "reason": ["blurred"]}))
    votes = Votes(Path("votes.csv"), ["train", "val", "test"], np.arange(30, dtype=np.uint8).reshape(3, 10))
    np.testing.assert_array_equal(match_votes(votes, collected, "a.csv"), votes.counts[[0, 2]])


# Votes as targets


@pytest.mark.parametrize("file_format", ["npy", "pkl"])
def test_training_gets_the_votes_for_the_emotions(run, file_format):
    rows, votes = eight()
    votes[2] = votes_for(disgust=4, contempt=3, happy=1, unknown=2)
    votes[4] = votes_for(no_face=10)
    write_ferplus(RAW, rows, votes)
    table = run(labels_targets="votes", features_format=file_format)
    assert list(table.columns) == [*COLUMNS, MAJORITY, "votes"]
    assert table["votes"][2] == "0 4 0 0 0 0 0 3"
    extract_features.main()
    features = load_features(FEATURES)
    assert list(features) == [*ARRAYS, "votes_train"]
    found = features["votes_train"]
    used = [row for row, (_, split, _) in enumerate(rows) if split == "train" and row != 4]
    assert found.dtype == np.uint8
    assert found.shape == (len(used), 8)
    votes[2]["happiness"] = 0
    assert found.tolist() == [list(votes[row].values())[:8] for row in used]
    assert found.argmax(axis=1).tolist() == features["y_train"].tolist()
    names = {path.name for path in FEATURES.iterdir()}
    assert ("votes_train.npy" in names, len(names)) == ((True, 7) if file_format == "npy" else (False, 1))
    run()
    extract_features.main()
    assert list(load_features(FEATURES)) == list(ARRAYS)


@pytest.mark.medium
@given(
    st.integers(1, 9).flatmap(
        lambda classes: st.lists(st.lists(st.integers(0, 255), min_size=classes, max_size=classes), max_size=9)
    )
)
def test_votes_survive_the_table(rows):
    votes = np.array(rows, np.uint8).reshape(len(rows), -1) if rows else np.empty((0, 0), np.uint8)
    found = parse_votes(pd.Series(format_votes(votes), dtype=object))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, votes)


@pytest.mark.parametrize("column", [["1 2", "1"], ["1 x"], ["1 300"], ["1 -1"], ["1.5 2"]])
def test_a_column_of_something_else_is_refused(column):
    with pytest.raises(InputError, match=r"\bvotes\b.*`dvc repro create_dataframe`"):
        parse_votes(pd.Series(column))


@pytest.mark.medium
def test_folders_that_carry_their_votes_give_the_same_table_as_the_rows(run):
    rows, votes = eight()
    votes[0] = votes_for(unknown=6, happy=4)
    votes[2] = votes_for(disgust=4, contempt=3, happy=1, unknown=2)
    write_ferplus(RAW, rows, votes)
    rows_table = run(labels_targets="votes")
    folders = {"train": "FER2013Train", "val": "FER2013Valid", "test": "FER2013Test"}
    lists = dict.fromkeys(folders.values(), "")
    for number, ((_, split, image), row) in enumerate(zip(rows, votes, strict=True)):
        name = f"fer{number:07}.png"
        numbers = ",".join(str(row[choice]) for choice in VOTES_HEADER.split(",")[2:])
        lists[folders[split]] += f'{name},"(0, 0, 48, 48)",{numbers}\n'
        write_files(RAW / "fer", {f"{folders[split]}/{name}": encode(image)})
    write_files(RAW / "fer", {f"{folder}/label.csv": text.encode() for folder, text in lists.items()})
    table = run(labels_targets="votes", source_file="fer")
    names = table["image"].str.extract(r"fer(\d+)")[0].astype(int)
    columns = ["emotion", "label", "split", "hash", "excluded", "votes"]
    ordered = table.set_index(names)[columns].sort_index()
    assert ordered.to_dict("records") == rows_table[columns].to_dict("records")
    assert list(table.columns) == [*COLUMNS, MAJORITY, "votes"]
    seven = run(source_file="fer", labels_scheme="seven")
    assert seven.columns[-1] == "ferplus_votes"
    assert set(seven.loc[seven["excluded"] == "scheme", "emotion"]) == {"contempt", "unknown"}


def test_votes_of_seven_emotions_with_those_of_the_source(run):
    rows, votes = eight()
    votes[2] = votes_for(disgust=4, contempt=3, happy=1, unknown=2)
    votes[3] = votes_for(contempt=9)
    write_ferplus(RAW, rows, votes)
    table = run(labels_scheme="ferplus_seven", labels_targets="votes", labels_source_votes=10)
    assert rows[2][0] == "disgust"
    assert table["votes"][2] == "0 14 0 0 0 0 0"
    assert table["emotion"][2] == "disgust"
    assert table["excluded"][3] == "scheme"
    alone = run(labels_scheme="ferplus_seven", labels_targets="votes")
    assert alone["votes"][2] == "0 4 0 0 0 0 0"
    assert alone[["emotion", "split", "excluded"]].equals(table[["emotion", "split", "excluded"]])


@pytest.mark.parametrize(
    "own, votes, wanted",
    [
        ("angry", {"angry": 3, "neutral": 6, "fear": 1}, {"angry": 8, "neutral": 6}),
        ("fear", {"neutral": 9, "fear": 1}, {"neutral": 9, "fear": 5}),
        ("fear", {"neutral": 9, "sad": 1}, {"neutral": 9}),
        ("", {"neutral": 9, "angry": 1}, {"neutral": 9}),
        ("bored", {"neutral": 9, "angry": 1}, {"neutral": 9}),
        ("happy", {"happy": 253}, {"happy": 255}),
    ],
)
def test_the_label_of_the_source_counts_where_a_person_chose_it(own, votes, wanted):
    found = target_votes(counts_of(**votes), pd.Series([own], index=[7]), 5)
    assert found.dtype == np.uint8
    assert found.tolist() == counts_of(**wanted).tolist()


# What cannot be used


def test_a_missing_file_says_where_to_get_it(run):
    rows, _ = eight()
    write_files(RAW, {"fer2013.csv": csv_text(rows).encode()})
    with pytest.raises(
        InputError,
        match=r"^labels\.scheme: got ferplus, .*data/raw .*fer2013new\.csv.*"
        r"github\.com/microsoft/FERPlus",
    ):
        run()


def test_class_folders_have_no_rows(run):
    rows, votes = eight()
    write_ferplus(RAW, rows, votes)
    (RAW / "fer2013.csv").unlink()
    write_files(RAW, image_files(rows))
    with pytest.raises(
        InputError, match=r"labels\.scheme: got ferplus.* data/raw .*fer2013\.csv.*labels\.scheme to seven"
    ):
        run()


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("contempt", "other", r"expected .*Usage, anger, .*, NF.*repeated: contempt\b"),
        ("Usage", "Split", "missing or repeated: usage"),
        ("Image name", "fear", "missing or repeated: fear"),
        ("Training,fer0000002.png,0", "Training,fer0000002.png,x", "row 2 .*'x' .*neutral, expected .*0 to 255"),
        ("Training,fer0000002.png,0", "Training,fer0000002.png,", "row 2 .*'' .*neutral"),
        ("Training,fer0000002.png,0", "Training,fer0000002.png,-1", "row 2 .*'-1' .*neutral"),
        ("Training,fer0000002.png,0", "Training,fer0000002.png,0.5", r"row 2 .*'0\.5' .*neutral"),
        ("Training,fer0000002.png,0", "Training,fer0000002.png,256", "row 2 .*'256' .*neutral, expected .*0 to 255"),
        ("Training,fer0000002.png", "Practice,fer0000002.png", "row 2 .*Usage 'Practice', expected .*Training"),
        ("Training,fer0000002.png", "PublicTest,fer0000002.png", r"\b1 rows.* row 2 .*\bval\b.*\btrain\b"),
    ],
)  # fmt: skip
def test_other_tables_are_refused(run, old, new, message):
    write_ferplus(RAW, *eight())
    path = RAW / "fer2013new.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=rf"^data/raw/fer2013new\.csv: .*{message}"):
        run()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'Usage\n"open'])
def test_files_that_are_no_tables_are_refused(run, content):
    write_ferplus(RAW, *eight())
    (RAW / "fer2013new.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"^data/raw/fer2013new\.csv"):
        run()


@pytest.mark.parametrize("rows", [0, 47, 49])
def test_other_numbers_of_rows_are_refused(run, rows):
    write_ferplus(RAW, *eight())
    path = RAW / "fer2013new.csv"
    lines = path.read_text(encoding="utf-8").strip().split("\n")
    path.write_text("\n".join([*lines, lines[-1]][: rows + 1]), encoding="utf-8")
    with pytest.raises(InputError, match=rf"fer2013new\.csv: {rows} rows, but data/raw/fer2013\.csv has 48; expected"):
        run()


def test_an_empty_line_within_the_source_is_refused(run):
    """The rows behind it have the numbers of their lines, and no longer those of their votes."""
    write_ferplus(RAW, *eight())
    path = RAW / "fer2013.csv"
    lines = path.read_text(encoding="utf-8").split("\n")
    path.write_text("\n".join([*lines[:5], "", *lines[5:]]), encoding="utf-8")
    with pytest.raises(InputError, match=r"fer2013new\.csv: 48 rows, but data/raw/fer2013\.csv has 49"):
        run()
    path.write_text("\n".join([*lines, "", ""]), encoding="utf-8")
    assert len(run()) == 48


def test_a_class_that_nobody_saw_is_named(run):
    rows, votes = eight()
    votes = [votes_for(happy=10) if row["contempt"] else row for row in votes]
    write_ferplus(RAW, rows, votes)
    with pytest.raises(
        InputError,
        match=r"^labels\.scheme: got ferplus, but there are no images of contempt in any "
        r"split\. .*`labels\.scheme: \[angry, .*, neutral\]`",
    ):
        run()


# FER+ itself


@pytest.mark.fer2013
def test_facts_about_ferplus(run):
    archive = find_fer2013()
    if not archive.with_name("fer2013new.csv").is_file():
        pytest.skip("fer2013new.csv does not lie beside fer2013.tar.gz")
    RAW.mkdir(parents=True)
    for name in ("fer2013.tar.gz", "fer2013new.csv"):
        (RAW / name).symlink_to(archive.with_name(name))
    table = run(labels_targets="votes")
    metrics = json.loads(DATASET_METRICS.read_text(encoding="utf-8"))
    assert metrics["excluded"] == {"total": 1_131, "scheme": 399, "copy_of_test": 427, "copy_of_val": 305}
    assert [metrics["images"][split]["total"] for split in USAGES] == [27_701, 3_509, 3_546]
    assert metrics["images"]["test"]["contempt"] == 27
    assert table["emotion"].value_counts()[["unknown", "no face"]].tolist() == [222, 177]
    used = table[table["excluded"] == ""]
    votes = parse_votes(used["votes"])
    np.testing.assert_array_equal(votes[np.arange(len(used)), used["label"]], votes.max(axis=1))
