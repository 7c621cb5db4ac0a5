"""Perceptual hashes of images, and the images that nearly equal another."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion.core.emotion_names import EMOTIONS
from emotion.core.paths import DATASET_METRICS, TABLE
from emotion.data.images import decode
from emotion.data.table import NEAR_COPY, SPLITS, read_table
from emotion.ingest.splitting.copies import link_keys
from emotion.ingest.splitting.near_copies import find_near_copies, link_near_hashes, perceptual_hash
from stages import create_dataframe
from tests.makers import encode, image_files, write_files, write_params


def photo(seed: int, size: int = 96) -> np.ndarray:
    """Return smooth noise, uint8 (size, size, 1)."""
    noise = np.random.default_rng(seed).integers(0, 256, (size // 8, size // 8), dtype=np.uint8)
    return cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)[..., None]


def distance(one: np.ndarray, other: np.ndarray) -> int:
    return (int(perceptual_hash(one), 16) ^ int(perceptual_hash(other), 16)).bit_count()


def test_near_copies_have_near_hashes_and_other_images_have_not():
    image = photo(1)
    assert len(perceptual_hash(image)) == 16
    jpeg = decode(encode(image, ".jpg"))
    brighter = np.clip(image * 0.8 + 30, 0, 255).astype(np.uint8)
    smaller = cv2.resize(image, (48, 48), interpolation=cv2.INTER_AREA)[..., None]
    for near in (jpeg, brighter, smaller, np.repeat(image, 3, axis=2)):
        assert distance(image, near) <= 4
    assert min(distance(image, photo(seed)) for seed in range(2, 40)) > 10


def test_several_faces_of_one_photo_are_no_near_copies():
    table = pd.DataFrame({"hash": list("abcd"), "image": ["p.jpg", "p.jpg", "q.jpg", "r.jpg"]})
    first, second, copied, copy = link_keys(table.assign(near_copy_of=["", "", "", "q.jpg"]))[NEAR_COPY]
    assert copied == copy
    assert len({first, second, copied}) == 3


def brute_force(hashes: np.ndarray, bits: int) -> list[set[int]]:
    """Return the components by comparing all pairs."""
    parts = [{int(number)} for number in hashes]
    for number in map(int, hashes):
        near = [part for part in parts if any((number ^ other).bit_count() <= bits for other in part)]
        parts = [part for part in parts if part not in near] + [set.union(*near)]
    return sorted(parts, key=min)


@pytest.mark.medium
@settings(max_examples=30)
@given(st.integers(0, 16), st.integers(0, 2**32 - 1))
def test_all_near_pairs_are_found(bits, seed):
    generator = np.random.default_rng(seed)
    centers = generator.integers(0, 2**63, 6, dtype=np.uint64)
    flips = np.uint64(1) << generator.integers(0, 64, (30, 10), dtype=np.uint64)
    flips[generator.random(flips.shape) < 0.4] = 0
    hashes = np.unique(generator.choice(centers, 30) ^ np.bitwise_or.reduce(flips, axis=1))
    components = link_near_hashes(hashes, bits)
    found = [set(map(int, hashes[components == one])) for one in np.unique(components)]
    assert sorted(found, key=min) == brute_force(hashes, bits)


def test_near_copies_are_named_by_the_first_and_chain():
    hashes = [*(f"{number:016x}" for number in (0xFF, 0, 0xFE, 0xF0F0F0F0F0F0F0F0, 0xFC)), "", ""]
    images = pd.DataFrame({"image": list("abcdefg"), "perceptual_hash": hashes, "blank": False})
    assert find_near_copies(images, 0).tolist() == [""] * 7
    assert find_near_copies(images, 1).tolist() == ["", "", "a", "", "a", "", ""]
    assert find_near_copies(images, 6).tolist() == ["", "a", "a", "", "a", "", ""]
    images.loc[[0, 1], "blank"] = True
    assert find_near_copies(images, 6).tolist() == ["", "", "", "", "c", "", ""]


def test_pairs_are_joined_piece_by_piece(monkeypatch):
    """Each of these hashes is within 4 bits of many others; no list of all pairs is kept."""
    monkeypatch.setattr("emotion.ingest.splitting.near_copies.MOST_PENDING", 1000)
    assert (link_near_hashes(np.arange(500, dtype=np.uint64), 4) == 0).all()


@pytest.mark.medium
def test_near_copies_across_splits_are_left_out_and_counted(tmp_path, monkeypatch):
    """Of 63 photos, three in train are darker than ones in test or val. They are found on request only."""
    monkeypatch.chdir(tmp_path)
    rows = [(EMOTIONS[number % 7], SPLITS[number % 3], photo(number, 48)[..., 0]) for number in range(63)]
    for place, (emotion, _, image) in enumerate([rows[2], rows[5], rows[1]]):
        rows.append((emotion, "train", (image * (0.9 - place / 20)).astype(np.uint8)))
    write_files(tmp_path / "data/raw", image_files(rows))

    def run(**changes):
        write_params(tmp_path, **changes)
        create_dataframe.main()
        return read_table(TABLE), json.loads(DATASET_METRICS.read_text(encoding="utf-8"))

    table, metrics = run()
    assert (metrics["excluded"]["total"], "near_copies" in metrics, "near_copy_of" in table) == (0, False, False)
    table, metrics = run(split_near_copies=4)
    assert table["excluded"].value_counts().to_dict() == {"": 63, "near copy of test": 2, "near copy of val": 1}
    assert metrics["near_copies"]["across"] == {"val_in_train": 1, "test_in_train": 2, "test_in_val": 0}
    assert metrics["near_copies"]["total"] == (table["near_copy_of"] != "").sum() == 3
    assert (metrics["excluded"]["near_copy_of_test"], metrics["copies"]["total"]) == (2, 0)
    _, metrics = run(split_near_copies=4, split_keep_copies=True)
    assert (metrics["excluded"]["total"], metrics["near_copies"]["total"]) == (0, 3)
