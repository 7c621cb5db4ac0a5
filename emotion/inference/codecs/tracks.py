"""The tracks of a file whose codec PyAV knows."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av


def has_codec(track: "av.stream.Stream") -> bool:
    """Return whether a track can be decoded. Phones, for instance, add a track of sound that only they know."""
    context: object = track.codec_context
    return context is not None


def find_sound(container: "av.container.InputContainer") -> "list[av.AudioStream]":
    """Return the tracks of sound that can be decoded."""
    return [track for track in container.streams.audio if has_codec(track)]
