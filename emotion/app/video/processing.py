"""A video read frame by frame, and written again with its faces annotated, as a table, or both."""

from collections.abc import Iterable, Sequence

from tqdm import tqdm

from emotion.app.video.face_writer import FaceWriter
from emotion.app.video.output_files import OutputFiles
from emotion.app.video.summary import Summary
from emotion.inference.tracking import FaceTracker
from emotion.inference.video_reader import Frame, VideoReader


def process_video(
    reader: VideoReader,
    tracker: FaceTracker,
    outputs: OutputFiles,
    *,
    emotions: Sequence[str],
    bars: bool = True,
) -> Summary:
    """Detect and classify the faces of a video, and write the files of `outputs`.

    Only one frame is in memory at a time. Until they are complete, files have names such as `out.partial.mp4`. Those
    stay after an interruption from the keyboard, with all frames up to it; after an error nothing stays.

    Args:
        reader: the video.
        tracker: detects, tracks and classifies its faces.
        outputs: what to write.
        emotions: the names of the probabilities, in their order.
        bars: whether to draw a bar for each emotion beside a face.

    Raises:
        InputError: the video holds no frame, or the new one cannot be written.
        OSError: the disk is full, or a folder cannot be written to.
    """
    with FaceWriter(outputs, emotions, reader.frame_rate, bars=bars) as writer:
        for frame in _with_progress(reader):
            writer.write(frame, tracker.update(frame.image, frame.seconds))
    writer.summary.missing_frames = reader.missing_frames
    return writer.summary


def _with_progress(reader: VideoReader) -> Iterable[Frame]:
    frames: Iterable[Frame] = tqdm(
        reader, desc=Path(reader.name).name, total=reader.declared_frames, unit="frame", disable=None
    )
    return frames
