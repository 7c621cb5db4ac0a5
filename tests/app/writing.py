"""The commands that write files, with what they read, for tests of writes that fail and of kills."""

import shutil
from pathlib import Path

import cv2
import numpy as np

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
    "explain": "explain faces/happy/0.png -o out.png --detector whole --model model.keras",
    "convert": "convert model.keras out.onnx",
}

NEED_KERAS = ("explain", "convert")


def fill(folder: Path, *files: Path) -> None:
    """Fill `folder` with what the commands read and with a file that one of them would replace.

    Args:
        folder: an empty folder.
        files: clip.mp4, talk.csv and model files, which are copied.
    """
    for file in files:
        shutil.copy(file, folder)
    (folder / "out.mp4").write_bytes(b"kept")
    shutil.copy(ROOT / "params.yaml", folder)
    shutil.copytree(ROOT / "presets", folder / "presets")
    for emotion in ("happy", "sad"):
        (folder / "faces" / emotion).mkdir(parents=True)
        for number in range(2):
            image = np.random.default_rng(number).integers(0, 256, (60, 60), dtype=np.uint8)
            cv2.imwrite(str(folder / "faces" / emotion / f"{number}.png"), image)


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the content of each file in `folder` and below, by its path there."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
