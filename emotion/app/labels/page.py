"""The page on which people decide on suspect labels: HTML in one file, which loads nothing."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from emotion.app.page_style import read_style
from emotion.core.files import atomic_path
from emotion.inference.annotation import emotion_color

FOLDER = Path(__file__).with_name("page")

LARGEST_PNG = 96
"""Pixels of the longer side up to which images are embedded without loss; larger ones are JPEG."""

JPEG_QUALITY = 90

DECIMALS = 3


class Suspect(NamedTuple):
    """A suspect label as the page shows it.

    Attributes:
        image: uint8 (height, width, 1 or 3).
        hash: of the pixels, as the table of images has it.
        given: the emotion of the label.
        probabilities: of the emotions, by networks that did not train on the image.
        votes: the number of people by their choice, most first; empty where nobody was asked.
    """

    image: np.ndarray
    hash: str
    given: str
    probabilities: Sequence[float]
    votes: Mapping[str, int]


def write_page(path: Path, suspects: Sequence[Suspect], emotions: Sequence[str], name: str) -> None:
    """Write the page for `suspects`, in their order.

    Args:
        path: the file.
        suspects: what is decided on.
        emotions: the names of the classes, in the order of their keys.
        name: of the audit. The browser keeps decisions under it.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(to_html(suspects, emotions, name), encoding="utf-8", newline="\n")


def to_html(suspects: Sequence[Suspect], emotions: Sequence[str], name: str) -> str:
    """Return the page as a text."""
    content = {
        "name": name,
        "emotions": list(emotions),
        "colors": {one: "rgb({} {} {})".format(*emotion_color(one)) for one in _find_names(suspects, emotions)},
        "suspects": [_to_json(suspect) for suspect in suspects],
    }
    # In a script, `<` could end it.
    data = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    page, script = (_read(name) for name in ("page.html", "page.js"))
    for mark, text in (("style", read_style(FOLDER / "page.css")), ("script", script), ("data", data)):
        page = page.replace(f"/* {mark} */", text)
    return page


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _find_names(suspects: Sequence[Suspect], emotions: Sequence[str]) -> list[str]:
    return [*dict.fromkeys([*emotions, *(choice for suspect in suspects for choice in suspect.votes)])]


def _to_json(suspect: Suspect) -> dict[str, object]:
    return {
        "hash": suspect.hash,
        "given": suspect.given,
        "probabilities": [round(probability, DECIMALS) for probability in suspect.probabilities],
        "votes": dict(suspect.votes),
        "image": _to_uri(suspect.image),
    }


def _to_uri(image: np.ndarray) -> str:
    bgr = image[:, :, ::-1] if image.shape[2] == 3 else image
    if max(image.shape) <= LARGEST_PNG:
        kind, (_, data) = "png", cv2.imencode(".png", bgr)
    else:
        kind, (_, data) = "jpeg", cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return f"data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode('ascii')}"
