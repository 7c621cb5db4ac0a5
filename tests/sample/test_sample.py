"""The embedded data set: the same bytes from the same seed, FER2013's layout, and images worth learning from."""

import hashlib
import os
import subprocess
import sys
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emotion.core.emotion_names import EMOTIONS
from emotion.sample.action_units import EXPRESSIONS, NAMES, draw_units
from emotion.sample.archive import CLASS_SHARES, make_sample, plan_images
from emotion.sample.faces import draw_face
from emotion.sample.people import BEARDS, HAIR_STYLES, draw_person

pytestmark = pytest.mark.medium

ROOT = Path(__file__).parents[2]
SEED = 2013
SMALL = 200


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("small") / "archive.zip"
    make_sample(path, SEED, SMALL)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The set that the committed params.yaml asks for."""
    path = tmp_path_factory.mktemp("whole") / "archive.zip"
    make_sample(path, SEED, 3000)
    return path


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read(path):
    """Return split name -> (images, labels) and split name -> list of raw files."""
    images: dict[str, list[np.ndarray]] = {}
    labels: dict[str, list[int]] = {}
    raw: dict[str, list[tuple[str, bytes]]] = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            folder, emotion, file = name.split("/")
            usage = file.split("_")[0]
            assert folder == ("train" if usage == "Training" else "test")
            data = archive.read(name)
            raw.setdefault(usage, []).append((emotion, data))
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
            assert image is not None
            images.setdefault(usage, []).append(image)
            labels.setdefault(usage, []).append(EMOTIONS.index(emotion))
    return {usage: (np.array(images[usage]), np.array(labels[usage])) for usage in raw}, raw


def test_same_seed_gives_same_bytes_in_any_process(small, tmp_path):
    code = (
        "import sys; from pathlib import Path; from emotion.sample.archive import make_sample;"
        f"make_sample(Path(sys.argv[1]), {SEED}, {SMALL})"
    )
    path = tmp_path / "archive.zip"
    environment = {**os.environ, "PYTHONHASHSEED": "77", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, env=environment)
    assert digest(path) == digest(small)


def test_bytes_do_not_depend_on_opencv_threads(small, tmp_path):
    before = cv2.getNumThreads()
    cv2.setNumThreads(3 if before == 1 else 1)
    try:
        make_sample(tmp_path / "archive.zip", SEED, SMALL)
    finally:
        cv2.setNumThreads(before)
    assert digest(tmp_path / "archive.zip") == digest(small)


def test_another_seed_gives_other_images(small, tmp_path):
    make_sample(tmp_path / "archive.zip", SEED + 1, SMALL)
    assert digest(tmp_path / "archive.zip") != digest(small)


def test_archive_holds_kaggles_layout(small):
    with zipfile.ZipFile(small) as archive:
        members = archive.infolist()
    names = [member.filename for member in members]
    numbers = [int(name.rsplit("_", 1)[1].removesuffix(".jpg")) for name in names]
    assert names == sorted(names)
    assert sorted(numbers) == list(range(SMALL))
    assert {name.split("/")[1] for name in names} == set(EMOTIONS)
    assert {member.date_time for member in members} == {(2013, 4, 14, 0, 0, 0)}


def test_images_are_small_and_gray(small):
    splits, _ = read(small)
    for images, _ in splits.values():
        assert images.dtype == np.uint8
        assert images.shape[1:] == (48, 48)


@pytest.mark.parametrize("images", [SMALL, 1001, 3000])
def test_splits_and_classes_have_their_shares(images):
    plan = plan_images(SEED, images)
    usages = Counter(image.usage for image in plan)
    assert len(plan) == images
    assert usages["Training"] == pytest.approx(0.8 * images, abs=1)
    assert usages["PublicTest"] == pytest.approx(0.1 * images, abs=1)
    for usage, count in usages.items():
        emotions = Counter(image.emotion for image in plan if image.usage == usage)
        for emotion, share in CLASS_SHARES.items():
            assert emotions[emotion] >= 1
            assert emotions[emotion] == pytest.approx(share * count, abs=1.5)


def test_smallest_class_is_disgust_and_largest_happy():
    emotions = Counter(image.emotion for image in plan_images(SEED, 3000))
    assert emotions.most_common()[0][0] == "happy"
    assert emotions.most_common()[-1][0] == "disgust"


def test_a_person_is_in_one_split_only():
    usages: dict[int, set[str]] = {}
    for image in plan_images(SEED, 3000):
        usages.setdefault(image.person, set()).add(image.usage)
    assert all(len(found) == 1 for found in usages.values())


@pytest.mark.slow
def test_copies_and_blanks_are_planted(whole):
    splits, raw = read(whole)
    training = {data: emotion for emotion, data in raw["Training"]}
    test = [(emotion, data) for usage in ("PublicTest", "PrivateTest") for emotion, data in raw[usage]]
    leaked = [(emotion, training[data]) for emotion, data in test if data in training]
    blank = [image for image in splits["Training"][0] if np.ptp(image) == 0]
    assert len(leaked) >= 10
    assert any(original != copy for original, copy in leaked)
    assert any(original == copy for original, copy in leaked)
    assert len(training) < len(raw["Training"])
    assert len(blank) == 2


def test_small_sets_hold_copies_too(small):
    _, raw = read(small)
    training = {data for _, data in raw["Training"]}
    for usage in ("PublicTest", "PrivateTest"):
        assert any(data in training for _, data in raw[usage])


@pytest.mark.parametrize(
    ("emotion", "units"),
    [
        ("happy", {6, 12}),
        ("angry", {4, 5, 7, 23}),
        ("disgust", {9, 10}),
        ("surprise", {1, 2, 5, 26}),
        ("fear", {1, 2, 4, 5, 20}),
        ("sad", {1, 4, 15}),
        ("neutral", set()),
    ],
)
def test_emotions_move_their_action_units(emotion, units):
    assert set(EXPRESSIONS[emotion].core) == units
    for seed in range(20):
        moved = draw_units(emotion, np.random.default_rng(seed))
        assert set(moved) == set(NAMES)
        assert all(0 <= intensity <= 1 for intensity in moved.values())
        assert all(moved[unit] >= 0.3 for unit in units)
        if emotion == "neutral":
            assert max(moved.values()) < 0.3


def test_every_emotion_has_its_expression_and_share():
    assert set(EXPRESSIONS) == set(CLASS_SHARES) == set(EMOTIONS)
    assert sum(CLASS_SHARES.values()) == pytest.approx(1)


def test_one_face_depends_on_generator_person_and_emotion():
    people = [draw_person(np.random.default_rng(number)) for number in (1, 2)]
    face = draw_face("happy", np.random.default_rng(5), people[0])
    assert np.array_equal(face, draw_face("happy", np.random.default_rng(5), people[0]))
    for emotion, number, person in (("sad", 5, 0), ("happy", 6, 0), ("happy", 5, 1)):
        assert not np.array_equal(face, draw_face(emotion, np.random.default_rng(number), people[person]))


STYLES = [("hair", style) for style in HAIR_STYLES] + [("beard", style) for style in BEARDS]


@pytest.mark.parametrize("feature, style", STYLES)
def test_every_style_of_hair_and_beard_shows(feature, style):
    person = replace(draw_person(np.random.default_rng(1)), hair="short", beard="none", glasses="none", hair_tone=40.0)
    plain, styled = (
        draw_face("neutral", np.random.default_rng(5), look) for look in (person, replace(person, **{feature: style}))
    )
    assert np.array_equal(plain, styled) == (style in ("short", "none"))


@pytest.mark.slow
def test_a_linear_model_learns_something_but_far_from_all(whole):
    splits, _ = read(whole)
    (x_train, y_train), (x_test, y_test) = splits["Training"], splits["PublicTest"]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1e-3, max_iter=40, tol=0.05))
    model.fit(x_train.reshape(len(x_train), -1), y_train)
    accuracy = model.score(x_test.reshape(len(x_test), -1), y_test)
    assert 0.3 < accuracy < 0.7
