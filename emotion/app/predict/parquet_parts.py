"""The output of `emotion predict --parquet`: a folder of Parquet files, each of which appears once it is whole.

Readers take the folder as one table. It may be of this machine or in a store.
"""

import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from emotion.app.outputs import check_output
from emotion.app.predict.csv_and_json import COLUMNS
from emotion.app.predict.results import ImageResult
from emotion.core.errors import InputError
from emotion.core.files import TEMPORARY, atomic_path
from emotion.core.stores import Location, StoreAddress, list_store, remove_from_store, write_store

FIRST_ROWS, PART_ROWS = 1_000, 100_000
"""Rows from which a part is complete. The first one is small, so that a store that refuses it is noticed soon."""

PART = re.compile(r"part-\d{5,}\.parquet")

INSTALL = "pip install 'facial-emotion-pipeline[pipeline]'"


def find_earlier(folder: Location, *, overwrite: bool) -> list[str]:
    """Return the names of the parts of an earlier run in `folder`, which are to be replaced.

    Raises:
        InputError: pyarrow is not installed; the folder cannot be used; it holds other files; or it holds parts, and
            `overwrite` is False.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise InputError(f"--parquet needs the package pyarrow, which is not installed; use {INSTALL}") from None
    names = [name for name in _list_names(folder) if not name.startswith(TEMPORARY)]
    others = [name for name in names if not PART.fullmatch(name)]
    if others:
        raise InputError(
            f"--parquet: {folder} holds {others[0]}, which is no result of an earlier run; name a new folder"
        )
    if names and not overwrite:
        raise InputError(f"--parquet: {folder} exists already; name a new folder, or replace it with --overwrite")
    return names


def _list_names(folder: Location) -> list[str]:
    if isinstance(folder, StoreAddress):
        # A file at the address itself has no name below it.
        return [name or folder.name for name in list_store(folder)]
    check_output(folder / "part-00000.parquet", overwrite=True, option="--parquet")
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


@contextmanager
def open_parts(
    folder: Location, emotions: Sequence[str], earlier: Sequence[str]
) -> Iterator[Callable[[ImageResult], None]]:
    """Return a context with a function that writes a result. At its end, also an early one, the last part is written.

    Args:
        folder: where the parts are written; it is made with the first one.
        emotions: the names of the probabilities, in their order.
        earlier: as `find_earlier` returns it. The first part takes their place.

    Raises:
        InputError: a part cannot be written.
    """
    parts = _Parts(folder, emotions, earlier)
    try:
        yield parts.add
    finally:
        parts.finish()


class _Parts:
    """Rows that wait for their part, and the parts so far; see `open_parts`."""

    def __init__(self, folder: Location, emotions: Sequence[str], earlier: Sequence[str]) -> None:
        self._folder, self._emotions, self._earlier = folder, emotions, earlier
        self._rows: list[tuple[Any, ...]] = []
        self._parts = 0

    def add(self, result: ImageResult) -> None:
        """Add a row for each face, or one for an image without a face."""
        self._rows += _make_rows(result, len(self._emotions))
        if len(self._rows) >= (PART_ROWS if self._parts else FIRST_ROWS):
            self._write()

    def finish(self) -> None:
        """Write the rows that wait."""
        if self._rows:
            self._write()

    def _write(self) -> None:
        """Write the rows as a part. After an interruption, the end of the block writes the same part again."""
        name, earlier = f"part-{self._parts:05}.parquet", () if self._parts else self._earlier
        try:
            _write_file(self._folder, name, _encode(self._rows, self._emotions), earlier)
        except Exception:
            self._rows = []  # what refused them refuses them again
            raise
        self._rows, self._parts = [], self._parts + 1


def _make_rows(result: ImageResult, emotions: int) -> list[tuple[Any, ...]]:
    path, status = _escape(str(result.path)), _escape(result.status)
    if not result.faces:
        return [(path, None, status, *[None] * (len(COLUMNS) - 3 + emotions))]
    return [
        (path, number, status, face.emotion, face.confidence, *face.box, *face.probabilities.tolist())
        for number, face in enumerate(result.faces, start=1)
    ]


def _escape(text: str) -> str:
    r"""Return a text with the bytes of file names that are not UTF-8 as escapes such as `\xff`: Parquet is UTF-8."""
    return os.fsencode(text).decode("utf-8", "backslashreplace")


def _encode(rows: Sequence[tuple[Any, ...]], emotions: Sequence[str]) -> bytes:
    """Return rows as the bytes of a Parquet file. The types of the columns do not depend on the rows."""
    import pyarrow as pa
    from pyarrow import parquet

    text, number, share = pa.string(), pa.int32(), pa.float32()
    types = [text, number, text, text, share, number, number, number, number, *[share] * len(emotions)]
    columns = [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), types, strict=True)]
    content = io.BytesIO()
    parquet.write_table(pa.table(columns, [*COLUMNS, *emotions]), content, compression="zstd")
    return content.getvalue()


def _write_file(folder: Location, name: str, content: bytes, earlier: Sequence[str]) -> None:
    """Write a part in place of earlier ones. Readers never find parts of two runs."""
    if isinstance(folder, StoreAddress):
        remove_from_store(folder, earlier)
        write_store(folder / name, content)
        return
    with atomic_path(folder / name) as temporary:
        temporary.write_bytes(content)
        for replaced in earlier:  # only now, since a full disk may have prevented the new part
            (folder / replaced).unlink(missing_ok=True)
