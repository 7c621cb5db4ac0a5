"""A manifest: a CSV or Parquet file that names images and their emotions. It serves every layout without a reader."""

import re
from collections.abc import Iterable, Sequence
from posixpath import normpath

import numpy as np
import pandas as pd

from emotion.core.emotion_names import KNOWN_EMOTIONS, shorten
from emotion.core.errors import InputError
from emotion.data.table import COLUMNS, OPTIONAL_COLUMNS
from emotion.faces.detection import Box
from emotion.ingest.collect import COLLECTED_COLUMNS
from emotion.ingest.ferplus import CARRIED_VOTES
from emotion.ingest.label_reader import LabelReader, explain_numbers, parse_number
from emotion.ingest.sources.layouts.layout import Layout
from emotion.ingest.sources.layouts.manifest_table import BOX, SUFFIXES, are_manifest, find_columns, read_frame
from emotion.ingest.sources.layouts.paths import count_skipped, list_some
from emotion.ingest.sources.source import Entry, split_of
from emotion.ingest.sources.trees import FileTree

NAME = "manifest"

RESERVED = frozenset({*COLUMNS, *OPTIONAL_COLUMNS, *COLLECTED_COLUMNS, CARRIED_VOTES})
"""Names in the table of images that no column of a manifest may have."""

LARGEST = 2**31
"""Boxes end below this number of pixels."""

OUTWARD = re.compile(r"\s*([/\\~]|[A-Za-z]+:|.*\.\.)")
"""Paths that are absolute, addresses, or that may lead out of the source by `..`."""

EXPLAINED = 5
"""Number of tables that a refusal explains."""

PROBED = 64
"""Number of first rows by which a manifest is recognized: one of their images exists."""


def find_manifests(tree: FileTree, names: Sequence[str]) -> list[str]:
    """Return the tables that are manifests of images in the tree: at its top, in its only folder or in its splits."""
    known = set(names)
    return [table for table in _find_tables(names) if not _find_lack(tree, known, table)]


def explain_lack(tree: FileTree, names: Sequence[str]) -> str:
    """Return the reasons why the tables in a tree without a manifest are none."""
    known = set(names)
    tables = _find_tables(names)
    if tables:
        return "; ".join(f"{table}: {_find_lack(tree, known, table)}" for table in tables[:EXPLAINED])
    inner = [name for name in names if name.lower().endswith(SUFFIXES)]
    if inner:
        return f"no table at the top; source.file can name another one, such as {inner[0]}"
    return "no CSV or Parquet file with columns of images and emotions"


def _find_tables(names: Sequence[str]) -> list[str]:
    """Return the tables in the outermost folder with any.

    Below a folder, those in its only folder are looked for, or those in all of its folders where these are splits.
    """
    top = ""
    while True:
        inner = [name.removeprefix(top) for name in names if name.startswith(top)]
        tables = [top + name for name in inner if "/" not in name and name.lower().endswith(SUFFIXES)]
        folders = {name.partition("/")[0] for name in inner if "/" in name}
        if not tables and len(folders) > 1 and all(map(split_of, folders)):
            return [top + name for name in inner if name.count("/") == 1 and name.lower().endswith(SUFFIXES)]
        if tables or len(folders) != 1:
            return tables
        top += folders.pop() + "/"


def _find_lack(tree: FileTree, known: set[str], table: str) -> str:
    try:
        frame = read_frame(tree, table, PROBED)
    except InputError as error:
        return str(error).removeprefix(f"{tree.name}: ")
    columns = find_columns(list(frame.columns))
    if not are_manifest(list(frame.columns)):
        return f"no columns of images and emotions; found {list_some(frame.columns)}"
    paths = frame[columns["image"]].tolist()
    folder = table.rpartition("/")[0]
    if not any(_locate(path, folder, known) for path in paths):
        return f"none of its images exists{_give_example(paths, known)}"
    return ""


def _give_example(paths: Sequence[str], known: set[str]) -> str:
    """Return the first path, and a file of the same name, for the message on images that do not exist."""
    if not paths:
        return ""
    file = _simplify(paths[0]).rpartition("/")[2]
    other = min((name for name in known if name.rpartition("/")[2] == file), default="")
    return f", such as {shorten(paths[0])}" + (f" (did you mean {other}?)" if other else "")


def _locate(path: str, folder: str, known: set[str]) -> str | None:
    """Return the file that a path means, from the manifest's folder or from the source; None where there is none."""
    simple = _simplify(path)
    inside = _simplify(f"{folder}/{simple}") if folder else simple
    return inside if inside in known else simple if simple in known else None


def _simplify(path: str) -> str:
    path = path.strip().replace("\\", "/")
    return normpath(path) if "./" in path or "//" in path else path


