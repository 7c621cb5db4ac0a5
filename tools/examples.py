"""Write the examples of output in README.md and docs/: they are what the commands print.

`python -m tools.examples` runs `emotion predict` and puts its output between `<!-- output: NAME -->` and
`<!-- /output -->` on the pages. The images come from scikit-image.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
from skimage import data

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "models/released/fer2013-nano/model_int8.tflite"
PAGES = ("README.md", "docs/reading.md")
OUTPUT = re.compile(r"(<!-- output: ([\w-]+) -->\n```(\w+)\n).*?(```\n<!-- /output -->)", re.DOTALL)

COMMANDS = {
    "table": ("astronaut.png", "wall.png", "broken.jpg", "--table"),
    "json": ("astronaut.png", "--json"),
}
"""The arguments of `emotion predict` for each example."""

RUN_EMOTION = "from emotion.app.cli import main; main()"

PART_OF_JPEG = 20_000
"""The bytes that are left of the JPEG file that is cut off."""


def main() -> None:
    """Write the examples into the pages."""
    outputs = run_commands()
    for name in PAGES:
        page = ROOT / name
        page.write_text(insert_outputs(page.read_text(encoding="utf-8"), outputs), encoding="utf-8")


def run_commands() -> dict[str, str]:
    """Return the output of each example by its name."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_images(folder)
        return {example: run_predict(folder, *arguments) for example, arguments in COMMANDS.items()}


def write_images(folder: Path) -> None:
    """Write a portrait, an image without a face and a JPEG file that is cut off."""
    portrait = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(folder / "astronaut.png"), portrait)
    cv2.imwrite(str(folder / "wall.png"), data.brick())
    _, jpeg = cv2.imencode(".jpg", portrait)
    (folder / "broken.jpg").write_bytes(jpeg.tobytes()[:PART_OF_JPEG])


def run_predict(folder: Path, *arguments: str) -> str:
    """Return what `emotion predict` prints in that folder: its table or its JSON.

    Raises:
        RuntimeError: the command fails. Status 3 is no failure: it means that some images have no face.
    """
    command = [sys.executable, "-c", RUN_EMOTION, "predict", *arguments, "--model", str(MODEL)]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8")
    if done.returncode not in (0, 3):
        raise RuntimeError(f"emotion predict ended with status {done.returncode}, 0 or 3 expected: {done.stderr}")
    return done.stdout


def insert_outputs(page: str, outputs: dict[str, str]) -> str:
    """Return a page with the output of each example that it has between markers."""
    return OUTPUT.sub(lambda match: f"{match[1]}{outputs[match[2]]}{match[4]}", page)


if __name__ == "__main__":
    main()
