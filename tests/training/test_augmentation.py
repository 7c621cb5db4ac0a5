"""Random changes of images: in training only, within their bounds, and the same for the same seed."""

from typing import Any

import numpy as np
import pytest

from emotion.core.params import AugmentationParams
from emotion.training.augmentation import Augmentation, Mix, mixing_shares

pytestmark = pytest.mark.tf

NOTHING: dict[str, Any] = {"flip": False, "rotation": 0.0, "zoom": [1.0, 1.0], "shift": 0.0}
NOTHING |= {"brightness": 0.0, "contrast": 0.0, "erase": 0.0, "mixup": 0.0}


@pytest.fixture(scope="module")
def images(deterministic):
    return np.random.default_rng(0).integers(0, 256, (64, 24, 24, 1), dtype=np.uint8)


@pytest.fixture
def ramp(deterministic):
    """Images that grow brighter to the right: column c has the gray 10 c."""
    return np.broadcast_to(np.arange(24, dtype=np.uint8)[None, None, :, None] * 10, (64, 24, 24, 1))


def augment(images, seed=1, training=True, **changes):
    layer = Augmentation(AugmentationParams(**NOTHING | changes), seed)
    return np.asarray(layer(images, training=training))


def test_nothing_happens_outside_training(images):
    changed = augment(images, training=False, flip=True, rotation=30.0, erase=1.0, contrast=0.5)
    assert (changed == images).all()


def test_params_of_no_change_change_nothing(images):
    changed = augment(images)
    assert changed.dtype == np.uint8
    assert (changed == images).all()


def test_half_of_the_images_are_mirrored_and_the_others_untouched(images):
    changed = augment(images, flip=True)
    mirrored = (changed == images[:, :, ::-1]).all(axis=(1, 2, 3))
    same = (changed == images).all(axis=(1, 2, 3))
    assert (mirrored | same).all()
    assert 16 < mirrored.sum() < 48


def test_a_shift_moves_within_its_bound(ramp):
    moved = augment(ramp, shift=0.125)[:, 12, 12, 0].astype(int) - 120
    assert np.abs(moved).max() <= 31  # 0.125 of 24 columns is 3; each is 10 gray values
    assert moved.min() < -10
    assert moved.max() > 10


def test_a_zoom_above_one_enlarges_about_the_center(ramp):
    slopes = np.diff(augment(ramp, zoom=[2.0, 2.0])[:, 12, 6:18, 0].astype(int), axis=1)
    assert slopes.mean() == pytest.approx(5, abs=0.2)


def test_a_rotation_by_a_quarter_turns_the_ramp(ramp):
    changed = augment(ramp, rotation=180.0)
    down = np.ptp(changed[:, 6:18, 12, 0].astype(int), axis=1)
    assert down.max() > 90
    assert down.min() < 40


def test_a_rotation_keeps_to_its_degrees(ramp):
    down = np.ptp(augment(ramp, rotation=10.0)[:, 6:18, 12, 0].astype(int), axis=1)
    assert 12 < down.max() <= 20  # 11 rows, a sine of 0.17, and 10 gray values a column


def test_brightness_keeps_to_its_bounds(images):
    lit = augment(np.full_like(images, 100), brightness=0.1)
    assert 74 <= lit.min() < lit.max() <= 126


def test_contrast_changes_about_the_mean_of_each_image(images):
    flat = np.broadcast_to(np.arange(20, 148, 2, dtype=np.uint8)[:, None, None, None], images.shape)
    assert (augment(flat, contrast=0.9) == flat).all()


def test_erasing_sets_one_gray_patch_of_bounded_area(images):
    base = np.broadcast_to(np.random.default_rng(3).integers(0, 256, (1, 24, 24, 1), dtype=np.uint8), images.shape)
    changed = augment(base, erase=1.0)
    for before, after in zip(base, changed, strict=True):
        rows, columns = np.nonzero((before != after)[..., 0])
        patch = after[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert np.unique(patch).size == 1
        assert patch.size <= 0.27 * 24 * 24  # 20 %, and a border of rounding


def test_the_same_seed_gives_the_same_images(images):
    changes = {"flip": True, "rotation": 20.0, "zoom": [0.8, 1.2], "shift": 0.1, "erase": 0.5, "contrast": 0.3}
    assert (augment(images, seed=5, **changes) == augment(images, seed=5, **changes)).all()
    assert (augment(images, seed=5, **changes) != augment(images, seed=6, **changes)).any()


def test_each_image_of_a_batch_gets_a_change_of_its_own(ramp):
    assert len(np.unique(augment(ramp, shift=0.2)[:, 12, 12, 0])) > 20


def test_color_images_stay_in_color(images):
    color = np.concatenate([images, images // 2, images // 4], axis=3)
    changed = augment(color, flip=True, rotation=15.0, erase=0.5)
    assert changed.shape == color.shape


def test_mixing_puts_each_image_over_its_counterpart(images):
    shares = np.linspace(0.5, 1, 64).astype(np.float32)
    mixed = np.asarray(Mix()(images, shares, training=True)).astype(float)
    own, other = images.astype(float), images[::-1].astype(float)
    expected = shares[:, None, None, None] * own + (1 - shares[:, None, None, None]) * other
    assert np.abs(mixed - expected).max() <= 0.51
    assert (np.asarray(Mix()(images, shares, training=False)) == images).all()


def test_no_mixing_leaves_every_image_whole():
    shares, partners = mixing_shares(10, 4, 0.0, np.random.default_rng(0))
    assert shares.tolist() == [1.0] * 10
    assert partners.tolist() == [3, 2, 1, 0, 7, 6, 5, 4, 9, 8]


def test_mixing_shares_are_the_larger_of_two_from_a_beta_distribution():
    shares, _ = mixing_shares(20_000, 128, 0.2, np.random.default_rng(0))
    assert shares.dtype == np.float32
    assert shares.min() >= 0.5
    assert shares.mean() == pytest.approx(0.899, abs=0.005)  # from 400,000 draws of random.betavariate
