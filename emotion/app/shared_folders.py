"""Folders to which workers of a cluster write: a hidden file tells a worker that it sees the folder of the command."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from emotion.app.outputs import removed_if_empty
from emotion.core.errors import InputError
from emotion.core.files import TEMPORARY


@contextmanager
def marked_folders(folders: Iterable[Path]) -> Iterator[Sequence[Path]]:
    """Make folders, and yield a hidden file in each, for `check_marks`. They are removed at the end of the block."""
    with ExitStack() as stack:
        marks = []
        for folder in sorted({folder.absolute() for folder in folders}):
            stack.enter_context(removed_if_empty(folder))
            folder.mkdir(parents=True, exist_ok=True)
            marks.append(Path(stack.enter_context(tempfile.NamedTemporaryFile(prefix=TEMPORARY, dir=folder)).name))
        yield marks


def check_marks(marks: Iterable[Path]) -> None:
    """Raise InputError on a worker where the folder of a mark is not that of the machine with the command."""
    for mark in marks:
        if not mark.exists():
            raise InputError(
                f"{mark.parent} there is not the folder of this machine; workers write to the same folders under the "
                "same paths, for example in one that all machines mount"
            )
