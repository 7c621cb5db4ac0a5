"""The result of `emotion predict` for one image, and the counts of results."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emotion.inference.predictor import Face

OK, NO_FACE, UNREADABLE = "ok", "no face", "unreadable"

SOME_FAILED, ALL_FAILED = 3, 1
"""Exit statuses: some images, or all of them, have no face."""


@dataclass(frozen=True)
class ImageResult:
    """The faces in one image, or why there are none.

    Attributes:
        path: the file, as the user named it.
        status: `ok`, `no face`, or `unreadable: ` and the reason.
        faces: the largest first; none unless the status is `ok`.
    """

    path: Path
    status: str
    faces: Sequence[Face] = ()


@dataclass
class ResultCounts:
    """The number of images of each status, and of all faces."""

    images: Counter[str] = field(default_factory=Counter)
    faces: int = 0

    def add(self, result: ImageResult) -> None:
        """Count one image and its faces."""
        self.images[result.status.partition(":")[0]] += 1
        self.faces += len(result.faces)

    @property
    def exit_status(self) -> int:
        """The exit status: 0 if every image has a face, SOME_FAILED if some have one, ALL_FAILED if none has."""
        with_face, total = self.images[OK], self.images.total()
        return 0 if with_face == total else SOME_FAILED if with_face else ALL_FAILED

    def __str__(self) -> str:
        parts = [
            f"{self.images[OK]} with {_number_of(self.faces, 'face')}",
            f"{self.images[NO_FACE]} without a face",
            f"{self.images[UNREADABLE]} unreadable",
        ]
        return f"{_number_of(self.images.total(), 'image')}: {', '.join(parts)}"


def _number_of(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
