"""The source of `emotion video`: a file, or a stream from the network."""

import sys
from pathlib import Path

from tqdm import tqdm

from emotion.inference.live_stream import LiveStream
from emotion.inference.stream_address import file_stem, is_address
from emotion.inference.video_reader import VideoReader


def file_of(source: str) -> Path | None:
    """Return the path that a source names; None for an address. A file that exists is no address."""
    return None if is_address(source) else Path(source)


def default_output(source: str) -> Path:
    """Return the name of the video to write where none is given: by the file, or by the stream's host."""
    file = file_of(source)
    return Path(f"{file_stem(source) if file is None else file.stem}-emotions.mp4")


def open_source(source: str, *, time_limit: float) -> VideoReader | LiveStream:
    """Return the reader of a source, a context manager.

    Args:
        source: the path of a file, or an address.
        time_limit: seconds after which no more of a stream is read.

    Raises:
        InputError: there is no video that can be read. A stream raises it when the context begins.
    """
    file = file_of(source)
    return LiveStream(source, time_limit=time_limit, report=_print_notice) if file is None else VideoReader(file)


def is_endless(reader: VideoReader | LiveStream) -> bool:
    """Return whether a source has no end, as a camera."""
    return isinstance(reader, LiveStream) and not reader.has_end


def _print_notice(notice: str) -> None:
    # Beside the progress bar, if there is one.
    tqdm.write(notice, file=sys.stderr)
