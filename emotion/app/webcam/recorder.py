"""The recording of `emotion webcam`: a thread writes the files, so that the window does not wait for the disk."""

import queue
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from emotion.app.video.face_writer import FaceWriter
from emotion.app.video.output_files import OutputFiles
from emotion.app.video.summary import Summary
from emotion.app.webcam.camera import CameraFrame
from emotion.inference.tracking import TrackedFace
from emotion.inference.video_reader import DEFAULT_RATE, Frame

QUEUE_BYTES = 64 * 2**20
"""Bytes of frames that wait for the thread at most. Further frames are left out of the recording."""

_Item = tuple[CameraFrame, Sequence[TrackedFace]]


class Recorder:
    """Records frames as the camera sees them, not mirrored, from the first one on.

    `start` gives a context, which completes the files at its end: also where an error ends it, since nobody can film
    the same again. If the recording itself fails, its partial files stay.

    Args:
        outputs: what to write; with no file, nothing is recorded.
        bars: whether to draw a bar for each emotion beside a face.
    """

    def __init__(self, outputs: OutputFiles, *, bars: bool = True) -> None:
        self._outputs, self._bars = outputs, bars
        self._emotions: Sequence[str] = ()
        self.summary = Summary()
        """Counts of the frames and faces written so far."""
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._write_all, name="recorder", daemon=True)
        self._started: float | None = None
        self.seconds = 0.0
        """The time of the newest recorded frame, from 0 for the first."""
        self.dropped = 0
        """The number of frames left out, since writing was too slow for them."""

    @property
    def active(self) -> bool:
        """Whether there is a file to record to."""
        return bool(self._outputs.paths)

    def start(self, emotions: Sequence[str]) -> Self:
        """Return the recorder as a context in which it records; `emotions` names the probabilities in their order."""
        self._emotions = emotions
        return self

    def record(self, frame: CameraFrame, tracked_faces: Sequence[TrackedFace]) -> None:
        """Hand a frame to the thread.

        Raises:
            InputError: a file could not be written.
            OSError: the disk is full.
        """
        if self._failure is not None:
            raise self._failure
        if not self.active:
            return
        if self._queue.qsize() * frame.image.nbytes >= QUEUE_BYTES:
            self.dropped += 1
            return
        self._started = frame.seconds if self._started is None else self._started
        self.seconds = frame.seconds - self._started
        self._queue.put((frame, tracked_faces))

    def _write_all(self) -> None:
        try:
            with FaceWriter(self._outputs, self._emotions, DEFAULT_RATE, bars=self._bars) as writer:
                self.summary = writer.summary
                while (item := self._queue.get()) is not None:
                    frame, tracked_faces = item
                    seconds = frame.seconds - (self._started or 0.0)
                    writer.write(Frame(writer.summary.frames, seconds, frame.image), tracked_faces)
        # Any error is raised again in the thread that records.
        except BaseException as error:
            self._failure = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the files. Raises what `record` raises, unless the block has failed already."""
        self._queue.put(None)
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure
