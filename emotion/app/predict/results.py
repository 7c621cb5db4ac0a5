"""The result of `emotion predict` for one image, and the counts of results."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from emotion.app.counts import number_of
from emotion.core.stores import Location
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
        is_file: whether there is a file; False for an empty folder, a pattern without matches and the like.
    """

    path: Location
    status: str
    faces: Sequence[Face] = ()
    is_file: bool = True


@dataclass
class ResultCounts:
    """The number of images of each status, of all faces, and of names that stand for no image."""

    images: Counter[str] = field(default_factory=Counter)
    faces: int = 0
    names_without_image: int = 0

    def add(self, result: ImageResult) -> None:
        """Count one image and its faces, or a name that stands for no image."""
        if not result.is_file:
            self.names_without_image += 1
            return
        self.images[result.status.partition(":")[0]] += 1
        self.faces += len(result.faces)

    @property
    def exit_status(self) -> int:
        """The exit status: 0 if every image has a face, SOME_FAILED if some have one, ALL_FAILED if none has."""
        with_face, total = self.images[OK], self.images.total() + self.names_without_image
        return 0 if with_face == total else SOME_FAILED if with_face else ALL_FAILED

    def __str__(self) -> str:
        parts = [
            f"{self.images[OK]} with {number_of(self.faces, 'face')}",
            f"{self.images[NO_FACE]} without a face",
            f"{self.images[UNREADABLE]} unreadable",
        ]
        counts = f"{number_of(self.images.total(), 'image')}: {', '.join(parts)}"
        if not self.names_without_image:
            return counts
        return f"{counts}; {number_of(self.names_without_image, 'name')} without an image"
