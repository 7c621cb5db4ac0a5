"""The choice of a decoder and an encoder: PyAV's where it is installed, else OpenCV's."""

from functools import cache
from pathlib import Path

from emotion.inference.codecs.decoder import Decoder
from emotion.inference.codecs.encoder import Encoder, Sound


def open_decoder(location: str, name: str, *, timeouts: tuple[float, float] | None = None) -> Decoder:
    """Return the decoder of a video.

    Args:
        location: the absolute path of a file, or a URL.
        name: names the video in messages.
        timeouts: seconds that a stream has to open, and from one read to the next.

    Raises:
        InputError: there is no video that can be read.
    """
    if has_pyav():
        from emotion.inference.codecs.pyav_decoder import PyAvDecoder

        return PyAvDecoder(location, name, timeouts=timeouts)
    from emotion.inference.codecs.opencv_decoder import OpenCvDecoder

    return OpenCvDecoder(location, name, timeouts=timeouts)


def open_encoder(path: Path, size: tuple[int, int], frame_rate: float, sound: Sound | None) -> Encoder:
    """Return the encoder of a new video. Only PyAV's copies sound.

    Args:
        path: the file; its suffix decides the format.
        size: height and width of the frames, both even.
        frame_rate: frames per second, on average.
        sound: what is to be heard.

    Raises:
        InputError: such a file cannot be written there, or the format cannot hold the sound.
    """
    if has_pyav():
        from emotion.inference.codecs.pyav_encoder import PyAvEncoder, can_encode

        if can_encode(path):
            return PyAvEncoder(path, size, frame_rate, sound)
    from emotion.inference.codecs.opencv_encoder import OpenCvEncoder

    return OpenCvEncoder(path, size, frame_rate)


@cache
def has_pyav() -> bool:
    """Return whether PyAV, the extra `[video]`, is installed."""
    try:
        import av  # noqa: F401
    except ImportError:
        return False
    return True