def read_manifest(tree: FileTree, names: Sequence[str], labels: LabelReader, file: str) -> Layout:
    """Return the images that the table `file` of the tree lists, in its order.

    The columns image and emotion are needed; split, group and a box (x, y, width, height; pixels) are optional. All
    others stay as columns of texts; where the table of images has one of that name, it becomes `source_NAME`.

    Args:
        tree: the folder or archive. Paths in the table begin there or at the table.
        names: the files of the tree.
        labels: reads the emotions; bare numbers need a numbering.
        file: the table, one of `names`.

    Raises:
        InputError: the table cannot be read, lacks a column, lists no image of the tree or one outside of it, or has
            emotions or splits without a meaning.
    """
    source = f"{tree.name}: {file}"
    frame = read_frame(tree, file)
    columns = find_columns(list(frame.columns))
    missing = [name for name in ("image", "emotion") if name not in columns]
    if missing:
        raise InputError(
            f"{source}: a manifest needs the columns image and emotion; missing {' and '.join(missing)}, found "
            f"{list_some(frame.columns)}"
        )
    texts = {meaning: frame[column].tolist() for meaning, column in columns.items()}
    split_texts, groups = (texts.get(name, [""] * len(frame)) for name in ("split", "group"))
    images = _find_images(source, texts["image"], set(names), file.rpartition("/")[0])
    emotions = _read_emotions(source, texts["emotion"], labels)
    splits = _read_splits(source, texts["split"]) if "split" in texts else {"": None}
    own = [name for name in frame.columns if name not in columns.values()]
    values = zip(*(frame[name].tolist() for name in own), strict=True) if own else [()] * len(frame)
    boxes = _read_boxes(texts, len(frame))
    rows = zip(images, texts["emotion"], split_texts, groups, boxes, values, strict=True)
    entries = [
        Entry(image, emotions[label][0], splits[split], label, group.strip(), box, value,
              fault or emotions[label][1] or wrong)
        for (image, fault), label, split, group, (box, wrong), value in rows
    ]  # fmt: skip
    used = {file, *(image for image, _ in images)}
    return Layout(NAME, entries, tuple(_rename(own)), count_skipped(name for name in names if name not in used))


def _find_images(source: str, paths: Sequence[str], known: set[str], folder: str) -> list[tuple[str, str]]:
    """Return the file of each path, and the reason where there is none."""
    outside = [path for path in paths if _leaves(path, folder)]
    if outside:
        raise InputError(
            f"{source}: {len(outside):,} images lie outside of source.folder or have absolute paths, such as "
            f"{shorten(outside[0])}. DVC watches only source.folder: move the images there, and write their paths "
            "relative to the manifest"
        )
    found = [_locate(path, folder, known) for path in paths]
    if not any(found):
        raise InputError(
            f"{source}: none of the {len(paths):,} images exists{_give_example(paths, known)}. Write their paths "
            "relative to the manifest"
        )
    return [
        (_simplify(path), "the manifest lists it, and the file is missing") if file is None else (file, "")
        for path, file in zip(paths, found, strict=True)
    ]


def _leaves(path: str, folder: str) -> bool:
    """Return whether a path is absolute, an address, or leads out of the source."""
    if not OUTWARD.match(path):
        return False
    simple = path.strip().replace("\\", "/")
    return ".." not in simple or normpath(f"{folder}/{simple}" if folder else simple).startswith(("..", "/"))


def _read_emotions(source: str, texts: Iterable[str], labels: LabelReader) -> dict[str, tuple[str, str]]:
    """Return by label its emotion, and the reason where it has none."""
    found = sorted(set(texts))
    if labels.numbering is None and any(parse_number(text) is not None for text in found):
        raise explain_numbers(source, found)
    if not any(map(labels.knows, found)):
        raise InputError(
            f"{source}: no emotion is known: found {list_some(map(shorten, found)) or 'no rows'}; "
            f"expected some of {', '.join(KNOWN_EMOTIONS)}, or emotions that labels.scheme or labels.numbers names"
        )
    return {text: _read_emotion(text, labels) for text in found}


def _read_emotion(text: str, labels: LabelReader) -> tuple[str, str]:
    try:
        return labels.read(text), ""
    except InputError as error:
        return "", str(error)


def _read_splits(source: str, texts: Iterable[str]) -> dict[str, str | None]:
    splits = {text: split_of(text) for text in sorted(set(texts))}
    if set(splits) == {""}:
        return splits
    unknown = [shorten(text) for text, split in splits.items() if split is None]
    if unknown:
        raise InputError(
            f"{source}: the column of splits has {list_some(unknown)}, expected train, val or test (also Training, "
            "PublicTest, PrivateTest) in every row, or in none"
        )
    return splits


def _read_boxes(texts: dict[str, list[str]], rows: int) -> list[tuple[Box | None, str]]:
    """Return the box of each row, or the reason where it is none."""
    if BOX[0] not in texts:
        return [(None, "")] * rows
    written = pd.DataFrame({name: texts[name] for name in BOX}, dtype=object)
    numbers = written.apply(pd.to_numeric, errors="coerce").to_numpy(float)
    numbers = np.where(np.abs(numbers) < LARGEST, numbers, np.nan)
    boxes = np.rint(np.nan_to_num(numbers)).astype(int)
    # Detectors write boxes that begin outside of the image; the cut repeats its border there.
    is_box = ~np.isnan(numbers).any(axis=1) & (boxes[:, 2:] >= 1).all(axis=1)
    return [
        (Box(*box), "") if good else (None, f"got the box {', '.join(text)}, expected x, y, width, height" * any(text))
        for box, good, text in zip(boxes.tolist(), is_box.tolist(), written.to_numpy().tolist(), strict=True)
    ]


def _rename(names: Sequence[str]) -> list[str]:
    """Return the names of columns, with `source_` before those that the table of images has."""
    renamed: list[str] = []
    for name in names:
        new = f"source_{name}" if name in RESERVED else name
        while new in RESERVED or new in renamed:
            new += "_"
        renamed.append(new)
    return renamed
