"""Boxed images as files: under names of their own, never over an image that was not made here."""

import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from emotion.app.predict.image_files import ImageFile
from emotion.core.errors import InputError, is_disk_full
from emotion.faces.detection import Box
from emotion.inference.annotation import annotate
from emotion.inference.predictor import Face

JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")
JPEG_QUALITY = 92

MARK = "boxed by emotion predict"
"""Stands in each file's header, so that those of an earlier run, and no others, are written over."""

HEADER_BYTES = 4096

SMALLEST_SIDE = 240
"""Images whose shorter side has fewer pixels are enlarged, since no label could be read on them."""

LARGEST_ENLARGED = 2000
"""Pixels of the longer side beyond which nothing is enlarged."""


def plan(files: Sequence[ImageFile], folder: Path) -> dict[Path, Path]:
    """Return where the boxed image of each file goes: below `folder`, as it lies below the folder that was named.

    JPEG files stay JPEG, all others become PNG. Where two would have one name, the later gets a number.

    Returns:
        the new file's path by the path of each file without a problem.

    Raises:
        InputError: `folder` cannot be made, or what was not made here would be written over.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--annotate {folder}: this folder cannot be made: {error.strerror}") from None
    taken: dict[str, int] = {}
    targets = {file.path: folder / _free_name(_new_name(file.inner), taken) for file in files if not file.problem}
    originals = {path.resolve() for path in targets}
    for target in targets.values():
        if target.resolve() in originals or not _is_ours(target):
            raise InputError(
                f"--annotate would write over {target}, which is no boxed image of an earlier run, or is to be read "
                "now; name another folder, best a new one"
            )
    return targets


def draw(image: np.ndarray, faces: Sequence[Face], target: Path) -> bytes:
    """Return the boxed image as the bytes of a file, in the format that the suffix of `target` names.

    Args:
        image: uint8 (height, width, 1 or 3); small ones are enlarged.
        faces: in pixels of `image`.
        target: the file's name.
    """
    times = _enlargement(image)
    enlarged = image.repeat(times, axis=0).repeat(times, axis=1) if times > 1 else image
    boxes = [Box(*(times * number for number in face.box)) for face in faces]
    drawn = annotate(enlarged, [replace(face, box=box) for face, box in zip(faces, boxes, strict=True)])
    content = io.BytesIO()
    if target.suffix.lower() in JPEG_SUFFIXES:
        Image.fromarray(drawn).save(content, "JPEG", quality=JPEG_QUALITY, comment=MARK)
    else:
        Image.fromarray(drawn).save(content, "PNG", pnginfo=_png_mark())
    return content.getvalue()


def write(target: Path, content: bytes) -> None:
    """Write a boxed image: the whole of it or nothing.

    Not `atomic_path`, which lists the folder for each file: among thousands of images that takes longer than they.

    Raises:
        InputError: it cannot be written.
        OSError: the disk is full.
    """
    temporary = target.with_name(f".partial-{crc32(str(target).encode(errors='surrogateescape')):08x}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if is_disk_full(error):
            raise
        raise InputError(f"{target} cannot be written: {error.strerror}") from None


def _new_name(name: Path) -> Path:
    return name if name.suffix.lower() in (*JPEG_SUFFIXES, ".png") else name.with_suffix(".png")


def _free_name(name: Path, taken: dict[str, int]) -> Path:
    """Return `name`, or where it is taken one with a number; some systems do not tell A from a."""
    free, first = name, str(name).casefold()
    while str(free).casefold() in taken:
        taken[first] += 1
        free = name.with_name(f"{name.stem}-{taken[first]}{name.suffix}")
    taken[str(free).casefold()] = 1
    return free


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
    """Return how many times as large an image is drawn, a whole number."""
    shorter, longer = sorted(image.shape[:2])
    return max(1, min(-(-SMALLEST_SIDE // shorter), LARGEST_ENLARGED // longer))


def _png_mark() -> PngInfo:
    info = PngInfo()
    info.add_text("Comment", MARK)
    return info
