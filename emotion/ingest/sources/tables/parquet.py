"""Tables of pixels in Parquet files, also with whole image files as the library `datasets` writes them."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from emotion.core.errors import InputError
from emotion.data.images import decode
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.shared_file import SharedFile
from emotion.ingest.sources.tables.columns import Columns, find_columns
from emotion.ingest.sources.tables.open_table import make_table
from emotion.ingest.sources.tables.pixel_values import Shape, common_shape, read_numbers, to_image
from emotion.ingest.sources.tables.plain_rows import check_length
from emotion.ingest.sources.tables.table_source import BATCH_BYTES, Parser, Row, Table, TableSource, first_rows

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

IMAGE_NAMES = ("image", "img")
"""Names of a column with image files: records with a field `bytes`."""


BATCH_ROWS = 16
"""Rows that are unpacked at a time. Equal values take the space of one in the file, so a row may be MAX_LINE long."""


class Values(NamedTuple):
    """The values of a row. The pixels are numbers, a text of numbers, or an image file."""

    label: str
    usage: str | None
    pixels: np.ndarray | str | bytes


def open_parquet(path: str, described: str, file: SharedFile, labels: LabelReader) -> TableSource:
    """Return the source of a Parquet file.

    Args:
        path: of the file, or of the archive around it, for messages.
        described: the path, and behind it the member of the archive.
        file: the Parquet file.
        labels: reads the labels.

    Raises:
        InputError: the file is damaged, has no columns of labels and pixels, or its labels are numbers in an unknown
            numbering.
    """
    return TableSource(path, partial(_open_table, described, file, labels))


def _open_table(name: str, file: SharedFile, labels: LabelReader) -> Table:
    from pyarrow.parquet import ParquetFile

    with _damage_explained(name):
        table = ParquetFile(file.whole())
        columns = _find_columns(name, table.schema_arrow)
        rows = _read_rows(name, table, columns)
        first = first_rows(rows)
    return make_table(name, columns, first, chain(first, rows), _make_parser(first), labels)


@contextmanager
def _damage_explained(name: str) -> Iterator[None]:
    from pyarrow import ArrowException

    try:
        yield
    except InputError:
        # One of pyarrow's errors is a ValueError, too.
        raise
    except (ArrowException, OSError) as error:
        raise InputError(f"{name} is damaged or not complete ({error}); download it again") from None


def _find_columns(name: str, schema: "pa.Schema") -> Columns:
    import pyarrow as pa

    images = [
        field.name
        for field in schema
        if field.name.lower() in IMAGE_NAMES and pa.types.is_struct(field.type) and "bytes" in field.type.names
    ]
    columns = find_columns(["pixels" if one in images[:1] else one for one in schema.names])
    if columns is None or len(columns.pixels) > 1:
        raise InputError(
            f"{name}: expected the columns emotion and pixels (or image, with the bytes of image files); found "
            f"{', '.join(schema.names)[:200]}. Save the images as files, and name their emotions in a manifest"
        )
    return columns._replace(is_fer2013=columns.is_fer2013 and not images)


def _read_rows(name: str, table: "ParquetFile", columns: Columns) -> Iterator[Row]:
    """Yield the rows, of which few are in memory at a time."""
    names = table.schema_arrow.names
    classes = _read_classes(table.schema_arrow, names[columns.emotion])
    rows = max(1, table.metadata.num_rows)
    size = sum(table.metadata.row_group(group).total_byte_size for group in range(table.num_row_groups)) // rows
    check_length(size, name)
    wanted = [names[place] for place in (columns.emotion, columns.pixels[0], columns.usage) if place is not None]
    batches = table.iter_batches(max(1, min(BATCH_ROWS, BATCH_BYTES // max(1, size))), columns=wanted)
    number = 0
    while True:
        # The damage may lie behind the first rows.
        with _damage_explained(name):
            batch = next(batches, None)
        if batch is None:
            return
        for values in _read_values(batch, wanted, classes):
            pixels = values.pixels
            row = Row(number, values, pixels.nbytes if isinstance(pixels, np.ndarray) else len(pixels))
            check_length(row.size, name)
            yield row
            number += 1


def _read_values(batch: "pa.RecordBatch", names: Sequence[str], classes: Sequence[str]) -> Iterator[Values]:
    labels = batch.column(names[0]).to_pylist()
    usages = batch.column(names[2]).to_pylist() if len(names) > 2 else [None] * len(labels)
    for label, usage, pixels in zip(labels, usages, batch.column(names[1]), strict=True):
        text = "" if label is None else classes[label] if classes else str(label)
        yield Values(text, None if len(names) < 3 else str(usage), _to_plain(pixels))


def _to_plain(pixels: "pa.Scalar") -> np.ndarray | str | bytes:
    """Return pixels without pyarrow's types: numbers of nested lists in one row, a text, or the bytes of an image."""
    import pyarrow as pa

    if not pixels.is_valid:
        return ""
    if pa.types.is_struct(pixels.type):
        return bytes(pixels["bytes"].as_py() or b"")
    if not pa.types.is_nested(pixels.type) or pa.types.is_map(pixels.type):
        return str(pixels)
    values = pixels.values
    while pa.types.is_nested(values.type):
        values = values.flatten()
    numbers = np.asarray(values.to_numpy(zero_copy_only=False))
    # Numbers as texts.
    return " ".join(map(str, numbers)) if numbers.dtype.kind == "O" else numbers


def _read_classes(schema: "pa.Schema", column: str) -> Sequence[str]:
    """Return the names of the numbers in a column of labels, which `datasets` writes; none where there are none."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        return [str(name) for name in features[column]["names"]]
    except (KeyError, TypeError, ValueError):
        return []


def _make_parser(rows: Sequence[Row]) -> Parser:
    """Return the parser of rows, by the form of the first ones."""
    arrays = []
    for row in rows:
        if not isinstance(row.values.pixels, bytes):
            try:
                arrays.append(_to_numbers(row.values.pixels))
            except InputError:
                continue
    if not arrays:
        return Parser(partial(_parse_values, shape=None), None)
    has_decimals = any(array.dtype.kind == "f" and array.size and array.max() > 0 for array in arrays)
    highest = max((array.max(initial=0) for array in arrays), default=0)
    shape = common_shape((array.size for array in arrays), 255 if has_decimals and highest <= 1 else 1)
    return Parser(partial(_parse_values, shape=shape), shape)


def _to_numbers(pixels: np.ndarray | str) -> np.ndarray:
    return read_numbers(pixels) if isinstance(pixels, str) else pixels


def _parse_values(values: Values, shape: Shape | None) -> tuple[str, str | None, np.ndarray]:
    """Return label, usage and image of a row; see `ParseValues`."""
    if isinstance(values.pixels, bytes):
        return values.label, values.usage, decode(values.pixels)
    if shape is None:
        raise InputError("the row has no image file")
    return values.label, values.usage, to_image(_to_numbers(values.pixels), shape)
