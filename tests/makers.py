"""Small sources of images, as users bring them, for the tests of reading."""

import io
import os
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from emotion.core.emotion_names import EMOTIONS
from emotion.core.metadata import METADATA_PROPERTY, ModelMetadata, write_metadata
from emotion.core.params import check_params
from emotion.core.paths import FACE_CROP, FACE_SEARCH, HISTORY
from emotion.core.stores import Location
from emotion.ingest.ferplus import CHOICES
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.photos.face_settings import resolve_crop, resolve_search, write_settings
from emotion.ingest.sources import locate
from emotion.ingest.sources.source import Source

ROOT = Path(__file__).resolve().parents[1]
FER2013_PLACES = ("../shared/data/fer2013.tar.gz", "data/raw/fer2013.tar.gz", os.environ.get("FER2013", ""))

USAGES = {"train": "Training", "val": "PublicTest", "test": "PrivateTest"}

Row = tuple[str, str, np.ndarray]
"""Emotion, split and uint8 image (height, width) or (height, width, 3)."""


def find_fer2013() -> Path:
    """Return where the real FER2013 is on this machine; skip the test that asks where it is nowhere."""
    for place in FER2013_PLACES:
        if (ROOT / place).is_file():
            return (ROOT / place).resolve()
    pytest.skip("fer2013.tar.gz lies neither in ../shared/data nor in data/raw, and FER2013 does not name it")


def make_rows(per_class: int = 2, size: int = 12, seed: int = 0, emotions: tuple[str, ...] = EMOTIONS) -> list[Row]:
    """Return random images: `per_class` of each emotion in each split."""
    generator = np.random.default_rng(seed)
    return [
        (emotion, split, generator.integers(0, 256, (size, size), dtype=np.uint8))
        for split in USAGES
        for emotion in emotions
        for _ in range(per_class)
    ]


def write_history(folder: Path, history: pd.DataFrame) -> None:
    """Write a history of training as stage train does, into the project at `folder`."""
    (folder / HISTORY).mkdir(parents=True)
    for name in history.columns.drop("epoch"):
        rows = history[["epoch", name]].rename(columns={"epoch": "step"})
        rows.to_csv(folder / HISTORY / f"{name}.tsv", sep="\t", index=False)


def make_history(epochs: int = 2) -> pd.DataFrame:
    """Return a history of training of `epochs` rows."""
    numbers = np.arange(1, epochs + 1)
    losses = {"loss": 2 / numbers, "accuracy": 1 - 0.8 / numbers, "val_loss": 2.1 / numbers}
    return pd.DataFrame({"epoch": numbers, "size": 24} | losses | {"val_accuracy": 0.5, "learning_rate": 0.01})


def csv_line(label: object, pixels: object, usage: str = "Training") -> str:
    return f"{label},{pixels},{usage}"


def csv_text(rows: list[Row]) -> str:
    """Return the text of a fer2013.csv."""
    lines = [
        csv_line(EMOTIONS.index(emotion), " ".join(map(str, image.ravel())), USAGES[split])
        for emotion, split, image in rows
    ]
    return "\n".join(["emotion,pixels,Usage", *lines, ""])


VOTES_HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
"""The columns as the real fer2013new.csv has them."""


def votes_for(**votes: int) -> dict[str, int]:
    """Return a row of votes by the names of FER+, for votes by ours such as `no_face`."""
    return {choice: votes.get(word.replace(" ", "_"), 0) for choice, word in CHOICES.items()}


def votes_text(usages: Sequence[str], votes: Sequence[dict[str, int]], header: str = VOTES_HEADER) -> str:
    """Return the text of a fer2013new.csv."""
    lines = [
        ",".join(str({"Usage": usage, "Image name": f"fer{number:07}.png", **row}[name]) for name in header.split(","))
        for number, (usage, row) in enumerate(zip(usages, votes, strict=True))
    ]
    return "\n".join([header, *lines, ""])


