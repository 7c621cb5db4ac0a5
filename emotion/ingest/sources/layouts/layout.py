"""The interface of the readers of layouts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emotion.core.errors import InputError
from emotion.ingest.label_reader import NUMBERINGS, LabelReader, explain_numbers, parse_number
from emotion.ingest.sources.source import Entry
from emotion.ingest.sources.trees import FileTree


@dataclass(frozen=True)
class Layout:
    """The images that a reader found.

    Attributes:
        name: of the layout, such as `RAF-DB` or `class folders`.
        entries: the images, in the order in which they are read.
        columns: the names of further columns.
        skipped: the number of files that are no images of the layout and that no label was read from, by their kind.
    """

    name: str
    entries: list[Entry]
    columns: tuple[str, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)


class OtherLayoutError(InputError):
    """The files have another layout. The message says what this one lacks, and does not name the source."""


def make_entry(labels: LabelReader, image: str, label: str, split: str | None, **more: Any) -> Entry:
    """Return the entry of an image with the label that the data set writes; `more` are further fields of `Entry`.

    An image whose label cannot be read is one to reject.
    """
    try:
        return Entry(image, labels.read(label), split, label, **more)
    except InputError as error:
        return Entry(image, "", split, label, **(more | {"fault": str(error)}))


def choose_numbering(labels: LabelReader, numbering: str, source: str, found: Iterable[str]) -> LabelReader:
    """Return the reader with the numbering of a data set, unless the params chose one.

    Raises:
        InputError: the numbering lacks a number among the labels `found`, so that these are of another data set.
    """
    numbers = {number for number in map(parse_number, found) if number is not None}
    if labels.numbering is None and not numbers <= {number for number, _ in NUMBERINGS[numbering]}:
        raise explain_numbers(source, map(str, numbers))
    return labels.with_default(numbering)


Read = Callable[[FileTree, Sequence[str], LabelReader], Layout]
"""A function that returns the images of a tree among its files, whose names it gets.

It raises OtherLayoutError where the files have another layout, and InputError where they have this layout and something
in it cannot be used.
"""
