"""JAFFE and KDEF: the name of each file has emotion and person."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from emotion.core.errors import InputError
from emotion.data.images import is_image
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.layouts.layout import Layout
from emotion.ingest.sources.layouts.paths import check_names, count_skipped, split_of_folders, split_path
from emotion.ingest.sources.source import Entry
from emotion.ingest.sources.trees import FileTree


class NamedFiles(NamedTuple):
    """A data set whose file names say everything."""

    name: str
    example: str
    """The name of a file, for messages."""
    pattern: re.Pattern[str]
    """The form of the names. Its groups are `code`, `person` and the further columns."""
    emotions: Mapping[str, str]
    """The emotions by their codes."""

    def read(self, tree: FileTree, names: Sequence[str], labels: LabelReader) -> Layout:
        """Return the images of the data set; see `Read`. A few images of other names are counted and left out.

        Raises:
            InputError: an image lies in a folder that names another emotion than its file.
        """
        check_names(names, self.pattern, self.example)
        images = [name for name in names if is_image(name)]
        entries = [
            self._entry(name, folders, match)
            for name, (folders, file) in zip(images, map(split_path, images), strict=True)
            if (match := self.pattern.match(file))
        ]
        for entry in entries:
            self._check_folders(tree.name, entry, labels)
        others = len(images) - len(entries)
        skipped = count_skipped(name for name in names if not is_image(name))
        return Layout(
            self.name, entries, self._columns, skipped | ({"images of other names": others} if others else {})
        )

    def _check_folders(self, source: str, entry: Entry, labels: LabelReader) -> None:
        for folder in split_path(entry.image)[0]:
            if labels.knows(folder) and labels.read(folder) != entry.emotion:
                raise InputError(
                    f"{source}: {entry.image}: its name means {entry.emotion}, as in {self.name}, and its folder "
                    f"means {labels.read(folder)}. Move the images to folders of their emotions, or rename them where "
                    "the folders are right"
                )

    @property
    def _columns(self) -> tuple[str, ...]:
        return tuple(name for name in self.pattern.groupindex if name not in ("code", "person"))

    def _entry(self, name: str, folders: Sequence[str], match: re.Match[str]) -> Entry:
        columns = tuple(match[column].upper() for column in self._columns)
        code = match["code"].upper()
        return Entry(name, self.emotions[code], split_of_folders(folders), code, person_of(match), columns=columns)


def person_of(match: re.Match[str]) -> str:
    """Return the person in the name of a file: sex, where the name has it, and number or letters."""
    return (match.groupdict().get("sex", "") + match["person"]).upper()


CODES = {"AN": "angry", "DI": "disgust", "HA": "happy", "NE": "neutral", "SA": "sad", "SU": "surprise"}

JAFFE = NamedFiles(
    "JAFFE",
    "KA.AN1.39.tiff",
    re.compile(r"(?P<person>[A-Z]{2})\.(?P<code>AN|DI|FE|HA|NE|SA|SU)\d\.\d+\.", re.IGNORECASE),
    CODES | {"FE": "fear"},
)

KDEF = NamedFiles(
    "KDEF",
    "AF01ANS.JPG",
    re.compile(
        r"(?P<session>[AB])(?P<sex>[FM])(?P<person>\d\d)(?P<code>AF|AN|DI|HA|NE|SA|SU)(?P<view>S|HL|HR|FL|FR)\.",
        re.IGNORECASE,
    ),
    CODES | {"AF": "fear"},
)
"""The sessions A and B show the same people, so the group has sex and number alone."""
