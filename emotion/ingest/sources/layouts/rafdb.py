"""RAF-DB: a list of all labels, and images whose names begin with their split."""

from collections.abc import Iterable, Sequence

from emotion.core.errors import InputError
from emotion.data.images import is_image
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.layouts.layout import Layout, OtherLayoutError, choose_numbering, make_entry
from emotion.ingest.sources.layouts.paths import count_skipped, find_files, read_lines, stem_of
from emotion.ingest.sources.source import Entry, split_of
from emotion.ingest.sources.trees import FileTree

NAME = "RAF-DB"

LISTS = ("list_patition_label.txt", "list_partition_label.txt")
"""Names of the list. The first is the data set's own spelling."""

COMPOUND = "compound"
"""The folder of the part with mixed emotions, whose list has other numbers."""

ALIGNED = "_aligned"
"""End of the names of images that are cut to the face."""


def read(tree: FileTree, names: Sequence[str], labels: LabelReader) -> Layout:
    """Return the images of RAF-DB's list; see `Read`. Of one with an aligned and an original file, take the first."""
    lists = find_files(names, LISTS)
    if not lists:
        raise OtherLayoutError(f"no {LISTS[0]}")
    files = _index_images(names)
    lines = {name: read_lines(tree, name) for name in lists}
    fitting = [name for name in lists if any(stem_of(line.partition(" ")[0]) in files for line in lines[name])]
    if not fitting:
        raise OtherLayoutError(f"no image that {lists[0]} lists, in a folder aligned/ or original/")
    chosen = min(fitting, key=lambda name: COMPOUND in name.lower().split("/"))
    pairs = list(_parse_lines(f"{tree.name}: {chosen}", lines[chosen]))
    labels = choose_numbering(labels, "rafdb", f"{tree.name}: {chosen}", (label for _, label in pairs))
    entries = [_make_entry(labels, files, *pair) for pair in pairs]
    used = {chosen, *(entry.image for entry in entries)}
    return Layout(NAME, entries, skipped=count_skipped(name for name in names if name not in used))


def _parse_lines(source: str, lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for number, line in enumerate(lines, start=1):
        image, _, label = line.strip().rpartition(" ")
        if not image:
            raise InputError(f"{source}: line {number} is {line[:80]!r}, expected such as 'train_00001.jpg 5'")
        yield image.strip(), label


def _index_images(names: Sequence[str]) -> dict[str, str]:
    """Return the file of each image by its stem in the list."""
    images = [name for name in names if is_image(name)]
    aligned = {stem_of(name).removesuffix(ALIGNED): name for name in images if stem_of(name).endswith(ALIGNED)}
    return aligned or {stem_of(name): name for name in images}


def _make_entry(labels: LabelReader, files: dict[str, str], image: str, label: str) -> Entry:
    split = split_of(image.partition("_")[0])
    file = files.get(stem_of(image))
    if file is None:
        return make_entry(labels, image, label, split, fault="the list has it, and the file is missing")
    return make_entry(labels, file, label, split)
