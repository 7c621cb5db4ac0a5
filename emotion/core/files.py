"""Writing of files that appear whole or not at all, even if the process is killed; JSON and CSV."""

import errno
import json
import math
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from emotion.core.cells import guard_table
from emotion.core.errors import InputError, check_regular

if TYPE_CHECKING:
    import pandas as pd

TEMPORARY = ".partial-"
"""The start of the names of temporary files and folders, which git and DVC ignore."""

TEMPORARY_NAME = rf"{re.escape(TEMPORARY)}[0-9a-f]{{8}}-(?P<process>[0-9]+)-[a-z0-9_]{{8}}(\.[^.]+)?"
"""A pattern of these names: the machine, the number of the process, what `tempfile` chooses, and a suffix."""

METRIC_DECIMALS = 5

SHOWN = 40
"""Characters of a wrong JSON value that a message shows."""

NEW = ".new"
"""The name of a new folder in a temporary one, beside the folder that it replaces."""


@contextmanager
def atomic_path(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Return a context with a temporary path beside `path`, which is moved there at the end of the block.

    The temporary file keeps the suffix of `path`, since many writers choose their format by it. Its name is hidden, and
    no file had it before. It is removed when the block raises; a kill leaves it, see `remove_leftovers`.

    Args:
        path: the file to write; its folder is made where it is missing.
        durable: whether the file is worth some care. It is then on the disk at the end, and not only with the system,
            which a power cut can stop. Where it cannot get its name, it keeps the temporary one.

    Raises:
        InputError: the file cannot get its name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=temporary_prefix(), suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = path.parent / Path(name).name  # as `path`, relative or not
    temporary.chmod(0o666 & ~_umask())
    try:
        yield temporary
        if durable:
            _sync(temporary)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    try:
        temporary.replace(path)
    except OSError as error:
        if not durable:
            temporary.unlink(missing_ok=True)
            raise
        raise InputError(
            f"{path} cannot be written: {error.strerror}. What was made is in {temporary}; rename it to keep it"
        ) from None
    if durable:
        _sync(path.parent)


@contextmanager
def atomic_folder(folder: Path, *, durable: bool = False) -> Iterator[Path]:
    """Return a context with a temporary folder beside `folder`, which replaces it at the end of the block.

    What `folder` held before is put back where that fails; see `remove_leftovers` for a kill at that moment.

    Args:
        folder: the folder to write.
        durable: whether its files are on the disk at the end.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=temporary_prefix(), dir=folder.parent) as name:
        new, old = Path(name) / NEW, Path(name) / folder.name
        new.mkdir()
        yield new
        for path in [*new.rglob("*"), new] if durable else []:
            _sync(path)
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except BaseException:
            if old.exists():
                old.rename(folder)
            raise
    if durable:
        _sync(folder.parent)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files and folders in `folder` that killed processes left. On Windows they stay.

    A folder that a killed process had moved aside, to replace it, is put back first.
    """
    for path in sorted(folder.glob(f"{TEMPORARY}*")):
        if not _is_abandoned(path):
            continue
        if not path.is_dir():
            path.unlink(missing_ok=True)
            continue
        for moved in path.iterdir():
            if moved.name != NEW and not (folder / moved.name).exists():
                moved.rename(folder / moved.name)
        shutil.rmtree(path)


def set_aside(path: Path) -> Path:
    """Rename a damaged file, so that another can take its place; return its new name."""
    aside = next(
        aside for number in count(1) if not (aside := path.with_name(f"{path.name}.damaged-{number}")).exists()
    )
    return path.rename(aside)


def temporary_prefix() -> str:
    """Return the start of the names of this process's temporary files, by which `remove_leftovers` knows them."""
    return f"{TEMPORARY}{crc32(platform.node().encode()):08x}-{os.getpid()}-"


def _is_abandoned(path: Path) -> bool:
    """Return whether `path` is a temporary file of a process of this machine that has ended."""
    named = re.fullmatch(TEMPORARY_NAME, path.name)
    if sys.platform == "win32" or named is None or not path.name.startswith(temporary_prefix()[: len(TEMPORARY) + 8]):
        return False
    try:
        os.kill(int(named["process"]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _sync(path: Path) -> None:
    """Return once a file, or the names in a folder, are on the disk."""
    if sys.platform == "win32" and path.is_dir():  # Windows has no such call for folders
        return
    handle = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems cannot
            raise
    finally:
        os.close(handle)


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
        InputError: the file is missing, no file, broken, or holds no object.
    """
    check_regular(path, remedy)
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
    except (ValueError, RecursionError) as error:
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
    """Write `table` as CSV: UTF-8, floats with five decimals, texts as `emotion.core.cells` guards them.

    The bytes are the same on every system.
    """
    with atomic_path(path) as temporary:
        guard_table(table).to_csv(
            temporary,
            index=False,
            float_format=f"%.{METRIC_DECIMALS}f",
            lineterminator="\n",
            encoding="utf-8",
        )
