"""From the table to arrays, in either format, and reading them safely."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotion.core.errors import InputError
from emotion.core.paths import FEATURES, PIXELS, TABLE
from emotion.data.feature_arrays import ARRAYS, PICKLE, load_features
from emotion.data.images import to_input
from emotion.data.table import read_table
from emotion.ingest.extraction import extract
from emotion.ingest.pixels import load_pixels
from stages import create_dataframe, extract_features
from tests.makers import Row, csv_text, encode, image_files, make_rows, write_files, write_params

ROOT = Path(__file__).parents[2]
RAW = Path("data/raw")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run both stages in a temporary folder; their source is what was written to data/raw."""
    monkeypatch.chdir(tmp_path)

    def run_there(**changes: object) -> dict[str, np.ndarray]:
        write_params(tmp_path, **{"features_image_size": 16, **changes})
        create_dataframe.main()
        extract_features.main()
        return load_features(FEATURES)

    return run_there


def expected(rows: list[Row], size: int, color: str) -> dict[str, list[np.ndarray]]:
    """Return the inputs of each split, as images alone makes them."""
    inputs = [(split, to_input(np.atleast_3d(image), size, color)) for _, split, image in rows]
    return {split: [image for part, image in inputs if part == split] for split in ("train", "val", "test")}


def as_set(images: np.ndarray, labels: np.ndarray) -> list[tuple[int, bytes]]:
    return sorted((int(label), image.tobytes()) for image, label in zip(images, labels, strict=True))


@pytest.mark.parametrize("size, color", [(12, "grayscale"), (16, "grayscale"), (9, "rgb"), (12, "rgb")])
def test_arrays_hold_the_images_in_the_order_of_the_table(run, size, color):
    rows = make_rows(per_class=3)
    write_files(RAW, {"fer2013.csv": csv_text(rows).encode()})
    features = run(features_image_size=size, features_color=color)
    assert list(features) == list(ARRAYS) == ["x_train", "y_train", "x_val", "y_val", "x_test", "y_test"]
    table = read_table(TABLE)
    for split, inputs in expected(rows, size, color).items():
        np.testing.assert_array_equal(features[f"x_{split}"], np.stack(inputs))
        assert features[f"x_{split}"].dtype == np.uint8
        assert features[f"y_{split}"].dtype == np.int32
        assert features[f"y_{split}"].tolist() == table.loc[table["split"] == split, "label"].tolist()


def test_csv_and_folder_give_the_same_arrays(run):
    rows = make_rows(per_class=3)
    write_files(RAW / "a", {"fer2013.csv": csv_text(rows).encode()})
    write_files(RAW / "b", image_files(rows))
    first, second = ({**run(source_folder=f"data/raw/{name}")} for name in "ab")
    for split in ("train", "val", "test"):
        images = [as_set(features[f"x_{split}"], features[f"y_{split}"]) for features in (first, second)]
        assert images[0] == images[1]


@pytest.mark.parametrize("layout", ["csv", "folder"])
def test_images_of_every_size_are_taken(run, layout):
    """Small and large ones in turns: some come from pixels.npy, others from the source."""
    sizes = [(70, 90), (10, 10), (66, 66), (64, 64), (300, 5), (65, 64)] if layout == "folder" else [(70, 70)]
    generator = np.random.default_rng(0)
    rows = []
    for number, (emotion, split, _) in enumerate(make_rows(per_class=3)):
        height, width = sizes[number % len(sizes)]
        shape = (height, width, 3) if number % 4 == 1 and layout == "folder" else (height, width)
        rows.append((emotion, split, generator.integers(0, 256, shape, dtype=np.uint8)))
    write_files(RAW, image_files(rows) if layout == "folder" else {"a.csv": csv_text(rows).encode()})
    features = run(features_color="rgb")
    table = read_table(TABLE)
    assert (table["offset"] < 0).any()
    assert (table["offset"] >= 0).any() == (layout == "folder")
    for split, inputs in expected(rows, 16, "rgb").items():
        found = sorted(image.tobytes() for image in features[f"x_{split}"])
        assert found == sorted(image.tobytes() for image in inputs)
        for image, label in zip(features[f"x_{split}"], features[f"y_{split}"], strict=True):
            assert (label, split) in {
                (["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"].index(emotion), part)
                for emotion, part, original in rows
                if np.array_equal(to_input(np.atleast_3d(original), 16, "rgb"), image)
            }


