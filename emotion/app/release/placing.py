"""Writing of a release, whole or not at all. It is made in a temporary folder and moved to its place."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emotion.core.errors import InputError


@contextmanager
def explain_failures(folder: Path) -> Iterator[None]:
    """Turn an OSError in the block into an InputError that names `folder`."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror or error}); nothing was released. Free space or correct the "
            "permissions, then run the command again"
        ) from None


@contextmanager
def temporary_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder`, which is removed at the end unless it was moved away.

    git and DVC ignore its name. Leftovers of killed runs are removed first.
    """
    prefix = f".partial-{folder.name}-"
    folder.parent.mkdir(parents=True, exist_ok=True)
    for leftover in sorted(folder.parent.glob(f"{prefix}????????")):
        shutil.rmtree(leftover)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=folder.parent) as name:
        temporary = Path(name) / "new"
        temporary.mkdir()
        yield temporary


def put_in_place(new: Path, folder: Path) -> None:
    """Move `new` to `folder`; where that fails, put back what was there before."""
    old = new.with_name("old")
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        if old.exists():
            old.rename(folder)
        raise
