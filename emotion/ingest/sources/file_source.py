"""The source in one file: a table, or an archive of images or of a table. The content of the file decides."""

import bz2
import gzip
import io
import lzma
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from emotion.core.errors import InputError
from emotion.data.file_formats import HEAD_BYTES
from emotion.data.images import is_image
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.archive_trees import Archive, ArchiveTree
from emotion.ingest.sources.archives import check_once, check_total, damage_explained
from emotion.ingest.sources.choice import choose_member, is_fer2013, is_named_csv
from emotion.ingest.sources.forms import COMPRESSED, Form, find_form, read_head, refuse_form
from emotion.ingest.sources.layouts.layout import Read
from emotion.ingest.sources.layouts.readers import read_layout
from emotion.ingest.sources.shared_file import BUFFER, SharedFile, open_shared, unpack
from emotion.ingest.sources.source import Source
from emotion.ingest.sources.tables.csv_rows import is_table_of_pixels
from emotion.ingest.sources.tables.open_table import open_csv
from emotion.ingest.sources.tables.parquet import open_parquet
from emotion.ingest.sources.tars import TarArchive, open_tar, tar_files
from emotion.ingest.sources.tree_source import TreeSource
from emotion.ingest.sources.trees import FileTree
from emotion.ingest.sources.zips import ZipArchive


class Packed(NamedTuple):
    """A file, on disk or unpacked out of an archive."""

    path: str
    """The path of the file on disk."""
    shown: str
    """The path, and behind it the members of archives that lead to this file, for messages."""
    file: SharedFile
    nested: bool = False
    """Whether the file comes out of an archive."""

    def head(self) -> bytes:
        """Return the first bytes, by which `find_form` tells the form."""
        return self.file.part(0, HEAD_BYTES).read()

    def open(self) -> io.BufferedReader:
        """Open the file at its start."""
        return io.BufferedReader(self.file.whole(), BUFFER)


def open_file(path: Path, labels: LabelReader) -> Source:
    """Return the source in the file at `path`.

    Raises:
        InputError: it is no table and no archive, it is damaged or unsafe, or it holds no images of a known layout.
    """
    read_head(path)
    return _open_packed(Packed(str(path), str(path), open_shared(path)), labels)


def open_archive(path: Path) -> Archive | None:
    """Return the archive at `path`; None for a file of another form.

    Raises:
        InputError: it is damaged or unsafe.
    """
    read_head(path)
    return _find_archive(Packed(str(path), str(path), open_shared(path)))


def may_be_source(path: Path) -> bool:
    """Return whether the content of the file at `path` is an archive, a Parquet table or a table of pixels.

    Pipes and devices are not opened.
    """
    if not path.is_file():
        return False
    head = read_head(path)
    form = find_form(head)
    return is_table_of_pixels(head) if form is Form.TEXT else form is not None


def _find_archive(packed: Packed) -> Archive | None:
    form = find_form(packed.head())
    if form in COMPRESSED:
        packed = _unpack(packed, form)
        form = find_form(packed.head())
    if form is Form.ZIP:
        return ZipArchive(packed.shown, packed.file)
    return TarArchive(packed.shown, packed.file) if form is Form.TAR else None


def _open_packed(packed: Packed, labels: LabelReader) -> Source:
    head = packed.head()
    form = find_form(head)
    if form in COMPRESSED:
        return _open_compressed(packed, form, labels)
    if form in (Form.ZIP, Form.TAR):
        kind = ZipArchive if form is Form.ZIP else TarArchive
        return _open_archive(packed, kind(packed.shown, packed.file), labels)
    if form is Form.PARQUET:
        return open_parquet(packed.path, packed.shown, packed.file, labels)
    if form is Form.TEXT:
        return open_csv(packed.path, packed.shown, packed.open, labels)
    raise refuse_form(packed.shown, head)


