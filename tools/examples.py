"""Write the examples of output in README.md and docs/: they are what the commands print.

`python -m tools.examples` runs `emotion predict` and puts its output between `<!-- output: NAME -->` and
`<!-- /output -->` on the pages. The images come from scikit-image.
"""

import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import cv2
from skimage import data

from emotion.core.errors import run_command
from tools.markers import Renderers, fill_documents, write_documents

MODEL = Path("models/released/fer2013-nano/model_int8.tflite")

RUN_EMOTION = "from emotion.app.cli import main; main()"

PART_OF_JPEG = 20_000
"""The bytes that are left of the JPEG file that is cut off."""


def main() -> None:
    """Write the examples into the pages."""
    run_command(lambda: write_documents(fill_documents("output", EXAMPLES)))


@cache
def render_table() -> str:
    """Return the table of three images, as a code block."""
    return f"```text\n{run_predict('astronaut.png', 'wall.png', 'broken.jpg', '--table')}```\n"


@cache
def render_json() -> str:
    """Return the JSON of one image, as a code block."""
    return f"```json\n{run_predict('astronaut.png', '--json')}```\n"


EXAMPLES: Renderers = {"table": render_table, "json": render_json}


def run_predict(*arguments: str) -> str:
    """Return what `emotion predict` prints in a folder with the images: its table or its JSON.

    Raises:
        RuntimeError: the command fails. Status 3 is no failure: it means that some images have no face.
    """
    command = [sys.executable, "-c", RUN_EMOTION, "predict", *arguments, "--model", str(MODEL.resolve())]
    with tempfile.TemporaryDirectory() as name:
        write_images(Path(name))
        done = subprocess.run(command, cwd=name, capture_output=True, encoding="utf-8")
    if done.returncode not in (0, 3):
        raise RuntimeError(f"emotion predict ended with status {done.returncode}, 0 or 3 expected: {done.stderr}")
    return done.stdout


def write_images(folder: Path) -> None:
    """Write a portrait, an image without a face and a JPEG file that is cut off."""
    portrait = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(folder / "astronaut.png"), portrait)
    cv2.imwrite(str(folder / "wall.png"), data.brick())
    _, jpeg = cv2.imencode(".jpg", portrait)
    (folder / "broken.jpg").write_bytes(jpeg.tobytes()[:PART_OF_JPEG])


if __name__ == "__main__":
    main()
