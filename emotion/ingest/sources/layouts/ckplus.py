"""CK+ and CK+48: class folders whose files name person, sequence and frame."""

from collections.abc import Sequence
from dataclasses import replace

from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.layouts import class_folders
from emotion.ingest.sources.layouts.layout import Layout, OtherLayoutError
from emotion.ingest.sources.layouts.paths import check_names
from emotion.ingest.sources.layouts.people import CKPLUS_FILE
from emotion.ingest.sources.trees import FileTree

NAME = "CK+"


def read(tree: FileTree, names: Sequence[str], labels: LabelReader) -> Layout:
    """Return the images of CK+ in folders of emotions; see `Read`. The group is the person."""
    check_names(names, CKPLUS_FILE, "S010_004_00000017.png")
    try:
        return replace(class_folders.read(tree, names, labels), name=NAME)
    except OtherLayoutError as error:
        raise OtherLayoutError(
            f"the files are named as in CK+, and no folders of emotions hold them ({error}). The files *_emotion.txt "
            "of CK+ are not read: put the frames that you want into a folder for each emotion"
        ) from None
