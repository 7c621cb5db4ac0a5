"""Frames decoded by PyAV."""

import math
import struct
import time
from collections.abc import Generator, Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np

from emotion.core.errors import InputError
from emotion.inference.codecs.decoder import is_plausible_rate
from emotion.inference.codecs.deinterlacer import Deinterlacer
from emotion.inference.codecs.square_pixels import square_pixel_size
from emotion.inference.codecs.stream_options import stream_options
from emotion.inference.codecs.tracks import find_sound, has_codec


class PyAvDecoder:
    """Decodes a video with PyAV. Its attributes and methods are those of `Decoder`.

    Args:
        location: the absolute path of a file, or a URL.
        name: names the video in messages.
        timeouts: seconds that a stream has to open, and from one read to the next.

    Raises:
        InputError: there is no video that can be read.
    """

    def __init__(self, location: str, name: str, *, timeouts: tuple[float, float] | None = None) -> None:
        # With any level, a message of FFmpeg's threads takes Python's lock, and can wait for it forever.
        av.logging.set_level(None)
        try:
            self._container = av.open(
                location, metadata_errors="replace", options=stream_options(location), timeout=timeouts
            )
        except av.ArgumentError:
            raise InputError(
                f"{name} has a format that is not read, or is a playlist in a file; convert it to .mp4 first, or name "
                "the address of the playlist"
            ) from None
        except (av.FFmpegError, ValueError):
            raise InputError(
                f"{name} cannot be read as a video: it is cut off, broken or of an unknown format; expected a complete "
                "video such as .mp4, .avi, .mkv or .webm"
            ) from None
        try:
            self._stream = _choose_stream(self._container, name)
        except InputError:
            self._container.close()
            raise
        # Threads for frames hold back a few, which would delay a stream.
        threads = av.codec.context.ThreadType
        self._stream.thread_type = threads.SLICE if "://" in location else threads.AUTO
        self.frame_rate = self._find_rate()
        self.declared_frames: float = self._stream.frames or round(self._declared_seconds() * self.frame_rate)
        # FFmpeg counts 25 images of a camera's JPEG stream as a second, whatever its rate. So the clock tells the time.
        self._untimed = self._container.format.name == "mpjpeg"
        # The size of a playlist is none of the video.
        self.has_size = self._container.size > 0 and self._container.format.name != "hls"
        self.has_sound = bool(find_sound(self._container))
        self._deinterlacer = Deinterlacer()
        self._frames = self._decode()
        self._rotation: int | None = None
        self._matrix = b""

    def read(self) -> tuple[np.ndarray, float] | None:
        """Return the next frame and its timestamp, or None at the end."""
        frame = next(self._frames, None)
        if frame is None:
            return None
        seconds: float | None = frame.time
        if self._untimed:
            seconds = time.monotonic()
        return self._to_image(frame), math.nan if seconds is None else seconds

    def close(self) -> None:
        """Close the video."""
        self._frames.close()
        self._container.close()

    def _find_rate(self) -> float:
        rates = [float(rate or 0) for rate in (self._stream.average_rate, self._stream.guessed_rate)]
        return next((rate for rate in rates if is_plausible_rate(rate)), 0.0)

    def _declared_seconds(self) -> float:
        """Return the length that the file declares for the video, or 0 if it declares none."""
        if self._stream.duration and self._stream.time_base:
            return float(self._stream.duration * self._stream.time_base)
        # The length of the whole file may be that of another stream.
        alone = len(self._container.streams) == 1
        whole = float(Fraction(self._container.duration or 0, av.time_base)) if alone else 0.0
        end = _parse_duration(self._stream.metadata.get("DURATION", "")) or whole
        # Matroska files declare the time of the end, and the first frame may be later than 0.
        start = float((self._stream.start_time or 0) * (self._stream.time_base or 0))
        return end - max(start, 0.0)

    def _decode(self) -> Generator[av.VideoFrame, None, None]:
        """Yield the frames, none of them interlaced."""
        for packet in self._demux():
            for frame in self._decode_packet(packet):
                yield from self._deinterlacer.process(frame)
        yield from self._deinterlacer.flush()

    def _demux(self) -> "Iterator[av.Packet[av.VideoStream] | None]":
        """Yield the packets, and None if the file breaks off: the decoder then holds frames of before."""
        try:
            yield from self._container.demux(self._stream)
        except av.FFmpegError:
            yield None

    def _decode_packet(self, packet: "av.Packet[av.VideoStream] | None") -> "list[av.VideoFrame]":
        """Return the frames that a packet completes: none if it is broken."""
        try:
            return self._stream.decode(packet)
        except av.FFmpegError:
            return []

    def _to_image(self, frame: av.VideoFrame) -> np.ndarray:
        height, width = square_pixel_size(frame.height, frame.width, float(self._stream.sample_aspect_ratio or 1))
        # More threads would take longer to start than most frames take.
        image = frame.to_ndarray(format="rgb24", width=width, height=height, threads=1)
        if frame.rotation != self._rotation:
            self._rotation, self._matrix = frame.rotation, _find_matrix(frame)
        return _turn(image, self._matrix) if self._matrix else image


def _choose_stream(container: "av.container.InputContainer", name: str) -> av.VideoStream:
    """Return the stream that players show. The picture on the cover of a song is none.

    Raises:
        InputError: there is none.
    """
    videos = [
        stream for stream in container.streams.video if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not videos:
        content = "sound and no video" if container.streams.audio else "no video"
        raise InputError(f"{name} has {content}; expected a video such as .mp4, .avi, .mkv or .webm")
    decodable = [stream for stream in videos if has_codec(stream)]
    if not decodable:
        raise InputError(f"{name} has a codec that FFmpeg does not decode; convert it to H.264 in an .mp4 file first")
    best = container.streams.best("video")
    return next((stream for stream in decodable if stream is best), decodable[0])


def _parse_duration(text: str) -> float:
    """Return the seconds of a tag such as `00:01:02.500000000` in Matroska files, or 0 if it is none."""
    try:
        hours, minutes, seconds = map(float, text.split(":"))
    except ValueError:
        return 0.0
    return 3600 * hours + 60 * minutes + seconds


def _find_matrix(frame: av.VideoFrame) -> bytes:
    """Return the display matrix of a frame, or nothing.

    It is read only where the rotation changes: a frame whose side data was read is freed late.
    """
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    return b"" if matrix is None else bytes(matrix)


def _turn(image: np.ndarray, matrix: bytes) -> np.ndarray:
    """Return an image turned and mirrored by a display matrix: nine numbers of 32 bits, row by row."""
    across_x, across_y, _, down_x, down_y = struct.unpack("=5i", matrix[:20])
    if abs(across_y) > abs(across_x):
        image = image.swapaxes(0, 1)
        across_x, down_y = down_x, across_y
    return np.ascontiguousarray(image[:: -1 if down_y < 0 else 1, :: -1 if across_x < 0 else 1])
