"""Folders that lie a second time inside of themselves, as in `images/images/train` beside `images/train`."""

from collections import Counter
from collections.abc import Sequence

from emotion.core.errors import InputError
from emotion.data.images import ImageError
from emotion.ingest.sources.trees import FileTree

COMPARED = 16
"""Number of files of which both copies are read, to see whether they are equal."""


def find_doubled(tree: FileTree, names: Sequence[str]) -> set[str]:
    """Return the files in folders that repeat, name by name, what the folder of the same name around them holds.

    Raises:
        InputError: files of the same names differ.
    """
    outer = {
        (name, end): "/".join([*folders[:end], *folders[end + 1 :], file])
        for name in names
        for *folders, file in [name.split("/")]
        for end in range(1, len(folders))
        if folders[end] == folders[end - 1]
    }
    if not outer:
        return set()
    known = set(names)
    inner = {(name, end): "/".join(name.split("/")[: end + 1]) for name, end in outer}
    files = Counter(inner.values())
    repeated = Counter(inner[place] for place, other in outer.items() if other in known)
    pairs = {place[0]: other for place, other in outer.items() if repeated[inner[place]] == files[inner[place]]}
    _compare(tree, list(pairs.items()))
    return set(pairs)


def _compare(tree: FileTree, pairs: Sequence[tuple[str, str]]) -> None:
    step = max(1, len(pairs) // COMPARED)
    for one, other in pairs[::step]:
        try:
            equal = tree.read(one) == tree.read(other)
        except ImageError:
            continue
        if not equal:
            raise InputError(
                f"{tree.name}: {one} and {other} have the same name below folders of the same name, and differ. Remove "
                "one of the two folders, or rename the inner one"
            )
