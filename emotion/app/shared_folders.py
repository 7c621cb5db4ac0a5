"""Folders to which workers of a cluster write: a hidden file tells a worker that it sees the folder of the command."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from emotion.app.outputs import removed_if_empty
from emotion.core.errors import InputError
from emotion.core.files import remove_leftovers, temporary_prefix


@contextmanager
def marked_folders(folders: Iterable[Path]) -> Iterator[Sequence[Path]]:
    """Make folders, and yield a hidden file in each, for `check_marks`. They are removed at the end of the block.

    What killed commands left in the folders is removed first.
    """
    with ExitStack() as stack:
        marks = []
        for folder in sorted({folder.absolute() for folder in folders}):
            stack.enter_context(removed_if_empty(folder))
            folder.mkdir(parents=True, exist_ok=True)
            with suppress(PermissionError):  # what other users left stays
                remove_leftovers(folder)
            mark = stack.enter_context(tempfile.NamedTemporaryFile(prefix=temporary_prefix(), dir=folder))
            marks.append(Path(mark.name))
        yield marks


def check_marks(marks: Iterable[Path]) -> None:
    """Raise InputError on a worker where the folder of a mark is not that of the machine with the command."""
    for mark in marks:
        if not mark.exists():
            raise InputError(
                f"{mark.parent} there is not the folder of this machine; workers write to the same folders under the "
                "same paths, for example in one that all machines mount"
            )
