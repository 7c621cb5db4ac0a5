"""The file with the figures about faces: a section for each benchmark, so that each may run alone."""

from pathlib import Path
from typing import Any

from benchmarks.runs import RESULTS
from emotion.core.files import read_json, write_json

FACE_RESULTS = RESULTS / "faces.json"


def read_section(name: str, path: Path = FACE_RESULTS) -> dict[str, Any]:
    """Return the figures of one benchmark.

    Raises:
        InputError: the file is missing or broken.
        KeyError: it has no such section.
    """
    section: dict[str, Any] = read_json(path, f"bring it back with `git checkout {RESULTS}`")[name]
    return section


def write_section(name: str, figures: dict[str, Any], path: Path = FACE_RESULTS) -> None:
    """Write the figures of one benchmark, and keep those of the others."""
    others = read_json(path) if path.exists() else {}
    write_json(path, dict(sorted((others | {name: figures}).items())))
