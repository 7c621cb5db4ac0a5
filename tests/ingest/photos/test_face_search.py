"""Faces in training images: found and cut out as `emotion predict` does, and the boxes that a source brings."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd
import pytest

from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError
from emotion.core.metadata import ModelMetadata
from emotion.core.paths import DATASET_METRICS, FACE_CROP, FACE_SEARCH, FEATURES, REJECTED, TABLE
from emotion.data.feature_arrays import load_features
from emotion.data.images import read_image, to_input
from emotion.data.table import read_table
from emotion.faces.crop import align_crop
from emotion.faces.detection import Box, Detection
from emotion.faces.whole_image import LARGEST_CROP
from emotion.inference.predictor import Predictor
from emotion.ingest.photos.face_columns import format_face, parse_face
from emotion.ingest.photos.face_search import LEAST_OVERLAP
from emotion.ingest.photos.face_settings import FaceCrop, FaceSearch, read_crop, read_search
from emotion.ingest.sources.layouts.layout import Layout
from emotion.ingest.sources.pixel_hash import hash_pixels
from emotion.ingest.sources.source import Entry
from stages import create_dataframe, extract_features, resolve_faces
from tests.makers import encode, write_files, write_onnx, write_params

ROOT = Path(__file__).parents[3]
RAW = Path("data/raw")
SIZE = 32
PLACES = [f"{split}/{emotion}" for split in ("train", "val", "test") for emotion in ("happy", "sad")]


class Run(NamedTuple):
    """The results of the stages: the table, the features in its order, the reasons of rejections and the counts."""

    table: pd.DataFrame
    features: list[np.ndarray]
    rejected: dict[str, str]
    metrics: dict[str, Any]


@pytest.fixture
def run(here) -> Callable[..., Run]:
    """Run the stages up to features in a temporary folder; their source is what was written to data/raw."""

    def run_there(**changes: object) -> Run:
        write_params(here, **({"features_image_size": SIZE, "labels_scheme": "happy_sad"} | changes))
        for stage in (resolve_faces, create_dataframe, extract_features):
            stage.main()
        table, arrays = read_table(TABLE), load_features(FEATURES)
        by_split = {split: iter(arrays[f"x_{split}"]) for split in ("train", "val", "test")}
        features = [next(by_split[split]) for split, excluded in table[["split", "excluded"]].values if not excluded]
        rejected = pd.read_csv(REJECTED, keep_default_na=False)
        metrics = json.loads(DATASET_METRICS.read_text(encoding="utf-8"))
        return Run(table, features, dict(rejected[["image", "reason"]].values), metrics)

    return run_there


@pytest.fixture(scope="session")
def photos(astronaut) -> dict[str, np.ndarray]:
    """Photos with a face of every kind; those of PLACES have one that each detector finds."""
    turn = cv2.getRotationMatrix2D((220, 120), 25, 1.0)
    whole = [astronaut, astronaut[:300, 60:400], astronaut[:, ::-1], astronaut[:400, :470], astronaut[10:, 30:]]
    found = [*whole, cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)]
    others = {
        "tilted": cv2.warpAffine(astronaut, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE),
        "at the border": astronaut[20:330, 190:],
        "two": np.hstack([cv2.resize(astronaut, (300, 300)), np.zeros((300, 9, 3), np.uint8), astronaut[:300, 60:400]]),
        "small": cv2.resize(astronaut[20:300, 100:380], (64, 64), interpolation=cv2.INTER_AREA),
        "crop": cv2.resize(astronaut[60:190, 150:280], (48, 48), interpolation=cv2.INTER_AREA),
        "no face": np.random.default_rng(0).integers(0, 256, (200, 300), dtype=np.uint8),
    }
    named = {f"{place}/photo.png": photo for place, photo in zip(PLACES, found, strict=True)}
    return named | {f"train/happy/{name}.png": photo for name, photo in others.items()}


def write_photos(photos: dict[str, np.ndarray]) -> None:
    write_files(RAW, {name: encode(photo) for name, photo in photos.items()})


# The search


@pytest.mark.medium
@pytest.mark.parametrize(
    "faces, detector, margin, color",
    [
        ("detect", "yunet", 0.0, "grayscale"),
        ("detect", "cascade", 0.2, "rgb"),
        ("auto", "yunet", 1 / 7, "rgb"),
        ("auto", "cascade", 0.0, "grayscale"),
    ],
)
def test_training_and_reading_get_the_same_bits(run, photos, tmp_path, faces, detector, margin, color):
    write_photos(photos)
    own: dict[str, Any] = {"detector": detector, "margin": margin, "smallest": 20}
    done = run(features_faces=faces, features_color=color, **{f"faces_{name}": value for name, value in own.items()})
    metadata = ModelMetadata(EMOTIONS, SIZE, color, **own)
    path = write_onnx(tmp_path / "model.onnx", metadata)
    by_default, searching = Predictor(path), Predictor(path, detector=detector)
    crops = dict(zip(done.table["image"], done.features, strict=True))
    for name in photos:
        image = read_image(RAW / name)
        reader = by_default if faces == "auto" or max(image.shape) > LARGEST_CROP else searching
        found = reader.detect(image)
        assert (name in crops) == bool(found), name
        if found:
            np.testing.assert_array_equal(crops[name], reader.crop(image, found[0]), err_msg=name)
            assert done.table.set_index("image").loc[name, "faces"] == len(found)
        else:
            assert done.rejected[name] == "no face found"
    assert set(PLACES) <= {str(Path(name).parent) for name in crops}
    # A search of less, or with other settings, would pass the loop above.
    assert (done.metrics["rejected"], done.metrics["without_face"]) == (0, len(done.rejected))
    assert done.metrics["several_faces"] == 1
    assert done.metrics["source_images"] == len(photos)
    if detector == "yunet":
        assert max(abs(face.tilt) for face in map(parse_face, done.table["face"]) if face) > 0.3
        lost = {"detect": {"no face", "crop"}, "auto": {"no face"}}[faces]
        assert {Path(name).stem for name in done.rejected} <= lost


@pytest.mark.medium
def test_whole_images_are_taken_as_they_are(run):
    generator = np.random.default_rng(0)
    write_photos({f"{place}/a.png": generator.integers(0, 256, (48, 40), dtype=np.uint8) for place in PLACES})
    plain, auto = run(), run(features_faces="auto", faces_margin=0.5)
    np.testing.assert_array_equal(plain.features, auto.features)
    assert plain.metrics["sha256"] == auto.metrics["sha256"]
    assert (auto.table["faces"] == 1).all()
    assert "face" not in auto.table
    assert "faces" not in plain.table


@pytest.mark.medium
def test_most_images_without_a_face_are_named_with_the_setting(run, photos, capsys):
    generator = np.random.default_rng(1)
    noise = {f"train/sad/{number}.png": generator.integers(0, 256, (60, 60), dtype=np.uint8) for number in range(7)}
    found = {name: photo for name, photo in photos.items() if Path(name).stem == "photo"}
    write_photos(found | noise)
    # Images without a face are no broken images, of which rejected_share allows none.
    done = run(features_faces="detect", source_rejected_share=0.0)
    assert (len(done.table), done.metrics["without_face"], done.metrics["rejected"]) == (6, 7, 0)
    assert set(done.rejected) == set(noise)
    printed = capsys.readouterr().out
    assert "7 of 13" in printed
    assert "features.faces: as_is" in printed
    for name in found:
        (RAW / name).unlink()
    with pytest.raises(InputError, match=r"no face .*7 images.*features\.faces: as_is"):
        run(features_faces="detect")
    (RAW / "train/sad/broken.png").write_bytes(b"no image")
    write_photos(found)
    with pytest.raises(InputError, match=r"(?s)1 of 7 images.*broken\.png"):
        run(features_faces="detect", source_rejected_share=0.0)


@pytest.mark.medium
def test_photos_that_are_squeezed_as_a_whole_give_a_note(run, photos, capsys):
    write_photos({name: photo for name, photo in photos.items() if Path(name).stem == "photo"})
    run()
    assert "6 of 6 images" in (printed := capsys.readouterr().out)
    assert "features.faces: auto" in printed
    run(features_faces="detect")
    assert "features.faces: auto" not in capsys.readouterr().out


SEARCH = """
import sys
from pathlib import Path
from emotion.ingest.photos import face_search
from emotion.ingest.photos.face_settings import FaceSearch
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.content import content_of
from emotion.ingest.sources.locate import open_source
from emotion.parallel import batches

