"""The table in a manifest: its bytes as columns of texts, and the meaning of these columns."""

import io
import warnings
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pandas as pd

from emotion.core.errors import InputError
from emotion.data.file_formats import HEAD_BYTES
from emotion.data.images import MAX_FILE_BYTES, ImageError
from emotion.ingest.sources.forms import Form, find_form, read_head
from emotion.ingest.sources.tables.columns import find_columns as find_pixels
from emotion.ingest.sources.trees import FileTree

SUFFIXES = (".csv", ".tsv", ".parquet")
"""Suffixes of files that may be a manifest."""

SPELLINGS = {
    "image": ("image", "path", "file", "filename", "filepath", "img", "imagepath", "imagename", "subdirectoryfilepath"),
    "emotion": ("emotion", "label", "expression", "class", "target"),
    "split": ("split", "usage", "subset", "partition"),
    "group": ("group",),
    "x": ("x", "facex"),
    "y": ("y", "facey"),
    "width": ("width", "facewidth"),
    "height": ("height", "faceheight"),
}
"""Names of the columns that have a meaning, the preferred one first. Case, blanks and _ are ignored."""

BOX = ("x", "y", "width", "height")

MAX_ROWS = 10**7
"""A Parquet file of a few bytes can hold any number of rows."""

BATCH_ROWS = 2**16
"""Number of rows of a Parquet file that are turned into texts at a time."""

HEADER_BYTES = 2**16
"""Number of bytes in which the names of the columns are looked for."""


def find_columns(names: Sequence[str]) -> dict[str, str]:
    """Return the name in the table of each column of SPELLINGS that it has. A box counts only whole."""
    simple = list(map(_simplify, names))
    found = {
        meaning: names[simple.index(spelling)]
        for meaning, spellings in SPELLINGS.items()
        for spelling in reversed(spellings)
        if spelling in simple
    }
    return found if set(BOX) <= set(found) else {name: column for name, column in found.items() if name not in BOX}


def _simplify(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "")


def are_manifest(names: Sequence[str]) -> bool:
    """Return whether columns of these names are those of a manifest: image and emotion, and no pixels."""
    return {"image", "emotion"} <= set(find_columns(names)) and find_pixels(names) is None


def is_manifest(path: Path) -> bool:
    """Return whether the file at `path` has the columns of a manifest, by its first bytes."""
    form = find_form(read_head(path))
    if form is Form.PARQUET:
        return are_manifest(_read_text_columns(path))
    if form is not Form.TEXT:
        return False
    with path.open("rb") as file:
        first = _first_line(file.read(HEADER_BYTES))
    return are_manifest([name.strip(' "') for name in first.split(_find_separator(first))])


def _read_text_columns(path: Path) -> list[str]:
    """Return the names of the columns of a Parquet file whose values are plain; none where it is damaged."""
    from pyarrow import ArrowException, types
    from pyarrow.parquet import read_schema

    try:
        return [field.name for field in read_schema(path) if not types.is_nested(field.type)]
    except ArrowException:
        return []


def read_frame(tree: FileTree, file: str, rows: int | None = None) -> pd.DataFrame:
    """Return the table `file` of the tree, or its first `rows`, with all values as texts.

    Raises:
        InputError: the file cannot be read, is larger than MAX_FILE_BYTES, or is no such table.
    """
    try:
        data = tree.read(file)
        frame = _read_parquet(data, rows) if find_form(data[:HEAD_BYTES]) is Form.PARQUET else _read_text(data, rows)
    except ImageError as error:
        raise InputError(
            f"{tree.name}: {file}: {error}. A manifest has at most {MAX_FILE_BYTES // 2**20} MiB; Parquet is smaller"
        ) from None
    except (ValueError, OSError, Warning) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{tree.name}: {file} cannot be read as a table ({reason}); save it as CSV in UTF-8 or as Parquet"
        ) from None
    return frame.loc[:, [bool(name) and not name.startswith("Unnamed: ") for name in frame.columns]]


def _read_parquet(data: bytes, rows: int | None) -> pd.DataFrame:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        file = ParquetFile(io.BytesIO(data))
        if file.metadata.num_rows > MAX_ROWS:
            raise ValueError(f"it has {file.metadata.num_rows:,} rows, expected at most {MAX_ROWS:,}")
        _check_names(file.schema_arrow.names)
        batches = file.iter_batches(rows or BATCH_ROWS)
        # A whole number next to a missing one would else become `3.0`, and the same person have two names.
        frames = [
            _to_texts(batch.to_pandas(integer_object_nulls=True))
            for batch in (batches if rows is None else islice(batches, 1))
        ]
    except ArrowException as error:
        raise ValueError(str(error)) from None
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=file.schema.names, dtype=object)


def _to_texts(frame: pd.DataFrame) -> pd.DataFrame:
    named = [name for name in frame.index.names if name is not None]
    frame = frame.reset_index(named) if named else frame
    columns = {str(name): frame[name].astype(object) for name in frame}
    texts = {name: column.where(column.notna(), "").map(str) for name, column in columns.items()}
    return pd.DataFrame(texts, dtype=object)


def _check_names(names: Sequence[str]) -> None:
    """Raise ValueError where two columns have one name or one meaning, of which only the first would be read."""
    known = {spelling for spellings in SPELLINGS.values() for spelling in spellings}
    simple = {name: _simplify(name) for name in names}
    counts = Counter(simple[name] if simple[name] in known else name for name in names if name)
    twice = [repr(name) for name, count in counts.items() if count > 1]
    if twice:
        raise ValueError(f"it has two columns {' and two '.join(twice)}; rename one")


def _read_text(data: bytes, rows: int | None) -> pd.DataFrame:
    with warnings.catch_warnings():
        # A row of more values than the first line has would lose some.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        # pandas would rename the second of two names.
        _check_names([name.strip() for name in _parse(data, header=None, rows=1).iloc[0]])
        frame = _parse(data, header=0, rows=rows)
    frame.columns = [name.strip() for name in frame.columns]
    return frame.fillna("")


def _parse(data: bytes, *, header: int | None, rows: int | None) -> pd.DataFrame:
    return pd.read_csv(
        io.BytesIO(data),
        sep=_find_separator(_first_line(data)),
        encoding=_find_encoding(data),
        dtype=object,
        header=header,
        keep_default_na=False,
        index_col=False,
        skipinitialspace=True,
        nrows=rows,
    )


def _find_encoding(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if b"\0" in data[:2]:
        return "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    return "utf-8-sig"


def _first_line(data: bytes) -> str:
    lines = data[:HEADER_BYTES].decode(_find_encoding(data), "replace").splitlines()
    return next(filter(str.strip, lines), "")


def _find_separator(line: str) -> str:
    return max(",;\t", key=line.count)
