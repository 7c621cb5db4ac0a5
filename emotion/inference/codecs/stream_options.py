"""FFmpeg's options for streams: only the protocols of the address, and RTSP over TCP, which loses nothing."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

RTSP_PROTOCOLS = "rtsp", "rtsps", "rtp", "rtcp", "srtp", "tcp", "tls", "udp"
HTTP_PROTOCOLS = "http", "https", "httpproxy", "tcp", "tls", "crypto"
"""The protocols that FFmpeg may use. With `file` or `concat`, a playlist from the network could name local files."""

_LOCK = threading.Lock()


def stream_options(location: str) -> dict[str, str]:
    """Return the options for a location; none for a file."""
    scheme, separator, _ = location.partition("://")
    if not separator:
        return {}
    if scheme.lower().startswith("http"):
        return {"protocol_whitelist": ",".join(HTTP_PROTOCOLS)}
    return {"protocol_whitelist": ",".join(RTSP_PROTOCOLS), "rtsp_transport": "tcp"}


@contextmanager
def opencv_options(location: str) -> Iterator[None]:
    """Let OpenCV open `location` with its options in the block. It takes them from the environment only."""
    options = "|".join(f"{name};{value}" for name, value in stream_options(location).items())
    if not options:
        yield
        return
    with _LOCK:
        before = os.environ.get("OPENCV_FFMPEG_CAPTURE_OPTIONS")
        os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = options
        try:
            yield
        finally:
            os.environ.pop("OPENCV_FFMPEG_CAPTURE_OPTIONS")
            if before is not None:
                os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = before
