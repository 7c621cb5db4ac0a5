"""Opening of the source that params.yaml names. Errors tell users where to get one."""

from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from emotion.core.errors import InputError
from emotion.core.folder_walk import Kind, explain_closed, walk
from emotion.core.stores import Location, StoreAddress
from emotion.data.file_formats import identify
from emotion.data.images import is_image
from emotion.ingest.ferplus import is_ferplus
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.file_source import may_be_source, open_file, open_tree
from emotion.ingest.sources.forms import read_head
from emotion.ingest.sources.layouts.manifest import find_manifests, read_manifest
from emotion.ingest.sources.layouts.manifest_table import is_manifest
from emotion.ingest.sources.layouts.paths import LABEL_SUFFIXES
from emotion.ingest.sources.layouts.readers import fits, read_files
from emotion.ingest.sources.layouts.split_manifests import find_splits, read_manifests
from emotion.ingest.sources.source import Source
from emotion.ingest.sources.split_archives import are_splits, merge
from emotion.ingest.sources.stores import is_wrapper, open_in_store
from emotion.ingest.sources.system_files import is_hidden
from emotion.ingest.sources.trees import FolderTree

SUFFIXES = (".csv", ".csv.gz", ".zip", ".tar", ".tar.gz", ".tgz")
"""Suffixes of files that may be a source."""

HOW_TO_GET_IMAGES = (
    "Get FER2013 from Kaggle (the challenge challenges-in-representation-learning-facial-expression-recognition-"
    "challenge: fer2013.tar.gz; or the data set msambare/fer2013: archive.zip) and put the file there as it is, "
    "or run the drawn sample instead: `emotion preset sample`"
)


def open_source(folder: Location, file: str | None, labels: LabelReader) -> Source:
    """Return the source in `folder`: its only archive, CSV file or tree of class folders, or the one named `file`.

    Raises:
        InputError: there is no source, or several and `file` is None; its layout is unknown; it lies behind a link to
            a folder; or a folder cannot be listed. It is also raised where a store cannot be used.
    """
    if isinstance(folder, StoreAddress):
        return open_in_store(folder, file, labels)
    if not folder.exists():
        raise InputError(f"the source folder {folder} (source.folder) does not exist. {HOW_TO_GET_IMAGES}")
    if not folder.is_dir():
        raise InputError(
            f"source.folder: got {folder}, which is no folder. Set source.folder to {folder.parent}, and source.file "
            f"to {folder.name}"
        )
    try:
        paths = _choose(folder, file, labels)
        if len(paths) > 1:
            return _open_splits(folder, paths, labels)
        return _open(folder, paths[0], labels)
    except PermissionError as error:
        raise InputError(explain_closed(str(error.filename))) from None


def _choose(folder: Path, file: str | None, labels: LabelReader) -> list[Path]:
    """Return the path of the source, or the paths of the archives that hold a split each."""
    if file is not None:
        return [_find_named(folder, file)]
    candidates = find_candidates(folder, labels)
    if not candidates:
        raise InputError(f"the source folder {folder} (source.folder) holds no images. {HOW_TO_GET_IMAGES}")
    if len(candidates) > 1 and not (are_splits(candidates) or _are_manifests(folder, candidates)):
        raise _refuse_several(folder, candidates)
    return candidates


def _refuse_several(folder: Path, candidates: Sequence[Path]) -> InputError:
    names = ", ".join(_name_candidate(folder, path) for path in candidates)
    return InputError(f"{folder} holds several sources: {names}, expected one; set source.file to one of them")


def _are_manifests(folder: Path, paths: Sequence[Path]) -> bool:
    """Return whether the paths are manifests with a split each."""
    return bool(find_splits(_relative(folder, paths))) and all(path.is_file() and is_manifest(path) for path in paths)


def _relative(folder: Path, paths: Sequence[Path]) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


def _open_splits(folder: Path, paths: Sequence[Path], labels: LabelReader) -> Source:
    if _are_manifests(folder, paths):
        _refuse_folder_links(folder, folder)
        return open_tree(FolderTree(folder), labels, partial(read_manifests, files=_relative(folder, paths)))
    tree = merge(paths[0].parent, paths, labels)
    if tree is None:
        raise _refuse_several(folder, paths)
    return open_tree(tree, labels)


