"""What `emotion video` does: a video goes in, one with its faces boxed and a table of them come out."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from tqdm import tqdm

from emotion.core.errors import InputError
from emotion.core.files import METRIC_DECIMALS
from emotion.inference.annotation import annotate
from emotion.inference.tracking import FaceTracker, TrackedFace
from emotion.inference.videos import CODECS, Frame, VideoReader, VideoWriter

COLUMNS = ("frame", "seconds", "face", "detected", "emotion", "confidence", "x", "y", "width", "height")
"""Of the table, before a column for each emotion with its probability."""


@dataclass(frozen=True)
class Targets:
    """The files to write: the video with boxes and the table of faces, None for what is not wanted."""

    video: Path | None
    table: Path | None

    @property
    def paths(self) -> list[Path]:
        return [path for path in (self.video, self.table) if path is not None]

    def check(self, source: Path, *, overwrite: bool) -> None:
        """Refuse targets that cannot be written, or would take the place of something that is to stay.

        Raises:
            InputError: a target is `source` or the other target, a folder, there already without `overwrite`, or has
                a suffix that says no kind of video.
        """
        if self.video is not None and self.video.suffix.lower() not in CODECS:
            raise InputError(f"{self.video}: a video cannot be written as that; expected one of {', '.join(CODECS)}")
        if self.video is not None and self.table is not None and self.video.resolve() == self.table.resolve():
            raise InputError(f"{self.video} is to be the video and the table; name two files")
        for path in self.paths:
            if path.exists() and source.exists() and path.samefile(source):
                raise InputError(f"{path} is the video that is read; name another file to write")
            if path.is_dir():
                raise InputError(f"{path} is a folder; name a file in it")
            if path.exists() and not overwrite:
                raise InputError(f"{path} is there already; name another file, or have it replaced with --overwrite")


@dataclass
class Summary:
    """What was in a video so far.

    Attributes:
        frames: how many were read.
        seconds: the time of the last.
        with_faces: how many frames had a face.
        faces: how many faces there were, by their numbers.
        missing: how many frames the file promised behind the last one that could be read.
    """

    frames: int = 0
    seconds: float = 0.0
    with_faces: int = 0
    faces: int = 0
    missing: int = 0

    def add(self, frame: Frame, tracked_faces: Sequence[TrackedFace]) -> None:
        """Count a frame and what was seen in it."""
        self.frames, self.seconds = frame.number + 1, frame.seconds
        self.with_faces += bool(tracked_faces)
        self.faces = max([self.faces, *(tracked.number for tracked in tracked_faces)])


def process_video(
    reader: VideoReader,
    tracker: FaceTracker,
    targets: Targets,
    *,
    emotions: Sequence[str],
    bars: bool = True,
) -> Summary:
    """Read the faces of a video, and write what `targets` names; a frame at a time, so that its length needs no memory.

    Until they are whole, the files have names such as `out.partial.mp4`. Those stay after an interruption from the
    keyboard, with all frames up to it; after an error nothing stays.

    Args:
        reader: the video.
        follower: follows and reads the faces in it.
        targets: what to write.
        emotions: the names of the probabilities, in their order.
        bars: whether to draw a bar for each emotion beside a face.

    Raises:
        InputError: the video holds no frame, or the new one cannot be written.
        OSError: the disk is full, or a folder cannot be written to.
    """
    summary = Summary()
    with ExitStack() as stack:
        table = stack.enter_context(_open_table(targets.table, emotions)) if targets.table else None
        unfinished = stack.enter_context(partial_file(targets.video)) if targets.video else None
        writer: VideoWriter | None = None
        for frame in _with_progress(reader):
            tracked_faces = tracker.update(frame.image, frame.seconds)
            if table is not None:
                table.add(frame, tracked_faces)
            if unfinished is not None:
                if writer is None:
                    size = frame.image.shape[0], frame.image.shape[1]
                    writer = stack.enter_context(VideoWriter(unfinished, size, reader.frame_rate))
                writer.write(draw(frame.image, tracked_faces, emotions if bars else None), frame.seconds)
            summary.add(frame, tracked_faces)
    summary.missing = reader.missing
    return summary


def draw(image: np.ndarray, tracked_faces: Sequence[TrackedFace], emotions: Sequence[str] | None) -> np.ndarray:
    """Return a copy of a frame with its faces boxed, numbered and labeled, with bars where `emotions` are given."""
    faces = [tracked.face for tracked in tracked_faces]
    return annotate(image, faces, numbers=[tracked.number for tracked in tracked_faces], emotions=emotions)


def partial_name(path: Path) -> Path:
    """Return the name that `path` has until it is whole."""
    return path.with_name(f"{path.stem}.partial{path.suffix}")


@contextmanager
def partial_file(path: Path) -> Iterator[Path]:
    """Give the name that `path` has until it is whole, and give it its own once the block has ended without an error.

    It stays as it is when the block is interrupted from the keyboard, and is removed when it fails.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = partial_name(path)
    try:
        yield unfinished
        unfinished.replace(path)
    except KeyboardInterrupt:
        raise
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


class FaceTable:
    """Writes the table of faces: a row for each face in each frame.

    Args:
        file: what to write to; it has no translation of line ends.
        emotions: the names of the probabilities, in their order.
    """

    def __init__(self, file: TextIO, emotions: Sequence[str]) -> None:
        self._rows = csv.writer(file, lineterminator="\n")
        self._rows.writerow([*COLUMNS, *emotions])

    def add(self, frame: Frame, tracked_faces: Sequence[TrackedFace]) -> None:
        """Write the rows of a frame; `detected` is 1 where the face was found in it, 0 where it was carried on."""
        for number, face, detected in tracked_faces:
            confidence, *shares = (f"{share:.{METRIC_DECIMALS}f}" for share in (face.confidence, *face.probabilities))
            where = [frame.number, f"{frame.seconds:.3f}", number, int(detected)]
            self._rows.writerow([*where, face.emotion, confidence, *face.box, *shares])


@contextmanager
def _open_table(path: Path, emotions: Sequence[str]) -> Iterator[FaceTable]:
    with partial_file(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
        yield FaceTable(file, emotions)


def _with_progress(reader: VideoReader) -> Iterable[Frame]:
    return tqdm(reader, desc=reader.path.name, total=reader.promised, unit="frame", disable=None)
