"""Images in class folders. The folders of their paths name emotion, split, and person or sequence."""

from collections.abc import Sequence

from emotion.core.emotion_names import KNOWN_EMOTIONS, suggest
from emotion.core.errors import InputError
from emotion.data.images import is_image
from emotion.ingest.label_reader import NUMBERINGS, BareNumberError, LabelReader, explain_numbers, parse_number
from emotion.ingest.sources.layouts.doubled import find_doubled
from emotion.ingest.sources.layouts.layout import Layout, OtherLayoutError
from emotion.ingest.sources.layouts.paths import count_skipped, list_some, read_splits, split_path
from emotion.ingest.sources.layouts.people import find_person
from emotion.ingest.sources.source import Entry, split_of
from emotion.ingest.sources.trees import FileTree

NAME = "class folders"

SHOWN = 12
"""Number of folders that a message names."""

Path = tuple[str, ...]
"""The folders of an image, from the outside to the inside."""


def read(tree: FileTree, names: Sequence[str], labels: LabelReader) -> Layout:
    """Return the images in class folders; see `Read`."""
    images = [name for name in names if is_image(name)]
    if not images:
        raise OtherLayoutError(f"no files with the suffix of an image, such as .jpg; found {list_some(names, 3)}")
    doubled = find_doubled(tree, images)
    entries = parse_folders(tree.name, [name for name in images if name not in doubled], labels)
    skipped = count_skipped(name for name in names if not is_image(name))
    return Layout(NAME, entries, skipped=skipped | ({"doubled files": len(doubled)} if doubled else {}))


def parse_folders(source: str, images: Sequence[str], labels: LabelReader) -> list[Entry]:
    """Return the images, whose paths are relative to the source, with what their folders say.

    The folders of one level name the emotions, and those of another one may name the splits. Folders that vary at
    other levels are persons or sequences, and become the group. Where the name of a file has the person, that counts.
    In a test folder, files whose names begin with PublicTest are validation images.

    Raises:
        OtherLayoutError: no level has known emotions, or images lie outside of them.
        InputError: a class folder is a number without a meaning, or seems to misspell an emotion.
    """
    paths = sorted({split_path(name)[0] for name in images})
    kinds = _FolderKinds(source, paths, labels)
    entries = []
    for name in images:
        path, file = split_path(name)
        label, emotion, split, group = kinds.of[path]
        entries.append(Entry(name, emotion, split_of_file(split, file), label, find_person(file) or group))
    return entries


def split_of_file(split: str | None, file: str) -> str | None:
    """Return the split of a file in a folder of `split`.

    FER2013's folder `test` holds two splits, which the names of the files distinguish.
    """
    if split == "test" and file.lower().startswith("publictest"):
        return "val"
    return split


