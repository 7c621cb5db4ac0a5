"""Archives that hold a split each, such as train.zip and test.zip, read as one tree."""

from collections.abc import Sequence
from pathlib import Path

from emotion.core.errors import InputError
from emotion.data.images import is_image
from emotion.ingest.label_reader import LabelReader, parse_number
from emotion.ingest.sources.archive_trees import ArchiveTree, BelowTree, MergedTree
from emotion.ingest.sources.file_source import open_archive
from emotion.ingest.sources.source import split_of
from emotion.ingest.sources.trees import FileTree


def are_splits(paths: Sequence[Path]) -> bool:
    """Return whether the names of the files are those of several splits, such as train.zip and test_set.zip."""
    names = [_stem(path) for path in paths if path.is_file()]
    splits = {split_of(name) for name in names}
    return len(splits) > 1 and None not in splits and len({*names}) == len(paths)


def merge(folder: Path, paths: Sequence[Path], labels: LabelReader) -> MergedTree | None:
    """Return the archives at `paths` as one tree, with a folder for each; None where one of them is no archive.

    An outer folder that holds all files of an archive is left out, unless it is that of an emotion.

    Raises:
        InputError: an archive is damaged or unsafe, or holds no images.
    """
    trees: dict[str, FileTree] = {}
    for path in paths:
        archive = open_archive(path)
        if archive is None:
            return None
        if not any(map(is_image, archive.list())):
            raise InputError(f"{path} holds no images, and would leave its split empty; pack it again, or remove it")
        outer = _find_outer(archive.list(), labels)
        tree = ArchiveTree(archive)
        trees[_stem(path)] = BelowTree(tree, outer) if outer else tree
    return MergedTree(str(folder), trees)


def _stem(path: Path) -> str:
    return path.name.partition(".")[0]


def _find_outer(names: Sequence[str], labels: LabelReader) -> str:
    """Return the outer folders, each with a / behind it, that hold all files and are none of an emotion."""
    outer = ""
    while True:
        folders = {name[len(outer) :].partition("/")[0] if "/" in name[len(outer) :] else "" for name in names}
        folder = folders.pop() if len(folders) == 1 else ""
        if not folder or labels.knows(folder) or parse_number(folder) is not None:
            return outer
        outer += f"{folder}/"
