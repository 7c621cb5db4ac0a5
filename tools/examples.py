"""Write the examples of output in README.md and docs/: they are what the commands print.

`python -m tools.examples` runs the commands and puts their output between `<!-- output: NAME -->` and
`<!-- /output -->` on the pages. The images come from scikit-image.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from fastapi.testclient import TestClient
from skimage import data

from emotion.app.serve.api import make_app
from emotion.core.errors import run_command
from emotion.inference.predictor import Predictor, find_standard
from emotion.ingest.label_reader import NUMBERINGS
from tools.markers import Renderers, fill_documents, write_documents

RUN_EMOTION = "from emotion.app.cli import main; main()"

PRESETS_TABLE = ("-m", "benchmarks.preset_tables")

JSON_COLUMNS = 90
"""Width of JSON on the pages."""

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
    """Return the JSON of one image, in lines."""
    return render_code_block(json.loads(run_predict("astronaut.png", "--json")))


@cache
def render_answer() -> str:
    """Return the answer of the API of `emotion serve` to one image."""
    return render_code_block(ask_api())


@cache
def render_presets() -> str:
    """Return the table of presets."""
    return run(PRESETS_TABLE)


def render_numberings() -> str:
    """Return the table of the numberings of data sets."""
    numbers = sorted({number for pairs in NUMBERINGS.values() for number, _ in pairs})
    rows = [["number", *(f"`{name}`" for name in NUMBERINGS)], ["---"] * (1 + len(NUMBERINGS))]
    rows += [[str(number), *(dict(pairs).get(number, "") for pairs in NUMBERINGS.values())] for number in numbers]
    return "".join(f"| {' | '.join(row)} |\n".replace("|  |", "| |") for row in rows)


EXAMPLES: Renderers = {
    "table": render_table,
    "json": render_json,
    "answer": render_answer,
    "presets": render_presets,
    "numberings": render_numberings,
}


def ask_api() -> dict[str, Any]:
    """Return the answer of POST /api/predict to the portrait, with the default model."""
    client = TestClient(make_app(Predictor(find_standard())), base_url="http://localhost")
    _, portrait = cv2.imencode(".png", read_portrait())
    response = client.post("/api/predict", content=portrait.tobytes(), headers={"content-type": "image/png"})
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer


def render_code_block(value: dict[str, Any]) -> str:
    """Return JSON as a code block."""
    return f"```json\n{break_lines(value)}\n```\n"


def break_lines(value: Any, indent: str = "") -> str:
    """Return JSON whose objects and lists are on one line each where they fit."""
    line = json.dumps(value)
    if len(indent + line) <= JSON_COLUMNS or not isinstance(value, dict | list):
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        items = [f"{json.dumps(key)}: {break_lines(item, inner)}" for key, item in value.items()]
    else:
        items = [break_lines(item, inner) for item in value]
    joined = f",\n{inner}".join(items)
    return f"{line[0]}\n{inner}{joined}\n{indent}{line[-1]}"


def run_predict(*arguments: str) -> str:
    """Return what `emotion predict` prints in a folder with the images: its table or its JSON.

    Raises:
        RuntimeError: the command fails. Status 3 is no failure: it means that some images have no face.
    """
    with tempfile.TemporaryDirectory() as name:
        write_images(Path(name))
        options = ("predict", *arguments, "--model", str(find_standard().resolve()))
        return run(("-c", RUN_EMOTION, *options), folder=Path(name), allowed=(0, 3))


def run(arguments: Sequence[str], *, folder: Path | None = None, allowed: Sequence[int] = (0,)) -> str:
    """Return what Python prints when it runs with these arguments.

    Raises:
        RuntimeError: it ends with a status that is not allowed.
    """
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, encoding="utf-8")
    if done.returncode not in allowed:
        raise RuntimeError(f"{arguments} ended with status {done.returncode}, {allowed} expected: {done.stderr}")
    return done.stdout


def write_images(folder: Path) -> None:
    """Write a portrait, an image without a face and a JPEG file that is cut off."""
    portrait = read_portrait()
    cv2.imwrite(str(folder / "astronaut.png"), portrait)
    cv2.imwrite(str(folder / "wall.png"), data.brick())
    _, jpeg = cv2.imencode(".jpg", portrait)
    (folder / "broken.jpg").write_bytes(jpeg.tobytes()[:PART_OF_JPEG])


def read_portrait() -> np.ndarray:
    """Return scikit-image's portrait in the order of OpenCV's colors."""
    portrait: np.ndarray = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)
    return portrait


if __name__ == "__main__":
    main()
