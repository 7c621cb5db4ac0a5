"""Opening of a source in a store: class folders, a manifest, or another layout of files."""

from functools import partial

from emotion.core.errors import InputError
from emotion.core.stores import StoreAddress
from emotion.data.images import is_image
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.file_source import open_tree
from emotion.ingest.sources.layouts.layout import Read
from emotion.ingest.sources.layouts.manifest import read_manifest
from emotion.ingest.sources.layouts.manifest_table import SUFFIXES as TABLES
from emotion.ingest.sources.layouts.readers import read_files, read_layout
from emotion.ingest.sources.source import Source, split_of
from emotion.ingest.sources.store_tree import StoreTree, open_store

ALL = "."
"""source.file for the folders, where manifests lie beside them."""


def open_in_store(address: StoreAddress, file: str | None, labels: LabelReader) -> Source:
    """Return the source at `address`: the layout of its files, or the manifest or folder named `file`.

    Raises:
        InputError: the store cannot be used, holds no images there, or an archive or a table of pixels, which is read
            from a disk only; or the layout is unknown.
    """
    tree = open_store(address)
    if file is None or file == ALL:
        _check_images(tree)
        inner = _unwrap(tree, labels)
        return open_tree(inner, labels, read_layout if file is None else read_files)
    return _open_named(tree, file.strip("/"), labels)


def _unwrap(tree: StoreTree, labels: LabelReader) -> StoreTree:
    """Return the tree below the outer folders that hold all files and say nothing of them."""
    tops = {name.partition("/")[0] if "/" in name else "" for name in tree.list().names}
    folder = tops.pop() if len(tops) == 1 else ""
    inner = tree.below(folder)
    is_doubled = any(name.startswith(f"{folder}/") for name in inner.sizes)
    return _unwrap(inner, labels) if folder and is_wrapper(folder, labels, is_doubled=is_doubled) else tree


def is_wrapper(folder: str, labels: LabelReader, *, is_doubled: bool) -> bool:
    """Return whether a folder only wraps others. A doubled one, `images/images`, shows only from outside."""
    return not (is_doubled or split_of(folder) or labels.knows(folder))


def _check_images(tree: StoreTree) -> None:
    if not any(map(is_image, tree.sizes)):
        found = ", ".join(list(tree.list().names)[:5]) or "nothing"
        raise InputError(f"{tree.name} (source.folder) holds no images, found {found}. {explain_download(tree)}")


def explain_download(tree: StoreTree) -> str:
    """Return what to do with an archive or a table of pixels in a store."""
    return (
        "An archive or a table of pixels is read from a disk: bring it there with `dvc import-url "
        f"{tree.name}/FILE data/raw/FILE`, and set source.folder to data/raw"
    )


def _open_named(tree: StoreTree, file: str, labels: LabelReader) -> Source:
    if file in tree.sizes:
        if not file.lower().endswith(TABLES):
            raise InputError(f"{tree.name}/{file} (source.file) is no manifest. {explain_download(tree)}")
        read: Read = partial(read_manifest, file=file)
        return open_tree(tree, labels, read)
    inner = tree.below(file)
    if not inner.sizes:
        raise InputError(
            f"{tree.name}/{file} (source.folder and source.file) does not exist; set source.file to null, or to a "
            "manifest or folder that is there"
        )
    _check_images(inner)
    return open_tree(inner, labels, read_files)