def test_color_images_of_the_right_size_are_taken_as_they_are(run):
    gray = make_rows(per_class=3, size=16)
    rows = [(emotion, split, np.dstack([image, image[::-1], image[:, ::-1]])) for emotion, split, image in gray]
    write_files(RAW, image_files(rows))
    features = run(features_color="rgb")
    for split, inputs in expected(rows, 16, "rgb").items():
        assert sorted(image.tobytes() for image in features[f"x_{split}"]) == sorted(map(np.ndarray.tobytes, inputs))


def test_excluded_images_are_left_out(run):
    rows = make_rows(per_class=3)
    rows += [(emotion, "train", image) for emotion, split, image in rows if split == "test"]
    write_files(RAW, {"a.csv": csv_text(rows).encode()})
    assert len(run()["x_train"]) == 21
    assert len(run(split_keep_copies=True)["x_train"]) == 42
    features = run(labels_scheme=["sad", "happy"])
    assert features["y_test"].tolist() == [1, 1, 1, 0, 0, 0]


@pytest.mark.medium
@pytest.mark.parametrize("batch", [1, 5, 1000])
def test_results_do_not_depend_on_the_batches(run, batch, monkeypatch):
    write_files(RAW, {"a.csv": csv_text(make_rows(per_class=3)).encode()})
    whole = {name: np.array(array) for name, array in run().items()}
    monkeypatch.setattr("emotion.ingest.extraction.BATCH_IN_MEMORY", batch)
    for name, array in run().items():
        np.testing.assert_array_equal(array, whole[name])


# Formats


def test_pkl_equals_npy(run):
    write_files(RAW, {"a.csv": csv_text(make_rows()).encode()})
    arrays = {name: np.array(array) for name, array in run().items()}
    assert sorted(path.name for path in FEATURES.iterdir()) == sorted(f"{name}.npy" for name in ARRAYS)
    packed = run(features_format="pkl")
    assert [path.name for path in FEATURES.iterdir()] == [PICKLE]
    with (FEATURES / PICKLE).open("rb") as file:
        plain = pickle.load(file)  # noqa: S301 - written by this very test
    for name in ARRAYS:
        for other in (packed[name], plain[name]):
            assert type(other) is np.ndarray
            assert other.dtype == arrays[name].dtype
            np.testing.assert_array_equal(other, arrays[name])


def test_npy_arrays_stay_on_disk(run):
    write_files(RAW, {"a.csv": csv_text(make_rows()).encode()})
    assert all(isinstance(array, np.memmap) and not array.flags.writeable for array in run().values())


class RunsCode:
    def __reduce__(self):
        return os.mkdir, ("was_run",)


def valid_arrays() -> dict[str, np.ndarray]:
    return {name: np.zeros((2, 8, 8, 1), np.uint8) if name[0] == "x" else np.zeros(2, np.int32) for name in ARRAYS}