def write_ferplus(folder: Path, rows: list[Row], votes: Sequence[dict[str, int]], header: str = VOTES_HEADER) -> None:
    """Write images as fer2013.csv, and their votes as fer2013new.csv."""
    usages = [USAGES[split] for _, split, _ in rows]
    files = {"fer2013.csv": csv_text(rows), "fer2013new.csv": votes_text(usages, votes, header)}
    write_files(folder, {name: text.encode() for name, text in files.items()})


def image_files(rows: list[Row], suffix: str = ".png") -> dict[str, bytes]:
    """Return the files of Kaggle's msambare/fer2013 by name: validation and test images lie in one folder."""
    return {
        f"{'train' if split == 'train' else 'test'}/{emotion}/{USAGES[split]}_{number:05}{suffix}": encode(
            image, suffix
        )
        for number, (emotion, split, image) in enumerate(rows)
    }


def encode(image: np.ndarray, suffix: str = ".png") -> bytes:
    """Return the bytes of an image file; `image` is gray or RGB."""
    return cv2.imencode(suffix, image[..., ::-1] if image.ndim == 3 else image)[1].tobytes()


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def images_of(rows: Sequence[tuple[str, str | None, str]]) -> pd.DataFrame:
    """Return images as `collect_batches` does; each row is an emotion, a split and a hash."""
    frame = pd.DataFrame(rows, columns=["emotion", "split", "hash"])
    names = [f"row {number}" for number in range(len(rows))]
    return frame.assign(image=names, height=2, width=2, channels=1, blank=False, offset=0)


def comparable(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without what depends on the form of its source, in an order that does not either."""
    table = table.assign(is_copy=table["copy_of"] != "").drop(columns=["image", "copy_of", "offset"])
    # Which of two copies is the first depends on the order of the source.
    table["is_copy"] = table.groupby("hash")["is_copy"].transform("sum")
    return table.sort_values(["hash", "split", "emotion"]).reset_index(drop=True)


def open_source(folder: Location, file: str | None = None, labels: LabelReader = LabelReader()) -> Source:  # noqa: B008
    """Open the source in `folder` with labels that need no numbering."""
    return locate.open_source(folder, file, labels)


def write_params(folder: Path, **changes: object) -> None:
    """Write params.yaml for a source in data/raw, and what stage resolve_faces makes of it.

    `split_test=0.2` changes split.test.
    """
    from ruamel.yaml import YAML

    yaml = YAML()
    params = yaml.load(Path(__file__).parents[1].joinpath("params.yaml").read_text(encoding="utf-8"))
    source = {"source_folder": "data/raw", "source_file": None, "source_remote": "private"}
    for name, value in (source | changes).items():
        section, key = name.split("_", 1)
        params[section][key] = value
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(params, file)
    checked = check_params(params, "features", "faces")
    write_settings(folder / FACE_SEARCH, resolve_search(checked))
    write_settings(folder / FACE_CROP, resolve_crop(checked))


def write_onnx(path: Path, metadata: ModelMetadata | None = None, seed: int = 0) -> Path:
    """Write a model file that loads at once: one layer of random weights, so that other images give other answers."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    metadata = metadata or ModelMetadata(EMOTIONS, 48, "grayscale")
    pixels = metadata.size**2 * metadata.channels
    weights = np.random.default_rng(seed).normal(0, 0.5 / pixels**0.5, (pixels, len(metadata.emotions)))
    nodes = [
        helper.make_node("Cast", ["images"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["numbers", "scale"], ["scaled"]),
        helper.make_node("Flatten", ["scaled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    constants = {"scale": np.float32(64), "weights": weights.astype(np.float32)}
    graph = helper.make_graph(
        nodes,
        "network",
        [
            helper.make_tensor_value_info(
                "images", TensorProto.UINT8, ["n", metadata.size, metadata.size, metadata.channels]
            )
        ],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(metadata.emotions)])],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {METADATA_PROPERTY: write_metadata(metadata)})
    onnx.save(model, path)
    return path
