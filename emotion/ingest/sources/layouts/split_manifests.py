"""Manifests with a split each, such as train.csv and test.csv, or train/metadata.csv and test/metadata.csv."""

from collections.abc import Sequence

from emotion.core.errors import InputError
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.layouts.layout import Layout
from emotion.ingest.sources.layouts.manifest import NAME, read_manifest
from emotion.ingest.sources.layouts.paths import count_skipped, stem_of
from emotion.ingest.sources.source import split_of
from emotion.ingest.sources.trees import FileTree


def find_splits(files: Sequence[str]) -> dict[str, str]:
    """Return the split of each manifest by its name or its folder's; nothing where these are not different splits."""
    splits = {file: split_of(stem_of(file)) or split_of(file.rpartition("/")[0].rpartition("/")[2]) for file in files}
    known = {file: split for file, split in splits.items() if split is not None}
    return known if len(set(known.values())) == len(files) > 1 else {}


def read_manifests(tree: FileTree, names: Sequence[str], labels: LabelReader, files: Sequence[str]) -> Layout:
    """Return the images that the tables `files` list, each with the split of its table unless a column has one.

    Raises:
        InputError: as `read_manifest`, or the tables have other columns.
    """
    splits = find_splits(files)
    layouts = {file: read_manifest(tree, names, labels, file) for file in files}
    columns = {layout.columns for layout in layouts.values()}
    if len(columns) > 1:
        raise InputError(
            f"{tree.name}: the manifests {', '.join(files)} have other columns: "
            f"{'; '.join(', '.join(one) or 'none' for one in sorted(columns))}. Give each of them the same"
        )
    entries = [
        entry if entry.split else entry._replace(split=splits[file])
        for file, layout in layouts.items()
        for entry in layout.entries
    ]
    used = {entry.image for entry in entries}.union(files)
    return Layout(NAME, entries, columns.pop(), count_skipped(name for name in names if name not in used))
