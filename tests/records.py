"""Records of earlier runs in benchmarks/results, read in the words of today.

Locks and the files that they name keep their bytes, so some have the words of the time.
"""

import json
from pathlib import Path
from typing import Any

from emotion.core.params import RENAMED, RENAMED_VALUES

KEYS = {"pictures": "images", "source_pictures": "source_images"}


def read_record(path: Path) -> Any:
    """Return what a JSON file of a record holds."""
    return _renamed(json.loads(path.read_text(encoding="utf-8")))


def _renamed(content: Any) -> Any:
    if isinstance(content, dict):
        return {KEYS.get(key, key): _renamed(value) for key, value in content.items()}
    return content


def rename_params(section: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return a section of params with the keys and values of today."""
    keys = {key: RENAMED.get(f"{section}.{key}", key) for key in values}
    return {new: _renamed_value(f"{section}.{new}", values[old]) for old, new in keys.items()}


def _renamed_value(key: str, value: Any) -> Any:
    return RENAMED_VALUES.get(key, {}).get(value, value) if isinstance(value, str) else value
