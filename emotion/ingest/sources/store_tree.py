"""The files below an address in a store as a tree."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from emotion.core.stores import StoreAddress, StoreFileError, list_store, read_store
from emotion.data.images import MAX_FILE_BYTES, ImageError
from emotion.ingest.sources.loaded_tree import LoadedTree
from emotion.ingest.sources.trees import FileTree, Listing, make_listing
from emotion.parallel.on_worker import UnreadableOnWorkerError, is_on_worker


class StoreTree(NamedTuple):
    """The files below an address in a store; see `FileTree`.

    A piece of work gets a part with its own files only, so that it stays small.
    """

    address: StoreAddress
    sizes: Mapping[str, int]
    """The size of each file in bytes, so that none is asked for."""

    @property
    def name(self) -> str:
        """The address."""
        return str(self.address)

    def list(self) -> Listing:
        """Return the files; see `FileTree`. The store was asked when this tree was made."""
        return make_listing(self.sizes, {})

    def read(self, file: str) -> bytes:
        """Return the content of one file; see `FileTree`."""
        return self.part([file]).load().read(file)

    def for_workers(self) -> FileTree:
        """Return this tree; see `FileTree`."""
        return self

    def size(self, file: str) -> int:
        """Return the bytes that a file takes in memory: 0 where it is refused or missing."""
        size = self.sizes.get(file, 0)
        return size if size <= MAX_FILE_BYTES else 0

    def part(self, files: Iterable[str]) -> "StoreTree":
        """Return the tree of some files. Those that are missing are left out."""
        return StoreTree(self.address, {file: self.sizes[file] for file in files if file in self.sizes})

    def below(self, folder: str) -> "StoreTree":
        """Return the tree of the files below one of its folders."""
        start = f"{folder}/"
        inner = {file.removeprefix(start): size for file, size in self.sizes.items() if file.startswith(start)}
        return StoreTree(self.address / folder, inner)

    def load(self) -> LoadedTree:
        """Return the files in memory, read at the same time.

        Raises:
            InputError: the store cannot be used.
            UnreadableOnWorkerError: a worker of a cluster cannot read a file, which this machine may be able to read.
        """
        files = [file for file, size in self.sizes.items() if size <= MAX_FILE_BYTES]
        contents = dict(zip(files, read_store(self.address, files), strict=True))
        return LoadedTree(self.name, {file: self._check(file, contents.get(file)) for file in self.sizes})

    def _check(self, file: str, content: bytes | StoreFileError | None) -> bytes | ImageError:
        if content is None:
            return ImageError(f"the file is larger than {MAX_FILE_BYTES // 2**20} MiB")
        if isinstance(content, bytes):
            return content
        if is_on_worker():
            raise UnreadableOnWorkerError(str(self.address / file), str(content))
        return ImageError(str(content))


def open_store(address: StoreAddress) -> StoreTree:
    """Return the tree of the files below an address.

    Raises:
        InputError: the store refuses, does not answer, or has no such bucket.
    """
    return StoreTree(address, {name: file.size for name, file in list_store(address).items() if name})