face_search.SEARCHED_BATCH = 1
source = open_source(Path(sys.argv[1]), None, LabelReader())
results = []
for count in (2, 1, 2):
    batches._count_workers = lambda batches: count
    read = face_search.read_batches(source, FaceSearch("detect", "yunet", 40), content_of)
    results.append([row for batch in read for row in batch])
    # The parent process loads what it needs to search only when it searches itself.
    assert ("onnxruntime" in sys.modules) == (len(results) > 1)
assert results[0] == results[1] == results[2]
print(sum(content.faces for _, content in results[0]))
"""


@pytest.mark.medium
def test_processes_find_the_same_faces_even_after_the_parent_searched(photos, tmp_path):
    files = {name: encode(photo) for name, photo in photos.items() if max(photo.shape) > 200}
    write_files(tmp_path, files)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SEARCH, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= len(PLACES)
    assert done.stderr == "", "a progress bar off a terminal, or a warning of the detector"


# Boxes of the source


@pytest.fixture
def boxed(monkeypatch) -> Callable[[list[tuple[str, Box]]], None]:
    """Give the images of data/raw boxes, as the layouts of some data sets do."""

    def set_boxes(boxes: list[tuple[str, Box]]) -> None:
        entries = [Entry(name, name.split("/")[1], name.split("/")[0], box=box) for name, box in boxes]
        monkeypatch.setattr("emotion.ingest.sources.locate.read_files", lambda *_: Layout("boxes", entries))

    return set_boxes


def test_the_square_around_a_box_is_the_image(run, boxed):
    generator = np.random.default_rng(2)
    photos = {f"{place}/a.png": generator.integers(0, 256, (200, 300), dtype=np.uint8) for place in PLACES}
    write_photos(photos)
    inside, tall, large, beyond = Box(20, 30, 40, 40), Box(100, 20, 30, 60), Box(50, 0, 180, 200), Box(-30, 170, 50, 50)
    boxes = [*zip(photos, [inside, tall, large, beyond, inside, large], strict=True)]
    name = next(iter(photos))
    outside = [(name, Box(300, 0, 5, 5)), (name, Box(0, -9, 9, 9)), (name, Box(5, 5, 0, 9))]
    boxed([*boxes, (name, tall), *outside])
    done = run(source_rejected_share=0.5, features_color="rgb")
    assert list(zip(done.table["image"], done.table["box"], strict=True)) == [
        (image, " ".join(map(str, box))) for image, box in [*boxes, (name, tall)]
    ]
    for row, feature in zip(done.table.itertuples(), done.features, strict=True):
        image, box = photos[row.image][:, :, None], Box(*map(int, row.box.split()))
        side = max(box.width, box.height)
        square = align_crop(image, Detection(box), 0.0, side, "grayscale")
        assert (row.height, row.width, row.channels, row.hash) == (side, side, 1, hash_pixels(square))
        assert (row.offset < 0) == (side > 64)
        np.testing.assert_array_equal(feature, to_input(square, SIZE, "rgb"))
    first = done.table.iloc[0]
    np.testing.assert_array_equal(
        align_crop(photos[first["image"]][:, :, None], Detection(inside), 0.0, 40, "grayscale")[:, :, 0],
        photos[first["image"]][30:70, 20:60],
    )
    assert not done.table["copy_of"].any(), "two boxes of one photo are no copies"
    assert done.metrics["rejected"] == 3
    reason = pd.read_csv(REJECTED)["reason"]
    assert reason.str.contains("300x200").tolist() == [True, True, False]
    assert "5x5 pixels at x 300, y 0" in reason[0]


@pytest.mark.medium
def test_the_face_that_overlaps_the_box_best_is_taken(run, boxed, photos, tmp_path):
    two = photos["train/happy/two.png"]
    write_photos(dict.fromkeys((f"{place}/two.png" for place in PLACES), two))
    path = write_onnx(tmp_path / "model.onnx", ModelMetadata(EMOTIONS, SIZE, "grayscale", margin=0.1))
    predictor = Predictor(path)
    large, small = predictor.detect(two)
    expected = [large, small] * 3
    near = [face.box._replace(x=face.box.x + shift) for shift, face in enumerate(expected)]
    boxes = [(f"{place}/two.png", box) for place, box in zip(PLACES, near, strict=True)]
    boxed([*boxes, ("train/sad/two.png", Box(0, 250, 40, 40))])
    done = run(features_faces="auto", faces_margin=0.1, split_keep_copies=True)
    assert [parse_face(text) for text in done.table["face"]] == expected
    for feature, face in zip(done.features, expected, strict=True):
        np.testing.assert_array_equal(feature, predictor.crop(two, face))
    assert done.table["hash"].nunique() == 6
    assert done.rejected == {"train/sad/two.png": "no face found in the box"}
    assert done.metrics["without_face"] == 1
    assert 0 < LEAST_OVERLAP < 0.5


# The settings


def test_only_what_matters_is_resolved(here):
    write_params(here)
    plain = FACE_SEARCH.read_bytes(), FACE_CROP.read_bytes()
    assert (read_search(FACE_SEARCH), read_crop(FACE_CROP)) == (FaceSearch("as_is"), FaceCrop("as_is"))
    changes = {"faces_margin": 1 / 7, "faces_smallest": 21, "faces_detector": "cascade"}
    write_params(here, **changes)
    resolve_faces.main()
    assert (FACE_SEARCH.read_bytes(), FACE_CROP.read_bytes()) == plain
    write_params(here, features_faces="detect", **changes)
    resolve_faces.main()
    assert read_search(FACE_SEARCH) == FaceSearch("detect", "cascade", 21)
    assert read_crop(FACE_CROP) == FaceCrop("detect", 1 / 7)
    found = FACE_SEARCH.read_bytes()
    write_params(here, features_faces="detect", **(changes | {"faces_margin": 0.5}))
    assert FACE_SEARCH.read_bytes() == found, "another margin would search all images again"


@pytest.mark.parametrize("path, read", [(FACE_SEARCH, read_search), (FACE_CROP, read_crop)])
@pytest.mark.parametrize("content", [None, "{}", "[1]", '{"faces": "as_is", "more": 1}', "broken"])
def test_settings_that_cannot_be_read_are_refused(here, path, read, content):
    if content is not None:
        write_files(here, {path.as_posix(): content.encode()})
    with pytest.raises(InputError, match=rf"{path.name}.*`dvc repro resolve_faces`"):
        read(path)


def test_the_text_of_a_face_keeps_every_digit():
    face = Detection(Box(-3, 4, 50, 50), 0.1 + 0.2)
    assert parse_face(format_face(face)) == face
    assert parse_face(format_face(None)) is None
