"""Annotated images as files. They never overwrite an image that was not made here."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from emotion.app.outputs import free_name, removed_if_empty
from emotion.app.predict.stored_files import ImageFile
from emotion.core.errors import InputError, is_disk_full
from emotion.core.files import atomic_path
from emotion.core.stores import Location
from emotion.faces.detection import Box
from emotion.inference.annotation import annotate
from emotion.inference.predictor import Face
from emotion.inference.stream_address import is_address

JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")
JPEG_QUALITY = 92

MARK = "boxed by emotion predict"
"""The comment in each file's header. Only files with it are overwritten."""

HEADER_BYTES = 4096

LEAST_SIDE = 240
"""Pixels of the shorter side below which images are enlarged, so that labels can be read."""

MOST_ENLARGED_SIDE = 2000
"""Pixels of the longer side of an enlarged image at most."""


@contextmanager
def planned_targets(files: Sequence[ImageFile], folder: Path | None) -> Iterator[Mapping[Location, Path]]:
    """Yield what `plan_targets` returns, or nothing without a folder. An error in the block leaves no empty folder."""
    if folder is None:
        yield {}
        return
    with removed_if_empty(folder):
        yield plan_targets(files, folder)


def plan_targets(files: Sequence[ImageFile], folder: Path) -> dict[Location, Path]:
    """Return the path in `folder` of the annotated image of each file. Subfolders stay as they are.

    JPEG files stay JPEG. All others become PNG. A name that is taken gets a number.

    Returns:
        Paths of the new files, by the path of each file without a problem.

    Raises:
        InputError: `folder` is an address or cannot be made, or a file that was not made here would be overwritten.
    """
    if is_address(str(folder)):
        raise InputError("--annotate: got an address, expected a folder of this machine, such as boxed")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--annotate: the folder {folder} cannot be made ({error.strerror}); name another folder"
        ) from None
    taken: dict[str, int] = {}
    targets = {file.path: folder / free_name(_target_name(file.relative), taken) for file in files if not file.problem}
    originals = {path.resolve() for path in targets if isinstance(path, Path)}
    for target in targets.values():
        if target.resolve() in originals or not _is_ours(target):
            raise InputError(
                f"--annotate would overwrite {target}, which is an image to read or no result of an earlier run; name "
                "a new folder"
            )
    return targets


def encode_annotated(image: np.ndarray, faces: Sequence[Face], target: Path) -> bytes:
    """Return the annotated image as the bytes of a file, in the format that the suffix of `target` names.

    Args:
        image: uint8 (height, width, 1 or 3); small ones are enlarged.
        faces: in pixels of `image`.
        target: the file's name.
    """
    factor = _enlargement(image)
    enlarged = image.repeat(factor, axis=0).repeat(factor, axis=1) if factor > 1 else image
    boxes = [Box(*(factor * number for number in face.box)) for face in faces]
    annotated = annotate(enlarged, [replace(face, box=box) for face, box in zip(faces, boxes, strict=True)])
    content = io.BytesIO()
    if target.suffix.lower() in JPEG_SUFFIXES:
        Image.fromarray(annotated).save(content, "JPEG", quality=JPEG_QUALITY, comment=MARK)
    else:
        Image.fromarray(annotated).save(content, "PNG", pnginfo=_png_mark())
    return content.getvalue()


def write_annotated(target: Path, content: bytes) -> None:
    """Write an annotated image, all of it or nothing.

    Raises:
        InputError: it cannot be written.
        OSError: the disk is full.
    """
    try:
        with atomic_path(target, durable=False) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        if is_disk_full(error):
            raise
        raise InputError(
            f"{target} cannot be written ({error.strerror}); name another folder with --annotate"
        ) from None


def _target_name(name: Path) -> Path:
    return name if name.suffix.lower() in (*JPEG_SUFFIXES, ".png") else name.with_suffix(".png")


def _is_ours(target: Path) -> bool:
    """Return whether `target` is free, or an image that was made here."""
    if not target.exists() and not target.is_symlink():
        return True
    if target.is_symlink() or not target.is_file():
        return False
    with suppress(OSError), target.open("rb") as file:
        return MARK.encode() in file.read(HEADER_BYTES)
    return False


def _enlargement(image: np.ndarray) -> int:
    """Return the whole number by which an image is enlarged, 1 for none."""
    height, width = image.shape[:2]
    shorter, longer = min(height, width), max(height, width)
    enlargement: int = max(1, min(-(-LEAST_SIDE // shorter), MOST_ENLARGED_SIDE // longer))
    return enlargement


def _png_mark() -> PngInfo:
    info = PngInfo()
    info.add_text("Comment", MARK)
    return info
