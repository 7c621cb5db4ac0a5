"""Images in class folders, on disk or in a zip. Their paths name emotion and split."""

import os
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple, Protocol
from zipfile import ZipFile

import numpy as np

from emotion.core.errors import InputError
from emotion.core.labels import KNOWN_EMOTIONS, parse_emotion
from emotion.data.images import MAX_FILE_BYTES, ImageError, decode, is_image, read_bytes
from emotion.ingest.sources.archives import damage_explained, is_hidden
from emotion.ingest.sources.source import BATCH, SPLIT_NAMES, Batch, Content, Convert, Entry, content_of, rejected
from emotion.parallel.batches import batched, map_batches

SPLIT_FOLDERS = SPLIT_NAMES | {"valid": "val", "testing": "test"}
"""Splits by the name of their folder, in lower case and without blanks, - and _."""

REREAD_BATCH = 32
"""Number of images that a process reads again before it returns them. It is below BATCH, since they are large."""

MAX_DEPTH = 8
"""Number of levels of folders that are read. It ends links to a parent folder, which would go on for ever."""


class Store(Protocol):
    """A folder or zip from which images are read by name.

    It is sent to other processes with every batch, so it must be small.
    """

    @property
    def name(self) -> str:
        """The path of the folder or zip, for messages."""
        ...

    def read(self, image: str) -> bytes:
        """Return the content of the file `image`.

        Raises:
            ImageError: the file cannot be read or is too large.
        """
        ...


class FolderStore(NamedTuple):
    """Image files below a folder."""

    folder: Path

    @property
    def name(self) -> str:
        """The path of the folder."""
        return str(self.folder)

    def read(self, image: str) -> bytes:
        """Return the content of the file `image`; see `Store`."""
        return read_bytes(f"{self.folder}/{image}")


class ZipStore(NamedTuple):
    """Image files in a zip."""

    path: Path

    @property
    def name(self) -> str:
        """The path of the zip."""
        return str(self.path)

    def read(self, image: str) -> bytes:
        """Return the content of the member `image`; see `Store`."""
        archive = _opened_zip(self.path, os.getpid())
        size = archive.getinfo(image).file_size
        if size > MAX_FILE_BYTES:
            raise ImageError(f"the file is larger than {MAX_FILE_BYTES // 2**20} MiB")
        with damage_explained(f"{self.path}: {image}"), archive.open(image) as member:
            return member.read()


@lru_cache(maxsize=1)
def _opened_zip(path: Path, process: int) -> ZipFile:
    """Open a zip once in every process. An open file from the parent process would share its position."""
    return ZipFile(path)


class FolderSource:
    """A source of images in class folders, whose paths name emotion and split.

    Args:
        store: the folder or zip.
        names: the paths of all files in it.

    Raises:
        InputError: the layout of the folders is unknown.
    """

    def __init__(self, store: Store, names: Sequence[str]) -> None:
        self.name = store.name
        self._store = store
        self._entries = parse_layout(self.name, names)
        self.count: int | None = len(self._entries)

    def batches(self) -> Iterator[Batch]:
        """Read every image in the order of the names; see `Source`."""
        return map_batches(partial(_read_batch, self._store), batched(self._entries, BATCH))

    def read_again(self, names: Sequence[str], convert: Convert) -> Iterator[np.ndarray]:
        """Read the images `names` again and convert them; see `Source`."""
        batches = batched(names, REREAD_BATCH)
        return chain.from_iterable(map_batches(partial(_convert_batch, self._store, convert), batches))


def _convert_batch(store: Store, convert: Convert, images: Sequence[str]) -> list[np.ndarray]:
    return [convert(_decode_again(store, image)) for image in images]


def _decode_again(store: Store, image: str) -> np.ndarray:
    try:
        return decode(store.read(image))
    except (ImageError, KeyError) as error:
        raise InputError(
            f"{store.name}: {image} could be read before and now cannot ({error}); run `dvc repro create_dataframe`"
        ) from None


def _read_batch(store: Store, entries: Sequence[Entry]) -> Batch:
    return [(entry, _read_content(store, entry.image)) for entry in entries]


def _read_content(store: Store, image: str) -> Content:
    try:
        return content_of(decode(store.read(image)))
    except ImageError as error:
        return rejected(str(error))


def list_folder(folder: Path) -> list[str]:
    """Return the files below `folder` as paths relative to it, sorted, without hidden ones."""
    return sorted(_walk(str(folder), "", MAX_DEPTH))


