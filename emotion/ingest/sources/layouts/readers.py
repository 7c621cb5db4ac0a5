"""All readers of layouts, and the choice of the one that fits."""

from collections.abc import Mapping, Sequence

from emotion.core.errors import InputError
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.layouts import affectnet, ckplus, class_folders, expw, ferplus_folders, rafdb
from emotion.ingest.sources.layouts.layout import Layout, OtherLayoutError, Read
from emotion.ingest.sources.layouts.named_files import JAFFE, KDEF
from emotion.ingest.sources.trees import FileTree

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


def read_layout(tree: FileTree, names: Sequence[str], labels: LabelReader) -> Layout:
    """Return the images of `tree` by the first reader whose layout they have.

    Raises:
        InputError: no reader knows the layout. The message has what each of them misses.
    """
    missed = []
    for name, read in READERS.items():
        try:
            return read(tree, names, labels)
        except OtherLayoutError as error:
            missed.append(f"{name}: {error}")
    raise InputError(
        f"{tree.name}: the layout is unknown. The readers tried, and what each of them misses:\n  "
        + "\n  ".join(missed)
        + "\nFor every other layout write a manifest: a CSV or Parquet file with the columns image and emotion, beside "
        "the images"
    )
