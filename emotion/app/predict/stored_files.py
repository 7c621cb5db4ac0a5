"""The content of image files in a store, read many at a time, since one after the other takes a round trip each."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

from emotion.app.predict.image_files import ImageFile
from emotion.core.stores import StoreAddress
from emotion.data.images import ImageError
from emotion.ingest.sources.store_tree import StoreTree
from emotion.parallel.batches import batched_by_weight

FETCHED, FETCHED_BYTES = 64, 16 * 2**20
"""Files that are read at the same time, and their bytes, from which no further one is added."""


def cut_fetches(files: Iterable[ImageFile]) -> Iterator[list[ImageFile]]:
    """Yield the files in lists, each for a call of `fetch`."""
    return batched_by_weight(files, FETCHED, attrgetter("size"), FETCHED_BYTES)


def fetch(files: Sequence[ImageFile]) -> list[ImageFile]:
    """Return the files, those of a store with their content.

    Raises:
        InputError: a store cannot be used; or on a worker of a cluster, one file cannot be read.
    """
    wanted: defaultdict[StoreAddress, dict[str, int]] = defaultdict(dict)
    for file in files:
        if isinstance(file.path, StoreAddress) and not file.problem:
            wanted[file.path._replace(path="")][file.path.path] = file.size
    loaded = {top: StoreTree(top, sizes).load().contents for top, sizes in wanted.items()}
    return [file._replace(content=_find(loaded, file)) for file in files]


def _find(loaded: dict[StoreAddress, Mapping[str, bytes | ImageError]], file: ImageFile) -> bytes | ImageError | None:
    if not isinstance(file.path, StoreAddress):
        return None
    return loaded.get(file.path._replace(path=""), {}).get(file.path.path)
