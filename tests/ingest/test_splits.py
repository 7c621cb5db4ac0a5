"""Which split each image is in: the source's own, or one that is chosen by emotion and seed."""

from collections.abc import Sequence

import pandas as pd
import pytest

from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError
from emotion.core.labels import resolve_scheme
from emotion.core.params import SplitParams
from emotion.data.table import SPLITS
from emotion.ingest.table_builder import build_table, check_classes
from tests.makers import images_of

SEVEN = resolve_scheme("seven")
PARAMS = SplitParams(validation=0.1, test=0.1, seed=1, group=None, near_copies=None, keep_copies=False)


def splits_of(rows: Sequence[tuple[str, str | None, str]], **changes: float) -> list[str]:
    return build_table(images_of(rows), SEVEN, PARAMS.model_copy(update=changes))["split"].tolist()


def many(split: str | None, per_class: int = 40) -> list[tuple[str, str | None, str]]:
    return [(emotion, split, f"{split}{emotion}{number}") for emotion in EMOTIONS for number in range(per_class)]


def counts(splits: list[str]) -> dict[str, int]:
    return {split: splits.count(split) for split in SPLITS}


def test_a_source_without_splits_is_split_by_emotion():
    splits = splits_of(many(None), validation=0.2, test=0.1)
    assert counts(splits) == {"train": 7 * 28, "val": 7 * 8, "test": 7 * 4}
    assert counts(splits[:40]) == {"train": 28, "val": 8, "test": 4}


def test_validation_is_chosen_from_training_where_only_that_is_missing():
    splits = splits_of([*many("train"), *many("test", 10)])
    assert counts(splits) == {"train": 7 * 36, "val": 7 * 4, "test": 70}


def test_validation_becomes_test_where_there_is_no_test():
    splits = splits_of([*many("train"), *many("val", 10)])
    assert splits[280:] == ["test"] * 70
    assert counts(splits[:280]) == {"train": 7 * 36, "val": 7 * 4, "test": 0}


def test_a_source_with_all_splits_keeps_them():
    rows = [*many("test", 3), *many("train", 4), *many("val", 2)]
    assert splits_of(rows) == [split for _, split, _ in rows]


def test_the_choice_depends_on_the_seed_and_not_on_the_order():
    rows = many(None)
    splits = splits_of(rows)
    assert splits_of(rows) == splits
    assert splits_of(rows, seed=2) != splits
    assert splits_of(rows[::-1]) == splits[::-1]


def test_copies_are_chosen_together():
    rows = [(emotion, None, f"{number // 3}") for number, (emotion, _, _) in enumerate(many(None))]
    table = build_table(images_of(rows), SEVEN, PARAMS)
    assert table.groupby("hash")["split"].nunique().max() == 1
    assert (table["excluded"] == "").all()
    check_classes(table, SEVEN)


def test_small_classes_still_have_an_image_in_each_split():
    assert counts(splits_of([("happy", None, str(number)) for number in range(3)])) == {"train": 1, "val": 1, "test": 1}


FER2013_COUNTS = {"angry": 4953, "disgust": 547, "fear": 5121, "happy": 8989, "sad": 6077, "surprise": 4002}
FER2013_COUNTS |= {"neutral": 6198}


@pytest.fixture(scope="module")
def like_fer2013() -> pd.DataFrame:
    """Return as many images of each emotion as FER2013 has, no two of them equal, and without splits."""
    emotions = [emotion for emotion, count in FER2013_COUNTS.items() for _ in range(count)]
    return images_of([(emotion, None, f"{number:06}") for number, emotion in enumerate(emotions)])


@pytest.mark.medium
def test_the_five_emotions_of_fer2013_in_an_80_20_split(like_fer2013):
    """30,219 images, 6,043.8 of which are 20 %; each emotion's share is rounded by itself, which gives 6,044."""
    five = resolve_scheme("five")
    table = build_table(like_fer2013, five, PARAMS.model_copy(update={"test": 0.2, "validation": 0.1}))
    used = table[table["excluded"] == ""]
    assert (len(table), len(used)) == (35_887, 30_219)
    test = used[used["split"] == "test"]
    assert (len(used) - len(test), len(test)) == (24_175, 6_044)
    wanted = {emotion: round(0.2 * FER2013_COUNTS[emotion]) for emotion in five.emotions}
    assert test["emotion"].value_counts().to_dict() == wanted
    assert wanted == {"angry": 991, "happy": 1798, "sad": 1215, "surprise": 800, "neutral": 1240}


def test_splits_do_not_depend_on_the_scheme():
    images = images_of(many(None))
    merged = [{"up": ["happy", "surprise"]}, {"down": ["sad", "fear"]}]
    whole = build_table(images, SEVEN, PARAMS)["split"]
    for choice in ("five", "happy_sad", "ferplus", merged):
        pd.testing.assert_series_equal(build_table(images, resolve_scheme(choice), PARAMS)["split"], whole)


def test_a_source_without_training_images_is_refused():
    with pytest.raises(InputError, match="images for test, val, but none for train"):
        splits_of([("happy", "val", "a"), ("happy", "test", "b")])
