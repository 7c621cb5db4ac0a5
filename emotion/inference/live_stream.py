"""A stream from the network, read as a video is, and connected again where it breaks off."""

import math
import time
from collections.abc import Callable, Iterator
from typing import Self
from urllib.parse import urlsplit

from emotion.core.errors import InputError
from emotion.inference.stream_address import check_address, public_name, scheme_of
from emotion.inference.stream_failures import explain_failure
from emotion.inference.video_reader import DEFAULT_RATE, Frame, VideoReader

OPEN_SECONDS = 10.0
"""Seconds that a stream has to open."""

READ_SECONDS = {"rtsp": 10.0, "rtsps": 10.0, "http": 20.0, "https": 20.0}
"""Seconds from one read to the next, by scheme. A playlist gets a new part only every few seconds."""

PLAYLIST_SUFFIX = ".m3u8"
"""The end of the path of a playlist (HLS)."""

RETRY_PAUSES = 0.5, 1.0, 2.0, 4.0, 8.0
"""Seconds before each try to connect again. After the last one the stream counts as lost."""

SHORTEST_STEP = 0.001
"""Seconds from one frame to the next, at least, also where a stream begins anew."""


class LiveStream:
    """Reads the frames of a stream. Use it as a context manager, which connects and closes it.

    A stream that declares its length, or is a file on a server, ends there. Any other one is connected again where it
    breaks off, in as many tries as RETRY_PAUSES has. The times of frames go on as the clock does.

    Args:
        url: the address.
        time_limit: seconds from the first frame after which no more is read.
        report: takes a notice, such as that the connection is lost.

    Raises:
        InputError: the address is none of a stream. Connecting raises it where nothing can be read there.
    """

    def __init__(
        self, url: str, *, time_limit: float = math.inf, report: Callable[[str], None] = lambda notice: None
    ) -> None:
        check_address(url)
        # FFmpeg knows schemes in small letters only.
        self._url = scheme_of(url) + url[len(scheme_of(url)) :]
        self._time_limit = time_limit
        self._report = report
        self._reader: VideoReader | None = None
        self._first_frame = math.inf
        self._tries = 0
        self.name = public_name(url)
        """The name in messages."""
        self.sound = None
        """None, as of a video without sound: a stream cannot be read a second time for it."""
        self.notice = ""
        """The state of the connection, while it is lost."""
        self.failure = ""
        """The reason, once the stream is lost for good."""

    @property
    def frame_rate(self) -> float:
        """Frames per second, on average."""
        return DEFAULT_RATE if self._reader is None else self._reader.frame_rate

    @property
    def declared_frames(self) -> int | None:
        """The number of frames that the stream declares; None if it has no end."""
        return None if self._reader is None else self._reader.declared_frames

    @property
    def has_end(self) -> bool:
        """Whether it is a file on a server, and no camera."""
        return self._reader is not None and self._reader.has_end

    @property
    def missing_frames(self) -> int:
        """The number of declared frames that are missing at the end."""
        return 0 if self._reader is None else self._reader.missing_frames

    @property
    def comes_ahead(self) -> bool:
        """Whether frames may come sooner than they are to be shown, as those of a file or a playlist."""
        return self.has_end or urlsplit(self._url).path.endswith(PLAYLIST_SUFFIX)

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames, once.

        Raises:
            InputError: no frame comes at all.
        """
        number, last = 0, -math.inf
        for reader in self._connections():
            start: float | None = None
            for frame in _frames(reader):
                self._tries = 0
                self._tell("")
                now = time.monotonic()
                self._first_frame = min(self._first_frame, now)
                start = now - self._first_frame if start is None else start
                last = max(start + frame.seconds, last + SHORTEST_STEP)
                if last >= self._time_limit:
                    return
                yield Frame(number, last, frame.image)
                number += 1
            if not number:
                raise InputError(explain_failure(self._url, InputError()))
            if reader.has_end:
                return

    def _connections(self) -> Iterator[VideoReader]:
        """Yield the connection and, each time it is lost, the next one. The tries start anew with each frame."""
        if self._reader is not None:
            yield self._reader
        reason = f"{self.name} has ended"
        while self._tries < len(RETRY_PAUSES):
            pause = RETRY_PAUSES[self._tries]
            self._tries += 1
            self._tell(f"{self.name}: connection lost, trying again ({self._tries} of {len(RETRY_PAUSES)})")
            if time.monotonic() + pause >= self._first_frame + self._time_limit:
                return
            time.sleep(pause)
            self.close()
            try:
                self._reader = self._connect()
            except InputError as error:
                reason = str(error)
                continue
            yield self._reader
        self.failure = f"the connection is lost after {len(RETRY_PAUSES)} tries: {reason}"

    def _connect(self) -> VideoReader:
        try:
            return VideoReader(self._url, timeouts=(OPEN_SECONDS, READ_SECONDS[scheme_of(self._url)]))
        except InputError as error:
            raise InputError(explain_failure(self._url, error)) from None

    def _tell(self, notice: str) -> None:
        self.notice = notice
        if notice:
            self._report(notice)

    def close(self) -> None:
        """Close the connection."""
        if self._reader is not None:
            self._reader.close()

    def __enter__(self) -> Self:
        self._reader = self._connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _frames(reader: VideoReader) -> Iterator[Frame]:
    """Yield the frames of a connection; none where it has none that can be read."""
    try:
        yield from reader
    except InputError:
        return
