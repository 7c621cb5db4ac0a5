"""Reading of a whole source into tables of images and rejected images, and a file with the pixels of small ones."""

from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, NamedTuple

import pandas as pd

from emotion.core.errors import InputError
from emotion.ingest.face_columns import format_box, format_face
from emotion.ingest.sources.content import NO_FACE
from emotion.ingest.sources.source import Batch, Content, Entry

NAMED_REJECTIONS = 5
"""Number of rejected images that an error names."""

COLLECTED_COLUMNS = (
    *("image", "emotion", "split", "source_label", "group", "box"),
    *("height", "width", "channels", "hash", "blank", "offset", "perceptual_hash", "face", "faces"),
)


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
    rows: list[tuple[Any, ...]] = []
    rejected: list[tuple[str, str]] = []
    end = 0
    for batch in batches:
        for entry, content in batch:
            if content.reason:
                rejected.append((entry.image, content.reason))
                continue
            rows.append(_make_row(entry, content, end))
            end += len(content.pixels)
        pixels.write(b"".join(content.pixels for _, content in batch))
    return Collected(
        pd.DataFrame(rows, columns=[*COLLECTED_COLUMNS, *columns]), pd.DataFrame(rejected, columns=["image", "reason"])
    )


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
    first = [f"{row.image}: {row.reason}" for row in rejected.head(NAMED_REJECTIONS).itertuples()]
    raise InputError(
        f"{source}: {len(rejected)} of {total} images cannot be used, expected at most the share of {share:g} that "
        "source.rejected_share allows; replace these images, or raise source.rejected_share. The first ones:\n  "
        + "\n  ".join(first)
    )
