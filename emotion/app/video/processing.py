"""A video read frame by frame, and written again with its faces annotated, as a table, or both."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from emotion.app.video.face_table import open_face_table
from emotion.app.video.output_files import OutputFiles, partial_file
from emotion.inference.annotation import annotate
from emotion.inference.tracking import FaceTracker, TrackedFace
from emotion.inference.video_reader import Frame, VideoReader
from emotion.inference.video_writer import VideoWriter
from emotion.parallel.ahead import iterate_ahead


@dataclass
class Summary:
    """Counts of the frames and faces that were read so far.

    Attributes:
        frames: how many were read.
        seconds: the time at which the last one ends.
        frames_with_faces: how many of them show a face.
        faces: how many different faces there were.
        missing_frames: how many frames the file declares after the last one that could be read.
    """

    frames: int = 0
    seconds: float = 0.0
    frames_with_faces: int = 0
    faces: int = 0
    missing_frames: int = 0

    def add(self, frame: Frame, tracked_faces: Sequence[TrackedFace]) -> None:
        """Count a frame and the faces in it."""
        self.frames = frame.number + 1
        self.frames_with_faces += bool(tracked_faces)
        self.faces = max([self.faces, *(tracked.number for tracked in tracked_faces)])


def process_video(
    reader: VideoReader,
    tracker: FaceTracker,
    outputs: OutputFiles,
    *,
    emotions: Sequence[str],
    bars: bool = True,
    sound: bool = True,
) -> Summary:
    """Detect and classify the faces of a video, and write the files of `outputs`.

    Only a few frames are in memory at a time. Until they are complete, files have names such as `out.partial.mp4`.
    Those stay after an interruption from the keyboard, with all frames up to it; after an error nothing stays.

    Args:
        reader: the video.
        tracker: detects, tracks and classifies its faces.
        outputs: what to write.
        emotions: the names of the probabilities, in their order.
        bars: whether to draw a bar for each emotion beside a face.
        sound: whether to copy the sound into the new video, where PyAV is installed.

    Raises:
        InputError: the video holds no frame, or the new one cannot be written.
        OSError: the disk is full, or a folder cannot be written to.
    """
    summary = Summary()
    with ExitStack() as stack:
        table = stack.enter_context(open_face_table(outputs.table, emotions)) if outputs.table else None
        partial_video = stack.enter_context(partial_file(outputs.video)) if outputs.video else None
        writer: VideoWriter | None = None
        for frame in stack.enter_context(_frames_with_progress(reader)):
            tracked_faces = tracker.update(frame.image, frame.seconds)
            if table is not None:
                table.add(frame, tracked_faces)
            if partial_video is not None:
                if writer is None:
                    size = frame.image.shape[0], frame.image.shape[1]
                    writer = stack.enter_context(
                        VideoWriter(partial_video, size, reader.frame_rate, sound=reader.sound if sound else None)
                    )
                writer.write(annotate_frame(frame.image, tracked_faces, emotions if bars else None), frame.seconds)
            summary.add(frame, tracked_faces)
    summary.seconds, summary.missing_frames = reader.seconds, reader.missing_frames
    return summary


def annotate_frame(
    image: np.ndarray, tracked_faces: Sequence[TrackedFace], emotions: Sequence[str] | None
) -> np.ndarray:
    """Return a copy of a frame with its faces boxed, numbered and labeled; with `emotions`, with bars too."""
    faces = [tracked.face for tracked in tracked_faces]
    return annotate(image, faces, numbers=[tracked.number for tracked in tracked_faces], emotions=emotions)


@contextmanager
def _frames_with_progress(reader: VideoReader) -> Iterator[Iterable[Frame]]:
    """Yield the frames, with a bar on terminals. Another thread decodes them ahead, until the block ends."""
    with closing(iterate_ahead(iter(reader))) as frames:
        name = Path(reader.name).name
        yield tqdm(frames, desc=name, total=reader.declared_frames, unit="frame", disable=None)
