"""A video read frame by frame, and written again with its faces annotated, as a table, or both."""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from typing import Protocol

from tqdm import tqdm

from emotion.app.video.face_writer import FaceWriter
from emotion.app.video.output_files import OutputFiles
from emotion.app.video.summary import Summary
from emotion.inference.ahead import iterate_ahead
from emotion.inference.codecs.encoder import Sound
from emotion.inference.tracking import FaceTracker
from emotion.inference.video_reader import Frame
from emotion.parallel.cancellation import raise_if_canceled


class VideoSource(Protocol):
    """A video or a stream, as `VideoReader` and `LiveStream` read it."""

    name: str

    @property
    def frame_rate(self) -> float:
        """Frames per second, on average."""
        ...

    @property
    def declared_frames(self) -> int | None:
        """The number of frames that the source declares, or None."""
        ...

    @property
    def missing_frames(self) -> int:
        """The number of declared frames that are missing at the end."""
        ...

    @property
    def sound(self) -> Sound | None:
        """The sound that can be copied, once the first frame is read."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames, once."""
        ...


def process_video(
    reader: VideoSource,
    tracker: FaceTracker,
    outputs: OutputFiles,
    *,
    emotions: Sequence[str],
    bars: bool = True,
    time_limit: float = math.inf,
    completed_by_interrupt: bool = False,
    sound: bool = True,
) -> Summary:
    """Detect and classify the faces of a video, and write the files of `outputs`.

    Only a few frames are in memory at a time. Until they are complete, files have hidden names. After an interruption
    or an error they stay as `out.partial.mp4`, with all frames up to it; without a frame, nothing stays.

    Args:
        reader: the video.
        tracker: detects, tracks and classifies its faces.
        outputs: what to write.
        emotions: the names of the probabilities, in their order.
        bars: whether to draw a bar for each emotion beside a face.
        time_limit: seconds of the video after which no more is read.
        completed_by_interrupt: whether an interruption from the keyboard is the usual end, which completes the files.
        sound: whether to copy the sound into the new video, where PyAV is installed.

    Raises:
        InputError: the video holds no frame, or the new one cannot be written.
        OSError: the disk is full, or a folder cannot be written to.
        CanceledError: this machine is a worker of a cluster, and the command has ended.
    """
    find_sound = (lambda: reader.sound) if sound else None
    with (
        FaceWriter(outputs, emotions, reader.frame_rate, bars=bars, find_sound=find_sound) as writer,
        suppress(KeyboardInterrupt) if completed_by_interrupt else nullcontext(),
        _frames_with_progress(reader) as frames,
        closing(tracker.track(frames)) as tracked_frames,
    ):
        for frame, tracked_faces in tracked_frames:
            raise_if_canceled()
            if frame.seconds >= time_limit:
                return writer.summary
            writer.write(frame, tracked_faces)
    writer.summary.missing_frames = reader.missing_frames
    return writer.summary


@contextmanager
def _frames_with_progress(reader: VideoSource) -> Iterator[Iterable[Frame]]:
    """Yield the frames, with a bar on terminals. Another thread decodes them ahead, until the block ends."""
    with closing(iterate_ahead(iter(reader))) as frames:
        name = reader.name.rpartition("/")[2]
        yield tqdm(frames, desc=name, total=reader.declared_frames, unit="frame", disable=None)
