"""Names of files and folders, as several readers of layouts need them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from emotion.data.images import is_image
from emotion.ingest.sources.layouts.layout import OtherLayoutError
from emotion.ingest.sources.source import SPLIT_NAMES, split_of, split_words

LABEL_SUFFIXES = (".txt", ".xml", ".json", ".csv", ".tsv", ".lst", ".npy", ".mat", ".parquet")
"""Suffixes of files that describe images."""

PEOPLE = (
    re.compile(r"(S\d{3})_\d{3}_\d{8}"),
    re.compile(r"([A-Z]{2})\.(?:AN|DI|FE|HA|NE|SA|SU)\d\.\d+"),
    re.compile(r"[AB]([FM]\d\d)(?:AF|AN|DI|HA|NE|SA|SU)(?:S|HL|HR|FL|FR)\b", re.IGNORECASE),
)
"""Names of the files of CK+, JAFFE and KDEF. The group in each is the person."""


def split_path(name: str) -> tuple[tuple[str, ...], str]:
    """Return the folders of a file, and its own name."""
    *folders, file = name.split("/")
    return tuple(folders), file


def stem_of(name: str) -> str:
    """Return the name of a file without its folders and its suffix."""
    file = name.rpartition("/")[2]
    return file.rpartition(".")[0] or file


def find_person(file: str) -> str:
    """Return the person that the name of a file of a known data set names; an empty text for none."""
    found = (pattern.match(file) for pattern in PEOPLE)
    return next((match[1].upper() for match in found if match), "")


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