class _FolderKinds:
    """The meaning of every folder with images.

    Attributes:
        of: label, emotion, split and group by the path of a folder.
    """

    def __init__(self, source: str, paths: Sequence[Path], labels: LabelReader) -> None:
        self._source = source
        self._paths = paths
        self._labels = labels
        self._levels = [
            sorted({path[level] for path in paths if len(path) > level})
            for level in range(max(map(len, paths), default=0))
        ]
        self._class_levels = self._find_class_levels()
        first = self._class_levels[0]
        stray = ["/".join(path) for path in paths if len(path) <= first]
        if stray:
            raise OtherLayoutError(f"images outside of class folders: in {list_some(stray)}")
        self._emotions = self._read_emotions(self._levels[first])
        self._check_agreement()
        others = [level for level in range(len(self._levels)) if level not in self._class_levels]
        splits = {level: read_splits(self._levels[level]) for level in others}
        self._split_levels = {level: names for level, names in splits.items() if names is not None}
        self._group_levels = [level for level in others if splits[level] is None and self._varies(level)]
        self.of = {path: self._kind(path) for path in paths}

    def _varies(self, level: int) -> bool:
        return len(self._levels[level]) > 1 or self._is_missing(level)

    def _is_missing(self, level: int) -> bool:
        """Return whether some path has no folder at this level."""
        return any(len(path) <= level for path in self._paths)

    def _find_class_levels(self) -> list[int]:
        """Return the levels whose folders name emotions: one, or several that say the same."""
        shares = [sum(map(self._names_emotion, names)) / len(names) for names in self._levels]
        if not any(shares):
            return [self._find_numbers()]
        most = [level for level, share in enumerate(shares) if share == max(shares)]
        # Outer folders that hold all images say nothing, whatever their names.
        first = next((level for level in range(len(shares)) if self._varies(level)), 0)
        chosen = [level for level in most if level >= first] or most[:1]
        return sorted(chosen, key=self._is_missing)

    def _names_emotion(self, name: str) -> bool:
        return parse_number(name) is None and self._labels.knows(name)

    def _is_known(self, name: str) -> bool:
        return _class_number(name) is not None and self._labels.knows(name)

    def _find_numbers(self) -> int:
        """Return the level whose folders are the numbers of emotions."""
        numbers = {
            level: [number for number in map(_class_number, names) if number is not None]
            for level, names in enumerate(self._levels)
        }
        levels = [level for level, found in numbers.items() if len(found) * 2 > len(self._levels[level])]
        varying = [level for level in levels if self._varies(level)] or levels
        if self._labels.numbering is not None:
            known = [level for level in varying if any(map(self._is_known, self._levels[level]))]
            full = [level for level in known if all(map(self._is_known, self._levels[level]))] or known
            if len(full) > 1:
                found = "; ".join(list_some(self._levels[level]) for level in full)
                raise OtherLayoutError(f"folders of several levels are numbers of emotions: {found}")
            if full:
                return full[0]
        for level in sorted(varying, key=lambda level: (self._is_missing(level), -level)):
            if any({number for number, _ in pairs} >= set(numbers[level]) for pairs in NUMBERINGS.values()):
                if self._labels.numbering is None:
                    raise explain_numbers(self._source, self._levels[level])
                return level
        folders = sorted({name for names in self._levels for name in names if not split_of(name)})
        shown = [name + suggest(name, self._labels.own) for name in folders[:SHOWN]] + folders[SHOWN:]
        raise OtherLayoutError(
            f"no folder is named after an emotion ({', '.join(KNOWN_EMOTIONS)}, one that labels.scheme names, or a "
            f"number of labels.numbers); the folders with images are {list_some(shown, SHOWN) or 'none'}"
            f"{self._explain_own(folders)}"
        )

    def _explain_own(self, folders: Sequence[str]) -> str:
        """Return how to name the user's own emotions, where `folders` may be such; else an empty text."""
        levels = [names for names in self._levels if not all(map(split_of, names))]
        words = all(name.isalpha() and not suggest(name, self._labels.own) for name in folders)
        if len(levels) != 1 or not words or not 2 <= len(folders) <= SHOWN:
            return ""
        return f". If these are emotions of your own, set labels.scheme: [{', '.join(folders)}] in params.yaml"

    def _read_emotions(self, names: Sequence[str]) -> dict[str, str]:
        splits = [name for name in names if split_of(name)]
        if splits:
            raise OtherLayoutError(f"the folders {list_some(splits)} lie beside class folders ({list_some(names)})")
        try:
            return {name: self._labels.read(name) for name in names}
        except BareNumberError:
            raise explain_numbers(self._source, names) from None
        except InputError as error:
            raise InputError(f"{self._source}: a class folder: {error}; rename the folder") from None

    def _check_agreement(self) -> None:
        """Raise OtherLayoutError where a path names two emotions, as `happy/sad` does."""
        first, *others = self._class_levels
        for path in self._paths:
            for level in others:
                if len(path) > level and not self._means(path[level], self._emotions[path[first]]):
                    raise OtherLayoutError(f"the folders {'/'.join(path)} name two emotions")

    def _means(self, name: str, emotion: str) -> bool:
        return self._labels.knows(name) and self._labels.read(name) == emotion

    def _kind(self, path: Path) -> tuple[str, str, str | None, str]:
        label = path[self._class_levels[0]]
        splits = {names[path[level]] for level, names in self._split_levels.items() if len(path) > level}
        if len(splits) > 1 or (self._split_levels and not splits):
            raise OtherLayoutError(
                f"the folders {'/'.join(path)} name {'several splits' if splits else 'no split, as others do'}"
            )
        group = "/".join(path[level] for level in self._group_levels if len(path) > level)
        return label, self._emotions[label], splits.pop() if splits else None, group


def _class_number(name: str) -> int | None:
    """Return the number that a class folder may have; None for a name, and for a number such as 004."""
    return None if len(name) > 2 and name.startswith("0") else parse_number(name)
