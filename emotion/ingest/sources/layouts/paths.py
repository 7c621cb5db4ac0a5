"""Names of files and folders, as several readers of layouts need them."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice

from emotion.core.errors import InputError
from emotion.data.images import ImageError, is_image
from emotion.ingest.sources.layouts.layout import OtherLayoutError
from emotion.ingest.sources.source import SPLIT_NAMES, split_of, split_words
from emotion.ingest.sources.trees import FileTree

LABEL_SUFFIXES = (".txt", ".xml", ".json", ".csv", ".tsv", ".lst", ".npy", ".mat", ".parquet")
"""Suffixes of files that describe images."""

NEARLY_ALL = 0.95
"""Share of the images whose names must have the form of a data set. Published copies hold a few others."""


def split_path(name: str) -> tuple[tuple[str, ...], str]:
    """Return the folders of a file, and its own name."""
    *folders, file = name.split("/")
    return tuple(folders), file


def stem_of(name: str) -> str:
    """Return the name of a file without its folders and its suffix."""
    file = name.rpartition("/")[2]
    return file.rpartition(".")[0] or file


def find_files(names: Iterable[str], wanted: Collection[str]) -> list[str]:
    """Return the files whose own name, in lower case, is one of `wanted`."""
    return [name for name in names if name.rpartition("/")[2].lower() in wanted]


def read_lines(tree: FileTree, name: str) -> list[str]:
    """Return the lines of a text file, without the empty ones.

    Raises:
        InputError: the file cannot be read or is too large.
    """
    try:
        text = tree.read(name).decode("utf-8-sig", "replace")
    except ImageError as error:
        raise InputError(f"{tree.name}: {name}: {error}") from None
    return [line for line in text.splitlines() if line.strip()]


def check_names(names: Iterable[str], pattern: re.Pattern[str], example: str) -> None:
    """Raise OtherLayoutError where the images among the files have no names as `pattern` describes and `example` has.

    A few other names are accepted.
    """
    images = [name for name in names if is_image(name)]
    files = (name.rpartition("/")[2] for name in images)
    # A few more than accepted decide, so that others are not looked at.
    others = list(islice((file for file in files if not pattern.match(file)), int((1 - NEARLY_ALL) * len(images)) + 1))
    if not images or len(others) > (1 - NEARLY_ALL) * len(images):
        raise OtherLayoutError(f"no images with names such as {example}; found {list_some(others[:3]) or 'no images'}")


def count_skipped(names: Iterable[str]) -> dict[str, int]:
    """Return the number of files by their kind. Images are those that a label file does not list."""
    return dict(Counter(map(_kind_of, names)))


def _kind_of(name: str) -> str:
    if is_image(name):
        return "unlisted images"
    return "label files" if name.lower().endswith(LABEL_SUFFIXES) else "other files"


def list_some(names: Iterable[str], at_most: int = 12) -> str:
    """Return the first names, with the number of the others, for messages."""
    names = list(names)
    more = f" and {len(names) - at_most:,} more" if len(names) > at_most else ""
    return ", ".join(name or "(none)" for name in names[:at_most]) + more


def read_splits(names: Sequence[str]) -> Mapping[str, str] | None:
    """Return the split of each of the folders that lie at one level; None where they are no splits.

    Words that all of several folders share do not matter: `rafdb_train` and `rafdb_test`.

    Raises:
        OtherLayoutError: some of the folders are splits, and others are not.
    """
    common = set.intersection(*(set(split_words(name)) for name in names)) if len(names) > 1 else set()
    splits = {name: split_of(name) or SPLIT_NAMES.get("".join(_without(split_words(name), common))) for name in names}
    read = {name: split for name, split in splits.items() if split is not None}
    if len(read) == len(names):
        return read
    mentioned = {SPLIT_NAMES[word] for name in names for word in split_words(name) if word in SPLIT_NAMES}
    if read or len(mentioned) > 1:
        others = [name for name in names if name not in read]
        raise OtherLayoutError(f"some of the folders {list_some(names)} are splits, but not {list_some(others)}")
    return None


def _without(words: Sequence[str], common: set[str]) -> list[str]:
    return [word for word in words if word not in common]


def split_of_folders(folders: Sequence[str]) -> str | None:
    """Return the split that one of the folders of a file names; None where none does.

    Raises:
        OtherLayoutError: the folders name several splits.
    """
    splits = {split for split in map(split_of, folders) if split}
    if len(splits) > 1:
        raise OtherLayoutError(f"the folders {'/'.join(folders)} name several splits")
    return splits.pop() if splits else None