def _open_compressed(packed: Packed, form: Form, labels: LabelReader) -> Source:
    with damage_explained(packed.shown), _decompress(packed, form) as file:
        head = file.read(HEAD_BYTES)
    inner = find_form(head)
    if form is Form.GZIP and inner is Form.TEXT:
        return open_csv(packed.path, packed.shown, partial(_open_gzip, packed), labels)
    if form is Form.GZIP and inner is Form.TAR and _begins_with_fer2013(packed):
        return open_csv(packed.path, packed.shown, partial(_open_fer2013, packed), labels)
    if inner is None or inner in COMPRESSED:
        raise refuse_form(f"{packed.shown} (unpacked)", head)
    return _open_packed(_unpack(packed, form), labels)


def _open_archive(packed: Packed, archive: Archive, labels: LabelReader) -> Source:
    if any(map(is_image, archive.list())):
        return open_tree(ArchiveTree(archive), labels)
    member, form = choose_member(archive)
    shown = f"{packed.shown}: {member}"
    if form is Form.TEXT:
        return open_csv(packed.path, shown, partial(_open_member, archive, member, shown), labels)
    if packed.nested and form is not Form.PARQUET:
        raise InputError(f"{shown} is an archive in an archive in an archive; unpack it, and use what is in it")
    with damage_explained(shown), archive.open(member) as file:
        return _open_packed(Packed(packed.path, shown, unpack(file, shown), nested=True), labels)


def open_tree(tree: FileTree, labels: LabelReader, read: Read = read_layout) -> Source:
    """Return the source of the images in `tree`.

    Args:
        tree: the folder or archive.
        labels: reads the labels.
        read: reads the layout.

    Raises:
        InputError: no reader knows their layout.
    """
    listing = tree.list()
    return TreeSource(tree, read(tree, listing.names, labels), listing)


@contextmanager
def _open_member(archive: Archive, member: str, shown: str) -> Iterator[io.BufferedReader]:
    with damage_explained(shown), archive.open(member) as file:
        yield io.BufferedReader(file, BUFFER)  # type: ignore[arg-type]  # zipfile's reader is an io.BufferedIOBase


class _LimitedGzip(gzip.GzipFile):
    """A gzip file that raises InputError after MAX_TOTAL_BYTES unpacked bytes."""

    def __init__(self, packed: Packed) -> None:
        super().__init__(fileobj=packed.open())
        self._shown = packed.shown

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        check_total(self._shown, self.tell())
        return data


@contextmanager
def _open_gzip(packed: Packed) -> Iterator[io.BufferedReader]:
    with damage_explained(packed.shown), _LimitedGzip(packed) as file:
        yield io.BufferedReader(file, BUFFER)


@contextmanager
def _open_fer2013(packed: Packed) -> Iterator[io.BufferedReader]:
    """Open the CSV file of FER2013 in a tar.gz, without unpacking it to disk.

    At the end of the block the rest of the archive is read, so that a damaged end is noticed.
    """
    with damage_explained(packed.shown), _LimitedGzip(packed) as file:
        with open_tar(file) as tar:  # type: ignore[arg-type]  # typeshed: GzipFile is no IO
            names = []
            for name, member in (members := tar_files(tar, packed.shown, Counter())):
                names.append(name)
                if is_fer2013(name):
                    yield io.BufferedReader(tar.extractfile(member), BUFFER)  # type: ignore[arg-type]
                    break
            check_once(packed.shown, [*names, *(name for name, _ in members)])
        while file.read(BUFFER):
            pass


def _begins_with_fer2013(packed: Packed) -> bool:
    """Return whether the CSV file of FER2013 comes before all images and other tables of a tar.gz."""
    with damage_explained(packed.shown), _LimitedGzip(packed) as file, open_tar(file) as tar:  # type: ignore[arg-type]
        for name, _ in tar_files(tar, packed.shown, Counter()):
            if is_fer2013(name):
                return True
            if is_image(name) or is_named_csv(name):
                return False
    return False


def _unpack(packed: Packed, form: Form | None) -> Packed:
    with damage_explained(packed.shown), _decompress(packed, form) as file:
        return packed._replace(file=unpack(file, packed.shown))


def _decompress(packed: Packed, form: Form | None) -> IO[bytes]:
    if form is Form.GZIP:
        return _LimitedGzip(packed)  # type: ignore[return-value]
    return bz2.open(packed.open()) if form is Form.BZIP2 else lzma.open(packed.open())