def _walk(root: str, below: str, depth: int) -> Iterator[str]:
    with os.scandir(f"{root}/{below}") as listing:
        items = [item for item in listing if not is_hidden(item.name)]
    yield from (below + item.name for item in items if not item.is_dir())
    if depth:
        for item in items:
            if item.is_dir():
                yield from _walk(root, f"{below}{item.name}/", depth - 1)


def open_folder(folder: Path) -> FolderSource:
    """Return the source of the class folders below `folder`.

    Raises:
        InputError: the layout of the folders is unknown.
    """
    return FolderSource(FolderStore(folder), list_folder(folder))


def parse_layout(source: str, names: Sequence[str]) -> list[Entry]:
    """Return the images among the files `names` (paths relative to the source), with emotion and split.

    The known layouts are `<emotion>/<file>` and `<split>/<emotion>/<file>`, inside any number of folders with nothing
    else in them. In a test folder, files whose names begin with PublicTest are validation images.

    Raises:
        InputError: the layout is unknown. The message names its folders.
    """
    folders = sorted({name.rpartition("/")[0] for name in names})
    kinds = _folder_kinds(source, folders)
    entries = []
    stray = []
    for name in names:
        folder, _, file = name.rpartition("/")
        kind = kinds[folder]
        if kind is not None:
            entries.append(Entry(name, kind[0], split_of_file(kind[1], file)))
        elif is_image(file):
            stray.append(name)
    if stray:
        raise InputError(_layout_message(source, f"images outside of class folders: {_shorten(stray)}"))
    return entries


Kind = tuple[str, str | None]
"""The emotion and the split of the images in a folder."""


def _folder_kinds(source: str, folders: Sequence[str]) -> dict[str, Kind | None]:
    """Return the kind of each folder with files; None for a folder that is not a class folder."""
    wrapper = _find_wrapper(folders)
    paths = {folder: _below(wrapper, folder) for folder in folders}
    outer = sorted({path[0] for path in paths.values() if path})
    splits = {name: split_of(name) for name in outer}
    depth = 1
    if outer and all(splits.values()):
        depth = 2
    classes = sorted({path[depth - 1] for path in paths.values() if len(path) >= depth})
    emotions = _parse_emotions(source, classes)
    too_deep = [folder for folder, path in paths.items() if len(path) > depth]
    if too_deep:
        raise InputError(_layout_message(source, f"folders inside of class folders: {_shorten(too_deep)}"))
    return {
        folder: (emotions[path[-1]], splits[path[0]]) if len(path) == depth else None for folder, path in paths.items()
    }


def _below(wrapper: str, folder: str) -> list[str]:
    """Return the parts of a folder's path below `wrapper`; none for `wrapper` and its parents."""
    return [part for part in (folder + "/")[len(wrapper) :].split("/") if part]


def _find_wrapper(folders: Sequence[str]) -> str:
    """Return the path of the outer folders that hold only one further folder, with a / behind each."""
    wrapper = ""
    while True:
        inside = {path[0] for path in (_below(wrapper, folder) for folder in folders) if path}
        if len(inside) != 1:
            return wrapper
        folder = inside.pop()
        if split_of(folder) or is_emotion(folder):
            return wrapper
        wrapper += folder + "/"


def split_of(folder: str) -> str | None:
    """Return the split that the name of a folder means, or None."""
    return SPLIT_FOLDERS.get(folder.lower().replace(" ", "").replace("_", "").replace("-", ""))


def split_of_file(split: str | None, file: str) -> str | None:
    """Return the split of a file in a folder of `split`.

    FER2013's folder `test` holds two splits, which the names of the files distinguish.
    """
    if split == "test" and file.lower().startswith("publictest"):
        return "val"
    return split


def is_emotion(folder: str) -> bool:
    """Return whether `folder` is named after an emotion."""
    try:
        return bool(parse_emotion(folder))
    except InputError:
        return False


def _parse_emotions(source: str, folders: Sequence[str]) -> dict[str, str]:
    unknown = [folder for folder in folders if not is_emotion(folder)]
    if not folders:
        raise InputError(_layout_message(source, "no folder with images in it"))
    if unknown:
        raise InputError(_layout_message(source, f"the folders {_shorten(folders)}; not known: {_shorten(unknown)}"))
    return {folder: parse_emotion(folder) for folder in folders}


def _layout_message(source: str, actual: str) -> str:
    return (
        f"{source}: the layout is unknown. Expected a folder per emotion ({', '.join(KNOWN_EMOTIONS)}), or such "
        f"folders inside train, validation and test; found {actual}. Rename or move the folders"
    )


def _shorten(names: Sequence[str], at_most: int = 12) -> str:
    more = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return ", ".join(names[:at_most]) + more
