"""Which split each image is in: the source's own, or one that is chosen by emotion, seed and group."""

import hashlib
import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError
from emotion.core.labels import resolve_scheme
from emotion.core.params import SplitParams
from emotion.data.table import SPLITS
from emotion.ingest.splitting.group_splits import number_units
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


def checksum(rows: Sequence[tuple[str, str | None, str]], **changes: float) -> str:
    return hashlib.sha256(" ".join(splits_of(rows, **changes)).encode()).hexdigest()[:16]


def test_the_choice_without_groups_stays_what_it_was():
    """Every published split depends on it; recorded before there were groups."""
    contempt = [("contempt", None, f"c{number // 2}") for number in range(9)]
    rows = [*many(None), *contempt, *(("happy", None, f"Nonesad{number}") for number in range(5))]
    assert checksum(rows) == "939a0b25693df9a6"
    assert checksum(rows, seed=2013, validation=0.2) == "c6c94c3b93e9127f"
    assert checksum([*many("train", 23), *many("test", 3)]) == "027e3ce85f1dd100"
    assert checksum([*many("train", 23), *many("val", 3)], seed=5) == "852c333e5b4f1977"


def test_emotions_of_the_users_own_are_split_too():
    rows = [(emotion, None, f"{emotion}{number}") for emotion in ("bored", "engaged") for number in range(20)]
    table = build_table(images_of(rows), resolve_scheme(["bored", "engaged"]), PARAMS)
    counts_by_emotion = table.groupby(["split", "emotion"]).size()
    assert counts_by_emotion.to_dict() == {
        (split, emotion): count
        for split, count in {"train": 16, "val": 2, "test": 2}.items()
        for emotion in ("bored", "engaged")
    }


# Groups


def grouped(persons: int, seed: int = 0, split: str | None = None) -> pd.DataFrame:
    """Return images of `persons` with 1 to 30 images each, whose emotions are as uneven as FER2013's."""
    generator = np.random.default_rng(seed)
    shares = np.array([*FER2013_COUNTS.values()]) / sum(FER2013_COUNTS.values())
    person = np.repeat(np.arange(persons), generator.integers(1, 31, persons))
    emotions = generator.choice([*FER2013_COUNTS], len(person), p=shares)
    rows = [(emotion, split, f"{number:08x}") for number, emotion in enumerate(emotions)]
    return images_of(rows).assign(group=[f"person {one}" for one in person])


def split_of(images: pd.DataFrame, **changes: object) -> pd.Series:
    return build_table(images, SEVEN, PARAMS.model_copy(update=changes))["split"]


@pytest.mark.parametrize("persons, near", [(10, 0.08), (30, 0.02), (300, 0.005)])
def test_groups_stay_together_and_the_shares_are_near(persons, near):
    images = grouped(persons)
    split = split_of(images, validation=0.2, test=0.1)
    assert split.groupby(images["group"]).nunique().max() == 1
    shares = split.value_counts(normalize=True)
    assert abs(shares["test"] - 0.1) < near
    assert abs(shares["val"] - 0.2) < near
    by_emotion = pd.crosstab(images["emotion"], split, normalize="index")
    if persons > 10:
        assert (by_emotion["test"] - 0.1).abs().max() < 5 * near
        assert (by_emotion > 0).all(axis=None)


def test_the_choice_of_groups_depends_on_the_seed_and_not_on_order_and_names():
    images = grouped(40)
    split = split_of(images)
    pd.testing.assert_series_equal(split_of(images), split)
    assert (split_of(images, seed=2) != split).any()
    shuffled = images.sample(frac=1, random_state=0).assign(image=[f"x{number}" for number in range(len(images))])
    shuffled["group"] = shuffled["group"].map(lambda name: name[::-1])
    pd.testing.assert_series_equal(split_of(shuffled).sort_index(), split)


def test_a_group_that_is_far_too_large_stays_in_training():
    images = pd.concat([grouped(30), grouped(30, seed=1).assign(group="giant")], ignore_index=True)
    images["hash"] = [f"{number:08x}" for number in range(len(images))]
    split = split_of(images)
    assert set(split[images["group"] == "giant"]) == {"train"}
    assert abs((split == "test").mean() - 0.1) < 0.02


def test_an_emotion_of_few_groups_is_in_every_split():
    images = grouped(60)
    rare = images["emotion"] == "disgust"
    images.loc[rare, "emotion"] = "happy"
    images.loc[images["group"].isin(["person 1", "person 2", "person 3"]), "emotion"] = "disgust"
    split = split_of(images)
    assert set(split[images["emotion"] == "disgust"]) == {"train", "val", "test"}


def test_images_without_a_group_stand_for_themselves():
    images = images_of(many(None)).assign(group="")
    images.loc[:9, "group"] = "anna"
    split = split_of(images, test=0.2)
    assert split[:10].nunique() == 1
    assert abs((split == "test").mean() - 0.2) < 0.01


def test_copies_and_near_copies_join_groups_and_blank_images_do_not():
    rows = [("happy", None, pixels) for pixels in ("c", "a", "a", "b", "d", "d", "e")]
    images = images_of(rows).assign(group=["ann", "ann", "ben", "cy", "", "", "dee"], near_copy_of="")
    assert number_units(images).tolist() == [0, 0, 0, 1, 2, 2, 3]
    assert number_units(images[::-1]).tolist()[::-1] == [0, 0, 0, 1, 2, 2, 3]
    images.loc[6, "near_copy_of"] = "row 3"
    assert number_units(images).tolist() == [0, 0, 0, 1, 2, 2, 1]
    images.loc[[1, 2, 4, 5], "blank"] = True
    units = number_units(images)
    assert len({units[0], units[2], units[3], units[4]}) == 4
    assert (units[0], units[4]) == (units[1], units[5])


@pytest.mark.parametrize("persons, split, needed", [(1, None, 3), (2, None, 3), (1, "train", 2)])
def test_too_few_groups_are_refused_with_what_is_there(persons, split, needed):
    images = grouped(persons, split=split)
    if split:
        others = images_of([("happy", "test", f"t{number}") for number in range(3)]).assign(group="other")
        images = pd.concat([images, others], ignore_index=True)
    with pytest.raises(InputError, match=rf"^split\.group: got {persons} group.*person 0.* at least {needed}"):
        split_of(images)
    assert split_of(grouped(3)).nunique() == 3


@pytest.mark.slow
def test_a_hundred_thousand_groups_take_seconds():
    images = images_of([(EMOTIONS[number % 7], None, f"{number:08x}") for number in range(200_000)])
    images["group"] = [f"person {number % 100_000}" for number in range(200_000)]
    started = time.perf_counter()
    split = split_of(images)
    assert time.perf_counter() - started < 30
    assert abs((split == "test").mean() - 0.1) < 1e-4
    assert split.groupby(images["group"]).nunique().max() == 1


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
