"""Many images through one predictor: in order, in batches across images, with memory that does not grow."""

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from emotion.app.predict import annotated_files
from emotion.app.predict.image_files import ImageFile
from emotion.data.images import ImageError, read_image
from emotion.faces.detection import Detection
from emotion.inference.predictor import BATCH_SIZE, Face, Predictor
from emotion.parallel.cores import available_cores

Item = TypeVar("Item")
Result = TypeVar("Result")

OK, NO_FACE, UNREADABLE = "ok", "no face", "unreadable"

AHEAD = 3
"""Images a thread that are searched for faces, or wait for the model, at a time."""

MOST_WAITING_BYTES = 64 * 2**20
"""Of images that wait to be boxed; with more, the model sees fewer faces at a time."""

SOME_FAILED, ALL_FAILED = 3, 1


@dataclass(frozen=True)
class Reading:
    """What one image gave.

    Attributes:
        path: the file, as the user named it.
        status: `ok`, `no face`, or `unreadable: ` and why.
        faces: the largest first; none unless the status is `ok`.
    """

    path: Path
    status: str
    faces: Sequence[Face] = ()


@dataclass(frozen=True)
class _Searched:
    """An image whose faces were looked for; `crops` are what the model takes, `image` is kept only to be boxed."""

    path: Path
    problem: str | None = None
    found: Sequence[Detection] = ()
    crops: Sequence[np.ndarray] = ()
    image: np.ndarray | None = None


@dataclass
class Tally:
    """How many images gave what."""

    counts: Counter[str] = field(default_factory=Counter)
    faces: int = 0

    def add(self, reading: Reading) -> None:
        self.counts[reading.status.partition(":")[0]] += 1
        self.faces += len(reading.faces)

    @property
    def exit_status(self) -> int:
        """0 where every image gave a face, SOME_FAILED where some did, ALL_FAILED where none did."""
        good, all_of_them = self.counts[OK], self.counts.total()
        return 0 if good == all_of_them else SOME_FAILED if good else ALL_FAILED

    def __str__(self) -> str:
        parts = [
            f"{self.counts[OK]} with {_count(self.faces, 'face')}",
            f"{self.counts[NO_FACE]} without a face",
            f"{self.counts[UNREADABLE]} unreadable",
        ]
        return f"{_count(self.counts.total(), 'image')}: {', '.join(parts)}"


def read_images(
    files: Sequence[ImageFile],
    predictor: Predictor,
    *,
    threads: int | None = None,
    targets: Mapping[Path, Path] | None = None,
    searched_one: Callable[[], object] = lambda: None,
) -> Generator[Reading, None, None]:
    """Give what each of `files` shows, in their order, as soon as it is known.

    Images are decoded and searched by several threads; the model sees the faces of several images at a time. At
    any time only a few images are held.

    Args:
        files: what to read.
        predictor: finds and judges; its `detect` is called from several threads at once.
        threads: how many decode and search; one a core unless told.
        targets: where the boxed image of each file goes that has a face, as `annotated_files.plan` returns it.
        searched_one: is called for each image that was searched for faces: progress, before the answers come.

    Raises:
        InputError: a boxed image cannot be written.
    """
    workers = min(threads or available_cores(), max(1, len(files)))
    search = partial(_search, predictor=predictor, keep=bool(targets))
    with (
        _single_opencv(workers > 1),
        ThreadPoolExecutor(workers) as pool,
        # Closed before the pool, which would first search all that is still waiting.
        closing(_in_order(pool, search, files, AHEAD * workers)) as searched,
    ):
        for batch in _batches(searched, searched_one):
            yield from _finish(pool, batch, _judge(batch, predictor), targets or {})


@contextmanager
def _single_opencv(single: bool) -> Iterator[None]:
    """Keep OpenCV to one thread a call while several of ours call it: more images beat more threads an image."""
    before = cv2.getNumThreads()
    if single:
        cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _search(file: ImageFile, *, predictor: Predictor, keep: bool) -> _Searched:
    """Read one image, find its faces and cut them out."""
    if file.problem:
        return _Searched(file.path, file.problem)
    try:
        image = _read(file.path)
    except ImageError as error:
        return _Searched(file.path, str(error))
    except MemoryError:
        return _Searched(file.path, "there is not enough memory for an image of this size")
    found = predictor.detect(image)
    crops = [predictor.crop(image, face) for face in found]
    return _Searched(file.path, None, found, crops, image if keep and found else None)


def _read(path: Path) -> np.ndarray:
    # Reading a pipe would wait for ever, and a device would never end.
    if path.exists() and not path.is_file():
        raise ImageError("it is no file, but a device or a pipe")
    return read_image(path)


def _in_order(
    pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Generator[Result, None, None]:
    """Give `function(item)` for every item, in order, while the pool works on at most `ahead` of them."""
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _batches(searched: Iterable[_Searched], searched_one: Callable[[], object]) -> Iterator[list[_Searched]]:
    """Group images until they have enough faces for the model, are many, or hold much memory.

    The first groups are small, so that the first answers come at once.
    """
    batch: list[_Searched] = []
    faces, waiting, enough = 0, 0, 1
    for one in searched:
        searched_one()
        batch.append(one)
        faces += len(one.crops)
        waiting += 0 if one.image is None else one.image.nbytes
        if max(faces, len(batch)) >= enough or waiting >= MOST_WAITING_BYTES:
            yield batch
            batch, faces, waiting, enough = [], 0, 0, min(2 * enough, BATCH_SIZE)
    if batch:
        yield batch


def _judge(batch: Sequence[_Searched], predictor: Predictor) -> list[Reading]:
    """Return what the images of a batch show; the model sees all their faces together."""
    crops = [crop for one in batch for crop in one.crops]
    said = predictor.probabilities(np.stack(crops) if crops else np.empty(0))
    faces = iter(predictor.make_faces([found for one in batch for found in one.found], said))
    return [Reading(one.path, _status(one), [next(faces) for _ in one.found]) for one in batch]


def _status(one: _Searched) -> str:
    if one.problem:
        return f"{UNREADABLE}: {one.problem}"
    return OK if one.found else NO_FACE


def _finish(
    pool: Executor, batch: Sequence[_Searched], readings: Sequence[Reading], targets: Mapping[Path, Path]
) -> Iterator[Reading]:
    """Give the readings of a batch, each once its boxed image is written."""
    written = [
        None if one.image is None else pool.submit(_box, one.image, reading.faces, targets[one.path])
        for one, reading in zip(batch, readings, strict=True)
    ]
    for reading, future in zip(readings, written, strict=True):
        if future is not None:
            future.result()
        yield reading


def _box(image: np.ndarray, faces: Sequence[Face], target: Path) -> None:
    annotated_files.write(target, annotated_files.draw(image, faces, target))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