def find_candidates(folder: Path, labels: LabelReader) -> list[Path]:
    """Return what may be a source: a folder of images, then archives, tables of pixels and manifests by name.

    Outer folders with a single folder in them are left out, except where label files lie in them. The folder is no
    source where a manifest names its images and no reader knows their layout. Other tables beside images
    describe these.
    """
    base, inner, files = _descend(folder, labels)
    tree = FolderTree(base)
    names = tree.list().names
    has_images = any(map(is_image, names))
    # Images in a manifest may have any names.
    manifests = [base / name for name in find_manifests(tree, names)] if has_images or not files else []
    if has_images or manifests:
        own = [] if manifests and not fits(tree, names, labels) else [base]
        return [*own, *sorted({*files, *manifests})]
    items = _list_items(inner)
    folders = any(path.is_dir() for path in items)
    if files or folders:
        return files or [base]
    # Their content is refused by name.
    return [path for path in items if path.name.lower().endswith(SUFFIXES) or _has_known_form(path)]


def _descend(folder: Path, labels: LabelReader) -> tuple[Path, Path, list[Path]]:
    """Return the outermost folder that has label files, the innermost one, and the files in it that may be a source.

    Where no outer folder has label files, the first is the innermost, too.
    """
    items = _list_items(folder)
    folders = [path for path in items if path.is_dir()]
    # To open each of many images would take seconds.
    files = [path for path in items if not is_image(path.name) and path not in folders and may_be_source(path)]
    if len(folders) != 1 or files or not _wraps(folders[0], labels):
        return folder, folder, files
    base, inner, files = _descend(folders[0], labels)
    has_labels = any(path.name.lower().endswith(LABEL_SUFFIXES) for path in items)
    return folder if has_labels else base, inner, files


def _list_items(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not is_hidden(path.name) and not is_ferplus(path.name))


def _wraps(folder: Path, labels: LabelReader) -> bool:
    return is_wrapper(folder.name, labels, is_doubled=(folder / folder.name).is_dir())


def _has_known_form(path: Path) -> bool:
    return path.is_file() and identify(read_head(path)) is not None


def _find_named(folder: Path, file: str) -> Path:
    path = folder / file
    if not path.exists():
        names = ", ".join(sorted(item.name for item in folder.iterdir() if not is_hidden(item.name)))
        raise InputError(
            f"{path} (source.folder and source.file) does not exist; {folder} holds {names or 'nothing'}. Set "
            "source.file to one of them"
        )
    return path


def _name_candidate(folder: Path, path: Path) -> str:
    name = path.relative_to(folder).as_posix()
    if path.is_dir():
        return f"{name} (the class folders)"
    return f"{name} (a manifest)" if is_manifest(path) else name


def _open(folder: Path, path: Path, labels: LabelReader) -> Source:
    if path.is_file() and is_manifest(path):
        _refuse_folder_links(folder, folder)
        read = partial(read_manifest, file=path.relative_to(folder).as_posix())
        return open_tree(FolderTree(folder), labels, read)
    _refuse_folder_links(folder, path)
    return open_tree(FolderTree(path), labels, read_files) if path.is_dir() else open_file(path, labels)


def _refuse_folder_links(folder: Path, path: Path) -> None:
    """Raise InputError where a link to a folder leads to `path` in `folder`, or to anything below `path`.

    DVC sees changes behind a link to a file and behind `folder` itself, but not behind such a link.
    """
    above = [part for part in (path, *path.parents) if part != folder and part.is_relative_to(folder)]
    below = walk(str(path)) if path.is_dir() else ()
    links = (Path(item.path) for item in below if item.kind is Kind.FOLDER_LINK and not is_hidden(item.name))
    for item in chain((part for part in above if part.is_symlink() and part.is_dir()), links):
        raise InputError(explain_folder_link(item, folder))


def explain_folder_link(link: Path, folder: Path) -> str:
    """Return the message on a link to a folder inside `folder`, with the way out."""
    return (
        f"{link} is a link to the folder {link.readlink()}, and DVC does not see changes behind it. Move the folder "
        f"into {folder}, or set source.folder to {link.resolve()}"
    )
