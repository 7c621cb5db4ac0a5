"""One video of several as a job, which this machine or a worker of a cluster does with the same result."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

from emotion.app.video.output_files import OutputFiles, print_kept
from emotion.app.video.processing import process_video
from emotion.app.video.sources import is_endless
from emotion.app.video.summary import Summary
from emotion.core.errors import InputError
from emotion.inference.live_stream import LiveStream
from emotion.inference.predictor import Predictor
from emotion.inference.tracking import FaceTracker
from emotion.inference.video_reader import VideoReader

READ, BROKEN, NO_FACE, FAILED = "read", "broken", "no face", "failed"
"""The statuses of a video: it is whole and shows a face; breaks off; shows none; or cannot be
read, or its files cannot be written."""


class VideoOptions(NamedTuple):
    """The options of the command by which a video is read and written, as its arguments are called."""

    search: float
    every: int
    smooth: float
    seconds: float
    no_bars: bool
    no_sound: bool

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Self:
        """Return the options among the arguments of the command."""
        return cls(*(getattr(arguments, name) for name in cls._fields))


class Job(NamedTuple):
    """A video to read and the files to write.

    Attributes:
        source: the video.
        video: the annotated video; None if it is not wanted.
        table: the table of faces; None if it is not wanted.
    """

    source: Path
    video: Path | None
    table: Path | None

    @property
    def targets(self) -> list[Path]:
        """The files to write."""
        return [path for path in (self.video, self.table) if path is not None]

    def absolute(self) -> "Job":
        """Return the job with whole paths, which other machines understand."""
        return Job(self.source.absolute(), *(path and path.absolute() for path in (self.video, self.table)))


@dataclass(frozen=True)
class Outcome:
    """The outcome for a video.

    Attributes:
        summary: the counts.
        failure: why nothing could be read or written; empty where something was.
        warning: where the video breaks off; empty where it is whole.
        kept: the partial files that were kept after a failure.
    """

    summary: Summary = field(default_factory=Summary)
    failure: str = ""
    warning: str = ""
    kept: Sequence[Path] = ()

    @property
    def status(self) -> str:
        """READ, BROKEN, NO_FACE or FAILED."""
        if self.failure:
            return FAILED
        if not self.summary.faces:
            return NO_FACE
        return BROKEN if self.warning else READ


def do_job(options: VideoOptions, predictor: Predictor, job: Job) -> Outcome:
    """Read a video and write its files; return what became of it.

    Raises:
        OSError: the disk is full, or a folder cannot be written to.
    """
    outputs = OutputFiles(job.video, job.table)
    try:
        with VideoReader(job.source) as reader:
            summary = track_video(options, predictor, reader, outputs)
    except InputError as error:
        return Outcome(failure=str(error), kept=outputs.kept)
    except BaseException:
        print_kept(outputs.kept)
        raise
    return Outcome(summary, warning=find_warning(summary, reader))


def track_video(
    options: VideoOptions, predictor: Predictor, reader: VideoReader | LiveStream, outputs: OutputFiles
) -> Summary:
    """Read a video or a stream and write the files; see `process_video`."""
    tracker = FaceTracker(
        predictor, search_every=options.search, classify_every=options.every, half_life=options.smooth
    )
    return process_video(
        reader,
        tracker,
        outputs,
        emotions=predictor.emotions,
        bars=not options.no_bars,
        time_limit=options.seconds,
        completed_by_interrupt=is_endless(reader),
        sound=not options.no_sound,
    )


def find_warning(summary: Summary, reader: VideoReader | LiveStream) -> str:
    """Return why a video or stream ended early; an empty text where it did not."""
    return summary.describe_break(reader.name) or reader.failure
