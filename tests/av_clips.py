"""Videos that OpenCV cannot write: interlaced, with sound, or of other pixels. PyAV writes them."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

av = pytest.importorskip("av", reason="PyAV, of the extra [video], is not installed")

RATE = 25
SOUND_RATE = 16000
INTERLACED = {"flags": "+ilme+ildct"}
"""The options with which encoders store the two fields of a frame apart."""


def write_frames(
    path: Path,
    frames: Iterable[np.ndarray],
    codec: str = "libx264",
    *,
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    times: list[float] | None = None,
    interlaced: bool = False,
    aspect_ratio: Fraction | None = None,
    turn: tuple[float, bool] | None = None,
    sound: str | None = None,
    sound_seconds: float = 1.0,
    tracks: int = 1,
) -> Path:
    """Write a video, by default of RATE frames a second.

    Args:
        path: where to.
        frames: uint8 (height, width, 3), RGB.
        codec: FFmpeg's name of the encoder.
        pixels: FFmpeg's name of the kind of pixels.
        options: options of the encoder.
        times: seconds at which the frames are shown.
        interlaced: whether the frames are flagged as two fields, the upper one first.
        aspect_ratio: width of a pixel over its height.
        turn: degrees counterclockwise by which the video is to be shown turned, and whether it is mirrored.
        sound: the encoder of a tone, if there is to be one.
        sound_seconds: how long it lasts.
        tracks: how many tracks have it.
    """
    images = list(frames)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=RATE, options=options or {})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixels
        if times:
            stream.codec_context.time_base = Fraction(1, 1000)
        if aspect_ratio:
            stream.codec_context.sample_aspect_ratio = aspect_ratio
        if turn:
            stream.set_display_rotation(turn[0], turn[1], False)
        tones = [container.add_stream(sound, rate=SOUND_RATE, layout="mono") for _ in range(tracks)] if sound else []
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pixels)
            frame = flag_as_interlaced(frame) if interlaced else frame
            frame.time_base = Fraction(1, 1000)
            frame.pts = round(1000 * (times[number] if times else number / RATE))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for track in tones:
            write_tone(container, track, sound_seconds)
    return path


def flag_as_interlaced(frame: Any) -> Any:
    """Return a frame that is flagged as two fields."""
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, RATE), name="source"
    )
    graph.link_nodes(source, graph.add("setfield", "mode=tff"), graph.add("buffersink")).configure()
    graph.vpush(frame)
    return graph.vpull()


def write_tone(container: Any, track: Any, seconds: float) -> None:
    """Write a tone of 440 Hz into a track."""
    samples = 8000 * np.sin(np.arange(round(seconds * SOUND_RATE)) * 2 * np.pi * 440 / SOUND_RATE)
    frame = av.AudioFrame.from_ndarray(samples.astype(np.int16)[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, 0, Fraction(1, SOUND_RATE)
    context = track.codec_context
    resampler = av.AudioResampler(format=context.format, layout="mono", rate=SOUND_RATE, frame_size=context.frame_size)
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(track.encode(piece))
    container.mux(track.encode(None))


def moving_portrait(portrait: np.ndarray, count: int, size: tuple[int, int]) -> list[np.ndarray]:
    """Return frames over which a portrait moves, and thus no two are equal."""
    import cv2

    image = cv2.resize(portrait, size[::-1], interpolation=cv2.INTER_AREA)
    return [np.roll(image, 2 * number, axis=1) for number in range(count)]
