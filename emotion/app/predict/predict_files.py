"""Many image files through one predictor: in order, in batches across images, with memory that does not grow.

Threads read images and detect faces. The model gets the faces of several images as one batch.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing, nullcontext
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from emotion.app.predict.annotated_files import encode_annotated, write_annotated
from emotion.app.predict.results import NO_FACE, OK, UNREADABLE, ImageResult
from emotion.app.predict.stored_files import ImageFile, StoredFile, cut_fetches, fetch
from emotion.core.stores import Location
from emotion.data.images import ImageError, decode, read_image
from emotion.faces.detection import Detection
from emotion.inference.predictor import BATCH_SIZE, Face, Predictor
from emotion.parallel.cores import available_cores
from emotion.parallel.single_thread import single_threaded_opencv

Item = TypeVar("Item")
Result = TypeVar("Result")

PIECE = 32
"""Images whose faces the model gets together at most. On a cluster they are one piece of work."""

AHEAD = 3
"""Images per thread that are prepared, or wait for the model, at the same time."""

MOST_WAITING_BYTES = 64 * 2**20
"""Bytes of images that wait to be annotated. With more, batches get smaller."""

Piece = Sequence[ImageFile]
"""Images whose batches do not depend on any others, so that their results are the same bytes on every machine."""


@dataclass(frozen=True)
class _PreparedImage:
    """An image whose faces are detected and cropped.

    Attributes:
        path: the file, as the user named it.
        problem: why it cannot be read; None where it can.
        detections: the faces, the largest first.
        crops: the crop of each face, uint8 (size, size, channels).
        image: uint8 (height, width, 1 or 3), kept only where it is to be annotated.
        is_file: whether there is a file that may be an image.
    """

    path: Location
    problem: str | None = None
    detections: Sequence[Detection] = ()
    crops: Sequence[np.ndarray] = ()
    image: np.ndarray | None = None
    is_file: bool = True


def cut_pieces(files: Sequence[ImageFile]) -> list[Piece]:
    """Return the files in pieces. The first ones are small, so that the first results come at once."""
    pieces: list[Piece] = []
    start, size = 0, 1
    while start < len(files):
        pieces.append(files[start : start + size])
        start, size = start + size, min(2 * size, PIECE)
    return pieces


def predict_pieces(
    pieces: Sequence[Piece],
    predictor: Predictor,
    *,
    threads: int | None = None,
    targets: Mapping[Location, Path] | None = None,
    on_prepared: Callable[[], object] = lambda: None,
) -> Generator[ImageResult, None, None]:
    """Yield the result of each file in `pieces`, in their order, as soon as it is known.

    Only a few images are in memory at any time.

    Args:
        pieces: what to read, as `cut_pieces` returns it.
        predictor: its `detect` is called from several threads at once.
        threads: how many read and detect; one per core by default.
        targets: where the annotated image of each file with a face is written, as `plan_targets` returns it.
        on_prepared: is called once per image, after its faces are detected and before its result is yielded.

    Raises:
        InputError: an annotated image cannot be written, or a store cannot be used.
    """
    files = [file for piece in pieces for file in piece]
    workers = min(threads or available_cores(), max(1, len(files)))
    prepare = partial(_prepare, predictor=predictor, keep_image=bool(targets))
    with (
        single_threaded_opencv() if workers > 1 else nullcontext(),
        ThreadPoolExecutor(workers) as pool,
        ThreadPoolExecutor(1) as fetcher,
        closing(_map_in_order(fetcher, fetch, cut_fetches(files), 2)) as fetched,
        # It is closed before the pool, which would otherwise prepare all waiting images.
        closing(_map_in_order(pool, prepare, chain.from_iterable(fetched), AHEAD * workers)) as prepared,
    ):
        for piece in pieces:
            for batch in _batches(islice(prepared, len(piece)), on_prepared):
                yield from _annotate_batch(pool, batch, _classify_batch(batch, predictor), targets or {})


def _prepare(file: ImageFile, *, predictor: Predictor, keep_image: bool) -> _PreparedImage:
    """Read one image, detect its faces and crop them."""
    if file.problem:
        return _PreparedImage(file.path, file.problem, is_file=False)
    try:
        image = _read_file(file)
    except ImageError as error:
        return _PreparedImage(file.path, str(error))
    except MemoryError:
        return _PreparedImage(file.path, "there is not enough memory for an image of this size")
    detections = predictor.detect(image)
    crops = [predictor.crop(image, detection) for detection in detections]
    return _PreparedImage(file.path, None, detections, crops, image if keep_image and detections else None)


def _read_file(file: ImageFile) -> np.ndarray:
    if isinstance(file, StoredFile):
        if isinstance(file.content, ImageError):
            raise file.content
        return decode(file.content or b"")
    # Reading a pipe could wait for ever, and reading a device could never end.
    if file.path.exists() and not file.path.is_file():
        raise ImageError("it is a device or a pipe, not a file")
    return read_image(file.path)


def _map_in_order(
    pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Generator[Result, None, None]:
    """Yield `function(item)` for every item, in order, while the pool works on at most `ahead` of them."""
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            # Threads of a pool do not have the context of this one, which says whether another machine asks.
            waiting.append(pool.submit(copy_context().run, function, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _batches(prepared: Iterable[_PreparedImage], on_prepared: Callable[[], object]) -> Iterator[list[_PreparedImage]]:
    """Group the images of a piece until they have enough faces for the model, or hold much memory."""
    batch: list[_PreparedImage] = []
    faces, waiting_bytes = 0, 0
    for one in prepared:
        on_prepared()
        batch.append(one)
        faces += len(one.crops)
        waiting_bytes += 0 if one.image is None else one.image.nbytes
        if faces >= BATCH_SIZE or waiting_bytes >= MOST_WAITING_BYTES:
            yield batch
            batch, faces, waiting_bytes = [], 0, 0
    if batch:
        yield batch


def _classify_batch(batch: Sequence[_PreparedImage], predictor: Predictor) -> list[ImageResult]:
    """Return the result of each image; the model gets all their faces as one batch."""
    crops = [crop for one in batch for crop in one.crops]
    probabilities = predictor.probabilities(np.stack(crops) if crops else np.empty(0))
    faces = iter(predictor.make_faces([detection for one in batch for detection in one.detections], probabilities))
    return [ImageResult(one.path, _status(one), [next(faces) for _ in one.detections], one.is_file) for one in batch]


def _status(one: _PreparedImage) -> str:
    if one.problem:
        return f"{UNREADABLE}: {one.problem}"
    return OK if one.detections else NO_FACE


def _annotate_batch(
    pool: Executor, batch: Sequence[_PreparedImage], results: Sequence[ImageResult], targets: Mapping[Location, Path]
) -> Iterator[ImageResult]:
    """Yield the results of a batch, each once its annotated image is written."""
    written = [
        None if one.image is None else pool.submit(_annotate, one.image, result.faces, targets[one.path])
        for one, result in zip(batch, results, strict=True)
    ]
    for result, future in zip(results, written, strict=True):
        if future is not None:
            future.result()
        yield result


def _annotate(image: np.ndarray, faces: Sequence[Face], target: Path) -> None:
    write_annotated(target, encode_annotated(image, faces, target))
