"""All readers of layouts, and the choice of the one that fits."""

from collections.abc import Mapping, Sequence

from emotion.core.errors import InputError
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.layouts import affectnet, ckplus, class_folders, expw, ferplus_folders, rafdb
from emotion.ingest.sources.layouts.layout import Layout, OtherLayoutError, Read
from emotion.ingest.sources.layouts.manifest import NAME, explain_lack, find_manifests, read_manifest
from emotion.ingest.sources.layouts.named_files import JAFFE, KDEF
from emotion.ingest.sources.layouts.split_manifests import find_splits, read_manifests
from emotion.ingest.sources.trees import FileTree


class UnknownLayoutError(InputError):
    """No reader knows the layout of a tree of files."""


READERS: Mapping[str, Read] = {
    rafdb.NAME: rafdb.read,
    affectnet.NAME: affectnet.read,
    expw.NAME: expw.read,
    ferplus_folders.NAME: ferplus_folders.read,
    JAFFE.name: JAFFE.read,
    KDEF.name: KDEF.read,
    ckplus.NAME: ckplus.read,
    class_folders.NAME: class_folders.read,
}
"""The readers in the order in which they are tried: those of data sets with their own signs come first."""


WRITE_A_MANIFEST = (
    "For every other layout write a manifest: a CSV or Parquet file beside the images, with the columns image and "
    "emotion and, where you have them, split, group, x, y, width and height"
)


def read_layout(tree: FileTree, names: Sequence[str], labels: LabelReader) -> Layout:
    """Return the images of an archive by its manifest, or by the first reader whose layout they have.

    Raises:
        InputError: no reader knows the layout, and the message has what each of them misses; or a manifest and a reader
            do, or there are several manifests.
    """
    manifests = find_manifests(tree, names)
    if not manifests:
        return read_files(tree, names, labels)
    splits = find_splits(manifests)
    if (len(manifests) > 1 and not splits) or fits(tree, names, labels):
        raise InputError(
            f"{tree.name} holds several sources: {', '.join(manifests)}{'' if len(manifests) > 1 else ' and folders'}, "
            "expected one. Unpack it into source.folder and set source.file to one of them, or to . for the folders"
        )
    if splits:
        return read_manifests(tree, names, labels, manifests)
    return read_manifest(tree, names, labels, manifests[0])


def fits(tree: FileTree, names: Sequence[str], labels: LabelReader) -> bool:
    """Return whether the images have the layout of a reader, also where something in it cannot be used."""
    try:
        read_files(tree, names, labels)
    except UnknownLayoutError:
        return False
    except InputError:
        return True
    return True


def read_files(tree: FileTree, names: Sequence[str], labels: LabelReader) -> Layout:
    """Return the images of `tree` by the first reader whose layout they have; manifests are label files like others.

    Raises:
        UnknownLayoutError: no reader knows the layout. The message has what each of them misses.
        InputError: something in a known layout cannot be used.
    """
    missed = []
    for name, read in READERS.items():
        try:
            return read(tree, names, labels)
        except OtherLayoutError as error:
            missed.append(f"{name}: {error}")
    missed.append(f"{NAME}: {explain_lack(tree, names)}")
    raise UnknownLayoutError(
        f"{tree.name}: the layout is unknown. The readers tried, and what each of them misses:\n  "
        + "\n  ".join(missed)
        + f"\n{WRITE_A_MANIFEST}"
    )
