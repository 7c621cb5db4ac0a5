"""The commands that write files, with what they read, for tests of writes that fail and of kills."""

import shutil
from pathlib import Path

import cv2
import numpy as np

from tests.ingest.decisions import HEADER

ROOT = Path(__file__).parents[2]

MODEL, KERAS_MODEL = "model.onnx", "model.keras"

COMMANDS = {
    "video": "video clip.mp4 -o out.mp4 --overwrite --model model.onnx",
    "video table": "video clip.mp4 --csv out.csv --model model.onnx",
    "webcam": "webcam --camera clip.mp4 --no-window -o me.mp4 --csv me.csv --model model.onnx",
    "timeline": "timeline talk.csv -o out.png",
    "timeline page": "timeline talk.csv -o out.html",
    "evaluate": "evaluate --data faces --json out.json --model model.onnx",
    "evaluate plot": "evaluate --data faces --plot out.png --model model.onnx",
    "annotate": "predict faces/happy/0.png --annotate boxed --model model.onnx",
    "preset": "preset fer2013-quick",
    "labels apply": "labels apply decisions.csv",
    "explain": "explain faces/happy/0.png -o out.png --detector whole --model model.keras",
    "convert": "convert model.keras out.onnx",
}

NEED_KERAS = ("explain", "convert")


def fill(folder: Path, *files: Path) -> None:
    """Fill `folder` with what the commands read and with a file that one of them would replace.

    Args:
        folder: a folder to make, or an empty one.
        files: clip.mp4, talk.csv and model files, which are copied.
    """
    folder.mkdir(exist_ok=True)
    for file in files:
        shutil.copy(file, folder)
    (folder / "out.mp4").write_bytes(b"kept")
    shutil.copy(ROOT / "params.yaml", folder)
    shutil.copytree(ROOT / "presets", folder / "presets")
    (folder / "data").mkdir()
    (folder / "decisions.csv").write_text(f"{HEADER}\n{'a' * 32},sad,drop,,\n", encoding="utf-8")
    for emotion in ("happy", "sad"):
        (folder / "faces" / emotion).mkdir(parents=True)
        for number in range(2):
            image = np.random.default_rng(number).integers(0, 256, (60, 60), dtype=np.uint8)
            cv2.imwrite(str(folder / "faces" / emotion / f"{number}.png"), image)


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the content of each file in `folder` and below, by its path there. What git and DVC keep is left out."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    names = {path.relative_to(folder).as_posix(): path for path in files}
    return {name: path.read_bytes() for name, path in names.items() if not name.startswith((".git/", ".dvc/"))}
