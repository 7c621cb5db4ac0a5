"""The sources of camera images: a device, a stream, or a video file in its place."""

import math
import os
import stat
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from emotion.app.webcam.camera import Camera
from emotion.app.webcam.defaults import FIRST_IMAGE_TIMEOUT, STREAM_TIMEOUT
from emotion.core.errors import InputError
from emotion.data.images import from_frame
from emotion.inference.codecs.opencv_decoder import silence_ffmpeg
from emotion.inference.live_stream import LiveStream
from emotion.inference.stream_address import is_address
from emotion.inference.video_reader import VideoReader

DEVICES_FOLDER = Path("/dev")
"""The folder of Linux' cameras."""

RETRY_SECONDS = 0.05
"""Seconds to wait after a camera gave no image."""


def open_camera(
    source: str, *, first_image_timeout: float | None = None, loop: bool = False, paced: bool = True
) -> Camera:
    """Return the camera that `source` names.

    Args:
        source: a camera's number, from 0; a device such as /dev/video0; the address of a stream; or a video file to
            play in its place.
        first_image_timeout: seconds that it has until its first image; None for FIRST_IMAGE_TIMEOUT, or
            STREAM_TIMEOUT of a stream.
        loop: whether a file starts anew at its end.
        paced: whether a file plays at its own pace. If not, its images come as fast as they are taken, and none is left
            out.

    Raises:
        InputError: there is no such camera or file.
    """
    path = Path(source)
    if is_address(source):
        return _open_stream(source, STREAM_TIMEOUT if first_image_timeout is None else first_image_timeout)
    if first_image_timeout is None:
        first_image_timeout = FIRST_IMAGE_TIMEOUT
    number = _device_number(source)
    if number is not None:
        return Camera(source, lambda _: _device_images(number, number), first_image_timeout=first_image_timeout)
    if not source or not path.exists() or path.is_dir():
        raise InputError(
            f"--camera: got {source or 'no name'}, expected the number of a camera, such as 0, an address such as "
            "rtsp://camera.local/1, or a video file that exists"
        )
    if path.is_file():
        VideoReader(path).close()  # raises at once if it is no video
        return Camera(
            source,
            lambda playing: _file_images(path, playing, loop=loop, paced=paced),
            first_image_timeout=first_image_timeout,
            one_by_one=not paced,
        )
    return Camera(source, lambda _: _device_images(str(path), None), first_image_timeout=first_image_timeout)


def _open_stream(url: str, first_image_timeout: float) -> Camera:
    stream = LiveStream(url)
    # Lost connections end with an error of the stream, after some tries.
    return Camera(
        stream.name,
        lambda _: _stream_images(stream),
        first_image_timeout=first_image_timeout,
        silence_timeout=math.inf,
        notice=lambda: stream.notice,
    )


def _stream_images(stream: LiveStream) -> Iterator[np.ndarray]:
    with stream:
        start: float | None = None
        for frame in stream:
            start = time.monotonic() if start is None else start
            if stream.comes_ahead:
                time.sleep(max(0.0, start + frame.seconds - time.monotonic()))
            yield frame.image
    if stream.failure:
        raise InputError(stream.failure)


def _device_number(source: str) -> int | None:
    number = source.removeprefix("/dev/video")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 4 else None


def _device_images(device: int | str, number: int | None) -> Iterator[np.ndarray]:
    silence_ffmpeg()
    # Without it Windows takes up to half a minute to open a camera.
    os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
    capture = cv2.VideoCapture(device)
    try:
        if not capture.isOpened():
            raise InputError(_explain_closed(device, number))
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        while True:
            decoded, frame = capture.read()
            if decoded:
                yield from_frame(frame)
            else:
                time.sleep(RETRY_SECONDS)  # SILENCE_TIMEOUT ends it if it is gone
    finally:
        capture.release()


def _explain_closed(device: int | str, number: int | None) -> str:
    """Return why a camera does not open, as far as that can be known."""
    if number is None or not sys.platform.startswith("linux"):
        return f"camera {device} cannot be opened; plug it in, and close other programs that use it"
    node = DEVICES_FOLDER / f"video{number}"
    if not node.exists():
        others = [path.name.removeprefix("video") for path in sorted(DEVICES_FOLDER.glob("video*"))]
        expected = f"expected one of {', '.join(others)}" if others else "and this machine has none"
        return f"there is no camera {number}, {expected}; plug one in, or play a video file: --camera holiday.mp4"
    if not os.access(node, os.R_OK | os.W_OK):
        return f"you may not use camera {number}; add your user to the group of {node}, which is mostly `video`"
    if not stat.S_ISCHR(node.stat().st_mode):
        return f"{node} is no camera; choose another one with --camera"
    return f"camera {number} cannot be opened; close other programs that use {node}, or choose another --camera"


def _file_images(path: Path, playing: threading.Event, *, loop: bool, paced: bool) -> Iterator[np.ndarray]:
    while True:
        with VideoReader(path) as reader:
            start = time.monotonic()
            for frame in reader:
                if paced:
                    time.sleep(max(0.0, start + frame.seconds - time.monotonic()))
                yield frame.image
                if not playing.is_set():
                    playing.wait()
                    start = time.monotonic() - frame.seconds
        if not loop:
            return
