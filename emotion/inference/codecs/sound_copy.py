"""Sound copied from one video file to another, packet by packet and unchanged."""

import io
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import av

from emotion.core.errors import InputError
from emotion.inference.codecs.encoder import Sound
from emotion.inference.codecs.stream_options import stream_options
from emotion.inference.codecs.tracks import find_sound

FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".avi": "avi"}
"""FFmpeg's names of the formats, by suffix."""

BROKEN_PACKET = av.error.InvalidDataError, av.error.ArgumentError
"""FFmpeg's errors where a packet is broken, or earlier than the one before. A recording with gaps has such packets."""


class SoundCopy:
    """Copies all tracks of sound of a file into a new one, along with its frames.

    Args:
        sound: what to copy.
        target: the new file, before its header is written.
        path: the name of the new file.

    Raises:
        InputError: the format of the new file cannot hold the sound.
    """

    def __init__(self, sound: Sound, target: "av.container.OutputContainer", path: Path) -> None:
        self._source = av.open(sound.path, metadata_errors="replace", options=stream_options(sound.path))
        tracks = find_sound(self._source)
        _check_format(tracks, sound.name, path.suffix.lower())
        self._target = target
        self._start = (self._source.start_time or 0) / av.time_base
        self.first_frame = max(0.0, sound.first_frame - self._start)
        """The time of the first frame in the new file, in seconds."""
        self._tracks = {track.index: target.add_stream_from_template(track) for track in tracks}
        self._packets = self._read_packets(tracks)
        self._next = next(self._packets, None)

    def copy_until(self, seconds: float) -> None:
        """Copy the packets up to a time of the new file. Those that are broken or go back in time are left out."""
        while self._next is not None and _seconds_of(self._next) <= seconds:
            with suppress(*BROKEN_PACKET):
                self._target.mux_one(self._next)
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Close the file that is read."""
        self._packets.close()
        self._source.close()

    def _read_packets(self, tracks: "Sequence[av.AudioStream]") -> "Generator[av.Packet[Any], None, None]":
        """Yield the packets with their times and tracks in the new file."""
        try:
            for packet in self._source.demux(tracks):
                if packet.dts is None:  # it would flush a decoder
                    continue
                shift = round(self._start / packet.time_base)
                packet.dts -= shift
                packet.pts = packet.dts if packet.pts is None else packet.pts - shift
                packet.stream = self._tracks[packet.stream.index]
                yield packet
        except av.FFmpegError:
            return  # the source is cut off


def _seconds_of(packet: "av.Packet[Any]") -> float:
    return float((packet.dts or 0) * packet.time_base)


def _check_format(tracks: "Sequence[av.AudioStream]", name: str, suffix: str) -> None:
    """Raise InputError if a format cannot hold tracks of sound."""
    if _can_hold(tracks, suffix):
        return
    others = [other for other in FORMATS if _can_hold(tracks, other)]
    codecs = ", ".join(sorted({track.codec.canonical_name for track in tracks}))
    rename = f"write a file that ends in {' or '.join(others)}, or " if others else ""
    raise InputError(
        f"{name} has sound of the codec {codecs}, which a {suffix} file cannot hold; {rename}leave it out with "
        "--no-sound"
    )


def _can_hold(tracks: "Sequence[av.AudioStream]", suffix: str) -> bool:
    try:
        with av.open(io.BytesIO(), "w", format=FORMATS[suffix]) as container:
            for track in tracks:
                container.add_stream_from_template(track)
            container.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True
