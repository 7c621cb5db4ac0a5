"""Writing of files that appear whole or not at all, even if the process is killed; JSON and CSV."""

import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np

from emotion.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

METRIC_DECIMALS = 5

SHOWN = 40
"""Characters of a wrong JSON value that a message shows."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Return a context with a temporary path beside `path`, which is moved there at the end of the block.

    The temporary file keeps the suffix of `path`, since many writers choose their format by it. It is removed when
    the block raises. Temporary files of killed processes are removed at the start.
    """
    _remove_leftovers(path)
    handle, name = tempfile.mkstemp(prefix=_prefix(path), suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Return a context with a temporary folder beside `folder`, which replaces it at the end of the block."""
    _remove_leftovers(folder)
    with tempfile.TemporaryDirectory(prefix=_prefix(folder), dir=folder.parent) as name:
        temporary = Path(name) / "new"
        temporary.mkdir()
        yield temporary
        if folder.exists():
            folder.rename(Path(name) / "old")
        temporary.rename(folder)


def _prefix(path: Path) -> str:
    return f".partial-{path.name}-"


def _remove_leftovers(path: Path) -> None:
    """Remove the temporary files of killed processes. DVC's lock keeps other processes from writing `path` now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in sorted(path.parent.iterdir()):
        if leftover.name.startswith(_prefix(path)):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_json(path: Path, content: Any) -> None:
    """Write `content` as UTF-8 JSON, with floats rounded to five decimals for a readable `dvc metrics diff`."""
    text = json.dumps(rounded(content), indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path, remedy: str = "make it with `dvc repro`") -> dict[str, Any]:
    """Return the object in a JSON file of this project, such as metrics.

    Args:
        path: the file.
        remedy: advice for the user, which ends the message of the error.

    Raises:
        InputError: the file is missing, broken, or holds no object.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path} is missing; {remedy}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); {remedy}") from None
    return parse_json(text, str(path), remedy)


def parse_json(text: str, name: str, remedy: str) -> dict[str, Any]:
    """Return the object in a text of JSON; raise InputError with `name` and `remedy` where it has none."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise InputError(f"{name} cannot be read ({error}); {remedy}") from None
    if not isinstance(content, dict):
        raise InputError(f"{name}: got {shorten(json.dumps(content), SHOWN)}, expected a JSON object; {remedy}")
    return content


def rounded(content: Any) -> Any:
    """Return `content` with every float rounded to five decimals; NaN and infinities become None."""
    if isinstance(content, dict):
        return {key: rounded(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [rounded(value) for value in content]
    if isinstance(content, (float, np.floating)):
        return round(float(content), METRIC_DECIMALS) if math.isfinite(content) else None
    if isinstance(content, np.integer):
        return int(content)
    return content


def write_csv(path: Path, table: "pd.DataFrame") -> None:
    """Write `table` as CSV: UTF-8, floats with five decimals, the same bytes on every system."""
    with atomic_path(path) as temporary:
        table.to_csv(
            temporary,
            index=False,
            float_format=f"%.{METRIC_DECIMALS}f",
            lineterminator="\n",
            encoding="utf-8",
        )
