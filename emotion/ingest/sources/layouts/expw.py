"""ExpW: photos, and a list of the faces in them."""

from collections.abc import Mapping, Sequence

from emotion.core.errors import InputError
from emotion.data.images import is_image
from emotion.faces.detection import Box
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.layouts.layout import Layout, OtherLayoutError, choose_numbering, make_entry
from emotion.ingest.sources.layouts.paths import count_skipped, find_files, read_lines, split_path
from emotion.ingest.sources.source import Entry
from emotion.ingest.sources.trees import FileTree

NAME = "ExpW"
LIST = "label.lst"
VALUES = 8
"""Number of values in a line."""

COLUMNS = ("face_id", "box_confidence")


def read(tree: FileTree, names: Sequence[str], labels: LabelReader) -> Layout:
    """Return the faces that the list names, each with its box; see `Read`. A photo may have several."""
    lists = find_files(names, (LIST,))
    if not lists:
        raise OtherLayoutError(f"no {LIST}")
    files = {split_path(name)[1]: name for name in names if is_image(name)}
    lines = [line.rsplit(maxsplit=VALUES - 1) for line in read_lines(tree, lists[0])]
    if not any(line[0] in files for line in lines if len(line) == VALUES):
        raise OtherLayoutError(f"no image that {lists[0]} lists, in a folder origin/")
    wrong = next((number for number, line in enumerate(lines, start=1) if len(line) != VALUES), None)
    if wrong:
        raise InputError(
            f"{tree.name}: {lists[0]}: line {wrong} has {len(lines[wrong - 1])} values, expected image, face, top, "
            "left, right, bottom, confidence and emotion"
        )
    labels = choose_numbering(labels, "fer2013", f"{tree.name}: {lists[0]}", (line[-1] for line in lines))
    entries = [_make_entry(labels, files, line) for line in lines]
    used = {lists[0], *(entry.image for entry in entries)}
    return Layout(NAME, entries, COLUMNS, count_skipped(name for name in names if name not in used))


def _make_entry(labels: LabelReader, files: Mapping[str, str], line: Sequence[str]) -> Entry:
    image, face, *corners, confidence, label = line
    file, columns = files.get(image), (face, confidence)
    if file is None:
        return Entry(image, "", None, label, columns=columns, fault="the list has it, and the file is missing")
    try:
        top, left, right, bottom = map(int, corners)
    except ValueError:
        return Entry(file, "", None, label, columns=columns, fault=f"the box {' '.join(corners)} is no box")
    box = Box(left, top, right - left, bottom - top)
    if min(box.width, box.height) < 1:
        return Entry(file, "", None, label, columns=columns, fault=f"the box {' '.join(corners)} is empty")
    return make_entry(labels, file, label, None, box=box, columns=columns)
