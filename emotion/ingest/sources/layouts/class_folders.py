"""Images in class folders. Their paths name emotion and split."""

from collections.abc import Sequence

from emotion.core.emotion_names import KNOWN_EMOTIONS
from emotion.data.images import is_image
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.layouts.layout import Layout, OtherLayoutError
from emotion.ingest.sources.source import SPLIT_NAMES, Entry
from emotion.ingest.sources.trees import FileTree

NAME = "class folders"


def read(tree: FileTree, names: Sequence[str], labels: LabelReader) -> Layout:
    """Return the images in class folders; see `Read`."""
    return Layout(NAME, parse_layout(tree.name, names, labels))


def parse_layout(source: str, names: Sequence[str], labels: LabelReader) -> list[Entry]:
    """Return the images among the files `names` (paths relative to the source), with emotion and split.

    The known layouts are `<emotion>/<file>` and `<split>/<emotion>/<file>`, inside any number of folders with nothing
    else in them. In a test folder, files whose names begin with PublicTest are validation images.

    Raises:
        OtherLayoutError: the layout is unknown. The message names its folders.
    """
    folders = sorted({name.rpartition("/")[0] for name in names})
    kinds = _folder_kinds(source, folders, labels)
    entries = []
    stray = []
    for name in names:
        folder, _, file = name.rpartition("/")
        kind = kinds[folder]
        if kind is not None:
            entries.append(Entry(name, kind[0], split_of_file(kind[1], file), folder.rpartition("/")[2]))
        elif is_image(file):
            stray.append(name)
    if stray:
        raise OtherLayoutError(_layout_message(source, f"images outside of class folders: {_shorten(stray)}"))
    return entries


Kind = tuple[str, str | None]
"""The emotion and the split of the images in a folder."""


def _folder_kinds(source: str, folders: Sequence[str], labels: LabelReader) -> dict[str, Kind | None]:
    """Return the kind of each folder with files; None for a folder that is not a class folder."""
    wrapper = _find_wrapper(folders, labels)
    paths = {folder: _below(wrapper, folder) for folder in folders}
    outer = sorted({path[0] for path in paths.values() if path})
    splits = {name: split_of(name) for name in outer}
    depth = 1
    if outer and all(splits.values()):
        depth = 2
    classes = sorted({path[depth - 1] for path in paths.values() if len(path) >= depth})
    emotions = _parse_emotions(source, classes, labels)
    too_deep = [folder for folder, path in paths.items() if len(path) > depth]
    if too_deep:
        raise OtherLayoutError(_layout_message(source, f"folders inside of class folders: {_shorten(too_deep)}"))
    return {
        folder: (emotions[path[-1]], splits[path[0]]) if len(path) == depth else None for folder, path in paths.items()
    }


def _below(wrapper: str, folder: str) -> list[str]:
    """Return the parts of a folder's path below `wrapper`; none for `wrapper` and its parents."""
    return [part for part in (folder + "/")[len(wrapper) :].split("/") if part]


def _find_wrapper(folders: Sequence[str], labels: LabelReader) -> str:
    """Return the path of the outer folders that hold only one further folder, with a / behind each."""
    wrapper = ""
    while True:
        inside = {path[0] for path in (_below(wrapper, folder) for folder in folders) if path}
        if len(inside) != 1:
            return wrapper
        folder = inside.pop()
        if split_of(folder) or labels.knows(folder):
            return wrapper
        wrapper += folder + "/"


def split_of(folder: str) -> str | None:
    """Return the split that the name of a folder means, or None."""
    return SPLIT_NAMES.get(folder.lower().replace(" ", "").replace("_", "").replace("-", ""))


def split_of_file(split: str | None, file: str) -> str | None:
    """Return the split of a file in a folder of `split`.

    FER2013's folder `test` holds two splits, which the names of the files distinguish.
    """
    if split == "test" and file.lower().startswith("publictest"):
        return "val"
    return split


def _parse_emotions(source: str, folders: Sequence[str], labels: LabelReader) -> dict[str, str]:
    unknown = [folder for folder in folders if not labels.knows(folder)]
    if not folders:
        raise OtherLayoutError(_layout_message(source, "no folder with images in it"))
    if unknown:
        raise OtherLayoutError(
            _layout_message(source, f"the folders {_shorten(folders)}; not known: {_shorten(unknown)}")
        )
    return {folder: labels.read(folder) for folder in folders}


def _layout_message(source: str, actual: str) -> str:
    return (
        f"{source}: the layout is unknown. Expected a folder per emotion ({', '.join(KNOWN_EMOTIONS)}), or such "
        f"folders inside train, validation and test; found {actual}. Rename or move the folders"
    )


def _shorten(names: Sequence[str], at_most: int = 12) -> str:
    more = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return ", ".join(names[:at_most]) + more
