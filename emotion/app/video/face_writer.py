"""The frames of a video or camera written as they come: as an annotated video, a table of faces, or both."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from emotion.app.video.face_table import FaceTable, open_face_table
from emotion.app.video.output_files import OutputFiles, partial_file
from emotion.app.video.summary import Summary
from emotion.inference.annotation import annotate
from emotion.inference.codecs.encoder import Sound
from emotion.inference.tracking import TrackedFace
from emotion.inference.video_reader import Frame
from emotion.inference.video_writer import VideoWriter


class FaceWriter:
    """Writes frames with their faces to files, and counts them. Use it as a context manager, which completes the files.

    The files are opened at the first frame. Until they are complete, they have hidden names. After an error, what was
    written is kept as `outputs.kept` says.

    Args:
        outputs: what to write.
        emotions: the names of the probabilities, in their order.
        frame_rate: frames per second of the video, on average.
        bars: whether to draw a bar for each emotion beside a face.
        find_sound: returns what is to be heard in the video, once there is a frame; None for no sound.
    """

    def __init__(
        self,
        outputs: OutputFiles,
        emotions: Sequence[str],
        frame_rate: float,
        *,
        bars: bool = True,
        find_sound: Callable[[], Sound | None] | None = None,
    ) -> None:
        self._outputs, self._emotions, self._frame_rate = outputs, emotions, frame_rate
        self._bars, self._find_sound = bars, find_sound
        self._stack = ExitStack()
        self._table: FaceTable | None = None
        self._video: VideoWriter | None = None
        self.summary = Summary()

    def write(self, frame: Frame, tracked_faces: Sequence[TrackedFace]) -> None:
        """Write the next frame.

        Raises:
            InputError: the video cannot be written.
            OSError: the disk is full, or a folder cannot be written to.
        """
        if not self.summary.frames:
            self._open(frame.image)
        if self._table is not None:
            self._table.add(frame, tracked_faces)
        if self._video is not None:
            emotions = self._emotions if self._bars else None
            self._video.write(annotate_frame(frame.image, tracked_faces, emotions), frame.seconds)
        self.summary.add(frame, tracked_faces, end=frame.seconds + 1 / self._frame_rate)

    def _open(self, image: np.ndarray) -> None:
        enter = self._stack.enter_context
        if self._outputs.table is not None:
            self._table = enter(open_face_table(enter(self._partial_file(self._outputs.table)), self._emotions))
        if self._outputs.video is not None:
            partial = enter(self._partial_file(self._outputs.video))
            size, sound = (image.shape[0], image.shape[1]), self._find_sound() if self._find_sound else None
            self._video = enter(VideoWriter(partial, size, self._frame_rate, sound=sound))

    def _partial_file(self, path: Path) -> AbstractContextManager[Path]:
        return partial_file(path, self._outputs.kept, is_worth_keeping=lambda: self.summary.frames > 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the files. Raises OSError or InputError if the video does not hold all frames."""
        self._stack.__exit__(kind, error, trace)


def annotate_frame(
    image: np.ndarray, tracked_faces: Sequence[TrackedFace], emotions: Sequence[str] | None
) -> np.ndarray:
    """Return a copy of a frame with its faces boxed, numbered and labeled; with `emotions`, with bars too."""
    faces = [tracked.face for tracked in tracked_faces]
    return annotate(image, faces, numbers=[tracked.number for tracked in tracked_faces], emotions=emotions)