@pytest.mark.parametrize(
    "content",
    [
        RunsCode(),
        {**valid_arrays(), "x_train": RunsCode()},
        {**valid_arrays(), "more": [RunsCode()]},
        {**valid_arrays(), "y_val": np.array([RunsCode()], dtype=object)},
        {**valid_arrays(), "more": print},
    ],
    ids=["alone", "for an array", "beside arrays", "in an array", "a function"],
)
def test_a_pickle_that_runs_code_is_refused(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with (tmp_path / PICKLE).open("wb") as file:
        pickle.dump(content, file)
    with pytest.raises(InputError, match=r"features\.pkl .*expected .*arrays.*`dvc repro extract_features`"):
        load_features(tmp_path)
    assert not (tmp_path / "was_run").exists()


def test_object_arrays_over_raw_memory_are_refused(tmp_path):
    """Such an array would take any bytes for the addresses of Python objects."""

    class Forged:
        def __reduce__(self):
            return np.ndarray, ((1,), np.dtype(object), bytearray(8))

    with (tmp_path / PICKLE).open("wb") as file:
        pickle.dump({**valid_arrays(), "x_train": Forged()}, file)
    with pytest.raises(InputError):
        load_features(tmp_path)


def test_arrays_of_objects_are_refused(tmp_path):
    with (tmp_path / PICKLE).open("wb") as file:
        pickle.dump({**valid_arrays(), "x_train": np.array([None])}, file, protocol=5)
    with pytest.raises(InputError, match="cannot be read"):
        load_features(tmp_path)


@pytest.mark.parametrize(
    "content, message",
    [
        ([], r"features\.pkl .*\blist, expected .*dict.*`dvc repro extract_features`"),
        ({}, "x_train is NoneType"),
        ({**valid_arrays(), "x_val": np.zeros((2, 8, 8), np.uint8)}, "x_val is uint8 of shape"),
        ({**valid_arrays(), "y_val": np.zeros(2, np.uint8)}, "y_val is uint8 of shape"),
        ({**valid_arrays(), "y_val": np.zeros(2, np.float64)}, "values of the type 'f8', expected u1 or i4"),
        ({**valid_arrays(), "y_val": np.zeros(2, np.dtype(">i4"))}, "in the order '>'"),
        ({**valid_arrays(), "y_val": np.zeros(3, np.int32)}, r"x_val .*\b2 images.*y_val .*\b3 labels"),
        ({**valid_arrays(), "x_val": np.asfortranarray(np.zeros((2, 8, 8, 1), np.uint8))}, "in the order 'F'"),
    ],
)
def test_other_content_is_refused(content, message, tmp_path):
    with (tmp_path / PICKLE).open("wb") as file:
        pickle.dump(content, file, protocol=5)
    with pytest.raises(InputError, match=message):
        load_features(tmp_path)


def test_votes_are_checked_where_they_are(tmp_path):
    for name, array in valid_arrays().items():
        np.save(tmp_path / f"{name}.npy", array)
    cases: list[tuple[np.ndarray, str]] = [
        (np.zeros((3, 8), np.uint8), r"x_train .*\b2 images.*votes_train .*\b3\b"),
        (np.zeros((2, 8), np.int32), "votes_train is int32 of shape"),
        (np.zeros(2, np.uint8), "votes_train is uint8 of shape"),
    ]
    for votes, message in cases:
        np.save(tmp_path / "votes_train.npy", votes)
        with pytest.raises(InputError, match=message):
            load_features(tmp_path)
    np.save(tmp_path / "votes_train.npy", np.zeros((2, 8), np.uint8))
    assert list(load_features(tmp_path)) == [*ARRAYS, "votes_train"]
    with (tmp_path / PICKLE).open("wb") as file:
        pickle.dump({**valid_arrays(), "votes_train": np.zeros((1, 8), np.uint8)}, file, protocol=5)
    with pytest.raises(InputError, match=r"x_train .*\b2 images.*votes_train .*\b1\b"):
        load_features(tmp_path)


def test_missing_and_broken_files_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"x_train\.npy .*missing.*`dvc repro extract_features`"):
        load_features(tmp_path)
    for name, array in valid_arrays().items():
        np.save(tmp_path / f"{name}.npy", array)
    assert list(load_features(tmp_path)) == list(ARRAYS)
    for content in (b"", b"nothing", (tmp_path / "x_val.npy").read_bytes()[:150]):
        (tmp_path / "x_val.npy").write_bytes(content)
        with pytest.raises(InputError, match="cannot be read"):
            load_features(tmp_path)
    np.save(tmp_path / "x_val.npy", np.array([RunsCode()], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read"):
        load_features(tmp_path)
    (tmp_path / PICKLE).write_bytes(pickle.dumps(valid_arrays())[:100])
    with pytest.raises(InputError, match="cannot be read"):
        load_features(tmp_path)


@pytest.mark.parametrize("content", [None, b"", b"nothing"], ids=["missing", "empty", "no array"])
def test_small_images_that_cannot_be_read_are_refused(content, tmp_path):
    path = tmp_path / PIXELS.name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=rf"{PIXELS.name} .*`dvc repro create_dataframe`"):
        load_pixels(path)


# A run that fails


def snapshot() -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for path in sorted(Path("data").rglob("*"))
        if RAW not in path.parents and path.is_file()
    }


@pytest.mark.parametrize("fault", ["table", "pixels", "other pixels", "image", "killed"])
def test_a_failing_run_leaves_what_was_there(run, fault, monkeypatch):
    rows = [(emotion, split, np.kron(image, np.ones((6, 6), np.uint8))) for emotion, split, image in make_rows(1)]
    write_files(RAW, image_files(rows + make_rows(1, seed=1)))
    run()
    if fault == "table":
        TABLE.unlink()
    elif fault == "pixels":
        PIXELS.unlink()
    elif fault == "other pixels":
        np.save(PIXELS, np.zeros(10, np.uint8))
    elif fault == "image":
        next(RAW.glob("*/*/*00003.png")).write_bytes(b"")
    else:
        monkeypatch.setattr("emotion.ingest.extraction._are_inputs", interrupt)
    before = snapshot()
    with pytest.raises(KeyboardInterrupt if fault == "killed" else InputError) as error:
        extract_features.main()
    assert snapshot() == before
    assert fault == "killed" or "create_dataframe" in str(error.value)


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


# Memory

PEAK = """
import json, sys
from pathlib import Path
import numpy as np
from emotion.ingest.extraction import extract
from emotion.core.params import FeaturesParams
from emotion.data.table import read_table

def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024

table = read_table(Path("table.csv"))
params = FeaturesParams(faces="as_is", image_size=48, color="rgb", format="npy")
extract(table[:64], Path("pixels.npy"), None, params, Path("warm"))
before = peak()
extract(table[: int(sys.argv[1])], Path("pixels.npy"), None, params, Path("features"))
print(json.dumps({"before": before, "peak": peak()}))
"""


@pytest.mark.medium
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_peak_memory_does_not_grow_with_the_data_set(tmp_path):
    """Four times the images, 240 MiB of arrays instead of 60, take the same memory."""
    count = 36_000
    np.lib.format.open_memmap(tmp_path / "pixels.npy", mode="w+", dtype=np.uint8, shape=(count * 48 * 48,))
    columns = {"image": "a", "emotion": "sad", "label": 4, "split": "train", "group": "", "height": 48, "width": 48}
    columns |= {"channels": 1, "hash": "a", "copy_of": "", "blank": True, "offset": 0, "excluded": ""}
    lines = [",".join(columns)]
    for number in range(count):
        split = "train" if number % 10 else ("val" if number % 20 else "test")
        lines.append(",".join(str(value) for value in {**columns, "split": split, "offset": number * 2304}.values()))
    (tmp_path / "table.csv").write_text("\n".join(lines), encoding="utf-8")
    growth = []
    for part in (count // 4, count):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", PEAK, str(part)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        result = json.loads(done.stdout)
        growth.append(result["peak"] - result["before"])
    assert growth[1] - growth[0] < 25
    assert len(np.load(tmp_path / "features/x_train.npy", mmap_mode="r")) == count * 9 // 10


def test_large_images_are_resized_as_they_are_read(run):
    """The resize is that of emotion.data.images, whichever way an image comes."""
    image = np.random.default_rng(0).integers(0, 256, (80, 80), dtype=np.uint8)
    rows = make_rows(1)
    files = image_files(rows)
    files["train/happy/Training_x.png"] = encode(image)
    write_files(RAW, files)
    features = run()
    wanted = cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA)[:, :, None]
    assert any(np.array_equal(wanted, found) for found in features["x_train"])


def test_an_empty_split_gives_empty_arrays(run, tmp_path):
    write_files(RAW, {"a.csv": csv_text(make_rows()).encode()})
    run()
    table = read_table(TABLE)
    from emotion.core.params import FeaturesParams

    params = FeaturesParams(faces="as_is", image_size=16, color="grayscale", format="npy")
    counts = extract(table[table["split"] != "val"], PIXELS, lambda: pytest.fail("not needed"), params, Path("some"))
    assert counts["val"] == 0
    assert load_features(Path("some"))["x_val"].shape == (0, 16, 16, 1)
