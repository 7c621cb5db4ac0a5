"""Reading of a whole source into tables of images and rejected images, and a file with the pixels of small ones."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from emotion.core.errors import InputError, in_one_line
from emotion.ingest.photos.face_columns import format_box, format_face
from emotion.ingest.sources.content import NO_FACE
from emotion.ingest.sources.source import Batch, Content, Entry

NAMED_REJECTIONS = 5
"""Number of rejected images that an error names."""

COLLECTED_TYPES = {
    **dict.fromkeys(("image", "emotion"), pa.large_string()),
    # An array of codes, since pandas would otherwise hold a text for each image.
    "split": pa.dictionary(pa.int8(), pa.string()),
    **dict.fromkeys(("source_label", "group", "box"), pa.large_string()),
    **dict.fromkeys(("height", "width", "channels"), pa.int64()),
    "hash": pa.large_string(),
    "blank": pa.bool_(),
    "offset": pa.int64(),
    **dict.fromkeys(("perceptual_hash", "face"), pa.large_string()),
    "faces": pa.int64(),
}
"""The columns of the collected images, and their types."""

COLLECTED_COLUMNS = tuple(COLLECTED_TYPES)

ROWS_IN_MEMORY = 16384
"""Number of rows that wait as Python's objects, which take ten times the memory of a column."""


class Collected(NamedTuple):
    """The images of a source, with COLLECTED_COLUMNS and the source's own; the rejected ones, with `image`, `reason`.

    `box` and `face` are texts as `emotion.data.table` describes them.
    """

    images: pd.DataFrame
    rejected: pd.DataFrame


def collect_batches(batches: Iterable[Batch], pixels: BinaryIO, columns: Sequence[str] = ()) -> Collected:
    """Read `batches` into tables, and write the pixels of small images one after the other to `pixels`.

    In the result, `split` is that of the source, or None. `offset` counts bytes from the current position of `pixels`.
    It is -1 for large images. `columns` are the source's further columns.
    """
    images = _Rows(COLLECTED_TYPES | dict.fromkeys(columns, pa.large_string()))
    rejected = _Rows(dict.fromkeys(("image", "reason"), pa.large_string()))
    end = 0
    for batch in batches:
        for entry, content in batch:
            if content.reason:
                rejected.add((entry.image, content.reason))
                continue
            images.add(_make_row(entry, content, end))
            end += len(content.pixels)
        pixels.write(b"".join(content.pixels for _, content in batch))
    frame = images.to_frame()
    return Collected(frame.assign(split=_name_splits(frame["split"])), rejected.to_frame())


def _name_splits(splits: pd.Series) -> pd.Series:
    """Return the split of each image, or None, as references to few texts."""
    # The code of a missing split is -1, so it finds None at the end.
    names = np.array([*splits.cat.categories, None], dtype=object)
    return pd.Series(names[splits.cat.codes.to_numpy()], index=splits.index, dtype=object)


class _Rows:
    """Rows of a table, which grow in columns and not as Python's objects."""

    def __init__(self, types: Mapping[str, pa.DataType]) -> None:
        self._schema = pa.schema(types)
        self._waiting: list[tuple[Any, ...]] = []
        self._packed: list[pa.RecordBatch] = []

    def add(self, row: tuple[Any, ...]) -> None:
        """Add the values of a row, in the order of the columns."""
        self._waiting.append(row)
        if len(self._waiting) == ROWS_IN_MEMORY:
            self._pack()

    def to_frame(self) -> pd.DataFrame:
        """Return all rows, and forget them."""
        self._pack()
        table = pa.Table.from_batches(self._packed, self._schema)
        self._packed.clear()
        frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
        return frame

    def _pack(self) -> None:
        columns = zip(*self._waiting, strict=True)
        arrays = [pa.array(values, field.type) for values, field in zip(columns, self._schema, strict=False)]
        if arrays:
            self._packed.append(pa.record_batch(arrays, schema=self._schema))
        self._waiting.clear()


def _make_row(entry: Entry, content: Content, end: int) -> tuple[Any, ...]:
    offset = end if content.pixels else -1
    return (
        *(entry.image, entry.emotion, entry.split, entry.label, entry.group, format_box(entry.box)),
        *(content.height, content.width, content.channels, content.hash, content.blank, offset),
        *(content.perceptual_hash, format_face(content.face), content.faces),
        *entry.columns,
    )


def select_without_face(rejected: pd.DataFrame) -> pd.DataFrame:
    """Return the rejected images in which no face was found. They can be read, unlike the others."""
    return rejected[rejected["reason"].str.startswith(NO_FACE).astype(bool)]


def check_rejected(collected: Collected, share: float, source: str) -> None:
    """Raise InputError where no image is usable, or more than `share` (0 to 1) of them are not.

    Photos without a face are usual, so they count only where no image is left.
    """
    without_face = select_without_face(collected.rejected)
    rejected = collected.rejected.drop(without_face.index)
    total = len(rejected) + len(collected.images)
    if len(without_face) and not len(collected.images):
        raise InputError(
            f"{source}: no face was found in {len(without_face)} images, and no other image can be used. Where images "
            "are crops of faces, set features.faces: as_is; where faces are small, lower faces.smallest"
        )
    if total == 0:
        raise InputError(
            f"{source} holds no images, expected at least one; set source.file or source.folder to another source"
        )
    if len(rejected) <= share * total and len(collected.images):
        return
    first = [f"{in_one_line(str(row.image))}: {row.reason}" for row in rejected.head(NAMED_REJECTIONS).itertuples()]
    raise InputError(
        f"{source}: {len(rejected)} of {total} images cannot be used, expected at most the share of {share:g} that "
        "source.rejected_share allows; replace these images, or raise source.rejected_share. The first ones:\n  "
        + "\n  ".join(first)
    )
