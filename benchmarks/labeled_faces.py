"""Photographs of faces, each with its emotion, and accuracy over them.

The photographs are `faces_wild/<emotion>/*.jpg`, in a folder or a tar file. Most are gray, of 350x350 pixels, and show
a head. Others are tight crops of faces, down to 24 pixels. Labels are noisy. Images of `disgust` are hardly
recognizable, and there are nine of `fear`. So the balanced accuracy is the mean over the five other emotions, and
figures compare methods rather than state an accuracy.
"""

import math
import tarfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from emotion.core.errors import InputError
from emotion.data.images import decode, is_image

BALANCED = ("angry", "happy", "sad", "surprise", "neutral")
"""The emotions of the balanced accuracy."""


LARGE = 200
"""Pixels of the shorter side of a photograph from which on it shows more than a tight crop of a face."""


class LabeledFace(NamedTuple):
    """A photograph of a face: uint8 (height, width, 1 or 3); and its emotion."""

    image: np.ndarray
    emotion: str


def read_labeled_faces(path: Path) -> list[LabeledFace]:
    """Return the photographs in a folder or a tar file, each labeled by its folder, in the order of their names.

    Raises:
        InputError: there is no such folder or file, or it holds no image.
    """
    contents = _read_folder(path) if path.is_dir() else _read_tar(path)
    faces = [LabeledFace(decode(contents[name]), PurePosixPath(name).parent.name) for name in sorted(contents)]
    if not faces:
        raise InputError(f"{path} holds no image; --faces-wild must name folders of images, one an emotion")
    return faces


def choose_large(faces: Sequence[LabeledFace]) -> list[LabeledFace]:
    """Return the photographs that are large enough to show what is around the face."""
    return [face for face in faces if min(face.image.shape[:2]) >= LARGE]


def _read_folder(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if is_image(path.name)]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _read_tar(path: Path) -> dict[str, bytes]:
    try:
        with tarfile.open(path) as archive:
            members = [member for member in archive if member.isfile() and is_image(member.name)]
            files = {member.name: archive.extractfile(member) for member in members}
            return {name: file.read() for name, file in files.items() if file is not None}
    except (OSError, tarfile.TarError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path}: {reason}; --faces-wild must name a folder or a tar file of images") from None


def measure_balanced(true: Sequence[str], predicted: Sequence[str | None]) -> dict[str, float]:
    """Return the mean recall over the BALANCED emotions that occur, and its standard error.

    Args:
        true: the emotion of each face.
        predicted: the predicted one; None, where there is no prediction, is wrong.

    Raises:
        ValueError: none of the emotions occurs.
    """
    right = np.array([one == other for one, other in zip(true, predicted, strict=True)], float)
    labels = np.array(true)
    groups = [right[labels == emotion] for emotion in BALANCED if (labels == emotion).any()]
    if not groups:
        raise ValueError(f"got no face of {', '.join(BALANCED)}")
    variance = sum(float(group.mean() * (1 - group.mean())) / len(group) for group in groups)
    mean = float(np.mean([group.mean() for group in groups]))
    return {"mean": mean, "standard_error": math.sqrt(variance) / len(groups)}


def count_by_emotion(true: Sequence[str], predicted: Sequence[str | None]) -> dict[str, dict[str, Any]]:
    """Return for each emotion the faces, those with an answer, and those with the right one."""
    pairs = list(zip(true, predicted, strict=True))
    return {
        emotion: {
            "faces": sum(one == emotion for one, _ in pairs),
            "answered": sum(one == emotion and other is not None for one, other in pairs),
            "right": sum(one == emotion == other for one, other in pairs),
        }
        for emotion in dict.fromkeys(true)
    }
