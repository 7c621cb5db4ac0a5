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
from emotion.ingest.sources.source import Source
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
        return open_tree(tree, labels, read_layout if file is None else read_files)
    return _open_named(tree, file.strip("/"), labels)


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
    start = f"{file}/"
    below = {name.removeprefix(start): size for name, size in tree.sizes.items() if name.startswith(start)}
    if not below:
        raise InputError(
            f"{tree.name}/{file} (source.folder and source.file) does not exist; set source.file to null, or to a "
            "manifest or folder that is there"
        )
    inner = StoreTree(tree.address / file, below)
    _check_images(inner)
    return open_tree(inner, labels, read_files)
