"""Image files in a store: the list of them, and their content, read many at a time.

One after the other, each would take a round trip to the store.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from emotion.app.named_files import NamedFile
from emotion.core.stores import StoreAddress, list_store
from emotion.data.images import ImageError, is_image
from emotion.ingest.sources.store_tree import StoreTree
from emotion.parallel.batches import batched_by_weight

FETCHED, FETCHED_BYTES = 64, 16 * 2**20
"""Files that are read at the same time, and their bytes, from which no further one is added."""

HIDDEN = re.compile(r"(^|/)\.(?!\./)")
"""The start of the name of a hidden file or folder in a path."""


class StoredFile(NamedTuple):
    """A file of a store, or an address without one.

    Attributes:
        path: its address.
        relative: its path below the folder that the user named. For a file that the user named, it is the file's name.
        problem: why it cannot be read; None where it may be readable.
        size: in bytes.
        content: of a file that was read, or the reason why it cannot be; None before.
    """

    path: StoreAddress
    relative: Path
    problem: str | None = None
    size: int = 0
    content: bytes | ImageError | None = None


ImageFile = NamedFile | StoredFile
"""An image file of this machine, or one in a store."""

Contents = Mapping[str, bytes | ImageError]


def list_images(address: StoreAddress) -> Iterator[StoredFile]:
    """Yield the file at an address, or the images below it, or a problem where there is none.

    Raises:
        InputError: the store cannot be used.
    """
    files = list_store(address)
    if list(files) == [""]:
        yield StoredFile(address, Path(address.name), size=files[""].size)
        return
    shown = [name for name in files if is_image(name) and not HIDDEN.search(name)]
    for name in shown:
        path = Path(name)
        problem = "its name has the part .., which a file cannot have" if ".." in path.parts else None
        yield StoredFile(address / name, path, problem, files[name].size)
    if not shown:
        yield StoredFile(address, Path(), "there is no image at this address")


def cut_fetches(files: Iterable[ImageFile]) -> Iterator[list[ImageFile]]:
    """Yield the files in lists, each for a call of `fetch`."""
    return batched_by_weight(files, FETCHED, _weigh, FETCHED_BYTES)


def _weigh(file: ImageFile) -> int:
    return file.size if isinstance(file, StoredFile) else 0


def fetch(files: Sequence[ImageFile]) -> list[ImageFile]:
    """Return the files, those of a store with their content.

    Raises:
        InputError: a store cannot be used; or on a worker of a cluster, one file cannot be read.
    """
    wanted: defaultdict[StoreAddress, dict[str, int]] = defaultdict(dict)
    for file in files:
        if isinstance(file, StoredFile) and not file.problem:
            wanted[_top(file)][file.path.path] = file.size
    loaded = {top: StoreTree(top, sizes).load().contents for top, sizes in wanted.items()}
    return [_with_content(file, loaded) if isinstance(file, StoredFile) else file for file in files]


def _top(file: StoredFile) -> StoreAddress:
    return file.path._replace(path="")


def _with_content(file: StoredFile, loaded: Mapping[StoreAddress, Contents]) -> StoredFile:
    return file._replace(content=loaded.get(_top(file), {}).get(file.path.path))
