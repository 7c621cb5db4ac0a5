"""FFmpeg's options: only the formats of videos, and for streams only the protocols of the address.

RTSP goes over TCP, which loses nothing.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

RTSP_PROTOCOLS = "rtsp", "rtsps", "rtp", "rtcp", "srtp", "tcp", "tls", "udp"
HTTP_PROTOCOLS = "http", "https", "httpproxy", "tcp", "tls", "crypto"
"""The protocols that FFmpeg may use. With `file` or `concat`, a playlist from the network could name local files."""

FILE_FORMATS = (
    *("mov", "matroska", "avi", "mpeg", "mpegts", "mpegtsraw", "mpegvideo", "flv", "live_flv", "kux", "asf", "ogg"),
    *("mxf", "dv", "rm", "ivr", "wtv", "nut", "nsv", "nuv", "pva", "gxf", "lxf", "swf", "gif", "apng", "yuv4mpegpipe"),
    *("dhav", "hxvs", "ifv", "luodat", "iv8", "mxg", "r3d", "mlv", "cine", "ser", "mjpeg", "smjpeg", "ivf", "h261"),
    *("h263", "h264", "hevc", "vvc", "m4v", "obu", "av1", "vc1", "vc1test", "dirac", "dnxhd", "cavsvideo", "avs2"),
    *("avs3", "bink", "smk", "roq", "film_cpk", "xmv", "thp", "aac", "ac3", "eac3", "mp3", "flac", "wav"),
)
"""The formats of files, by FFmpeg's names. The others are playlists, which open other files, texts, and rare ones."""

STREAM_FORMATS = (*FILE_FORMATS, "hls", "dash", "mpjpeg", "jpeg_pipe", "rtsp", "sdp", "rtp", "webvtt")
"""The formats of streams, and of what a playlist brings beside its video."""

_LOCK = threading.Lock()


def stream_options(location: str) -> dict[str, str]:
    """Return the options for a location, a URL or the path of a file."""
    scheme, separator, _ = location.partition("://")
    if not separator:
        return {"format_whitelist": ",".join(FILE_FORMATS)}
    formats = {"format_whitelist": ",".join(STREAM_FORMATS)}
    if scheme.lower().startswith("http"):
        return formats | {"protocol_whitelist": ",".join(HTTP_PROTOCOLS)}
    return formats | {"protocol_whitelist": ",".join(RTSP_PROTOCOLS), "rtsp_transport": "tcp"}


@contextmanager
def opencv_options(location: str) -> Iterator[None]:
    """Let OpenCV open `location` with its options in the block. It takes them from the environment only."""
    options = [f"{name};{value}" for name, value in stream_options(location).items()]
    with _LOCK:
        before = os.environ.get("OPENCV_FFMPEG_CAPTURE_OPTIONS")
        os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "|".join([*([before] if before else []), *options])
        try:
            yield
        finally:
            os.environ.pop("OPENCV_FFMPEG_CAPTURE_OPTIONS")
            if before is not None:
                os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = before
