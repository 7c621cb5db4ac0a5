"""Interlaced videos recognized without PyAV.

OpenCV does not decode a frame that is flagged as interlaced. It then returns the memory of the frame before, and calls
this a success. So a video counts as interlaced if its codec allows that and OpenCV returns the same pixels twice.
"""

import re
from itertools import pairwise

import cv2

FRAMES_COMPARED = 8
"""Frames at the start of a video that are looked at."""

DV = frozenset({"dvsd", "dvc ", "dvcp", "dvhd"})
INTRA_CODECS = frozenset({"mjpg", "apch", "apcn", "apcs", "apco", "ap4h", "ap4x", "avdn", "avdh"})
"""Codes of Motion JPEG, ProRes and DNxHD. Their frames are equal only where their packets are."""

START_CODE = b"\x00\x00\x01"
H264_SEQUENCE = re.compile(START_CODE + rb"[\x07\x27\x47\x67](.{4,60})", re.DOTALL)
MPEG2_SEQUENCE = re.compile(START_CODE + rb"\xb5([\x10-\x1f].)", re.DOTALL)
MPEG2_PROGRESSIVE = 0x08
MPEG4_CODECS = frozenset({"fmp4", "mp4v", "xvid", "divx", "dx50"})
MPEG4_LAYER = re.compile(START_CODE + rb"[\x20-\x2f](.{4,40})", re.DOTALL)

CHROMA_PROFILES = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
"""Profiles of H.264 whose sequence header describes the chroma."""


def is_interlaced(path: str) -> bool:
    """Return whether OpenCV fails at the first frames of a file, which it can open, because they are interlaced."""
    if not _allows_interlaced(path):
        return False
    frames = _read_start(cv2.VideoCapture(path, cv2.CAP_FFMPEG))
    return len(frames) < 2 or _repeats(frames)


def _allows_interlaced(path: str) -> bool:
    """Return whether frames may be interlaced, by the headers of a video."""
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    codec = (int(capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF).to_bytes(4, "little").decode("latin-1").lower()
    capture.release()
    if codec in DV:
        return True
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG, (cv2.CAP_PROP_FORMAT, -1))
    # A recording may start between two headers. FFmpeg then has looked further ahead for one.
    header = capture.retrieve(flag=int(capture.get(cv2.CAP_PROP_CODEC_EXTRADATA_INDEX)))[1]
    packets = _read_start(capture)
    if codec in INTRA_CODECS:
        return not _repeats(packets)
    contents = packets if header is None else [header.tobytes(), *packets]
    return any(allows for content in contents for allows in _find_headers(codec, content))


def _find_headers(codec: str, packet: bytes) -> list[bool]:
    """Return whether each sequence header in a packet allows interlaced frames."""
    if codec in ("h264", "avc1"):
        return [_h264_allows_fields(match[1]) for match in H264_SEQUENCE.finditer(packet)]
    if codec in MPEG4_CODECS:
        return [_mpeg4_is_interlaced(match[1]) for match in MPEG4_LAYER.finditer(packet)]
    if codec in ("mpg2", "mp2v"):
        return [not match[1][1] & MPEG2_PROGRESSIVE for match in MPEG2_SEQUENCE.finditer(packet)]
    return []


def _read_start(capture: cv2.VideoCapture) -> list[bytes]:
    """Return the first frames, or packets, that OpenCV reads from a file, and close it."""
    read: list[bytes] = []
    while len(read) < FRAMES_COMPARED and (result := capture.read())[0]:
        read.append(result[1].tobytes())
    capture.release()
    return read


def _repeats(items: list[bytes]) -> bool:
    return any(one == other for one, other in pairwise(items))


class _Bits:
    """Reads the numbers of a header, from its first bit on. Past the end it raises ValueError."""

    def __init__(self, header: bytes) -> None:
        plain = header.replace(b"\x00\x00\x03", b"\x00\x00")
        self._bits = "".join(f"{byte:08b}" for byte in plain)
        self._position = 0

    def take(self, count: int) -> int:
        """Return the number in the next `count` bits, at least one."""
        self._position += count
        return int(self._bits[self._position - count : self._position], 2)

    def take_golomb(self, times: int = 1) -> int:
        """Return the next number in the exponential code of Golomb, without sign; with `times`, the last of several."""
        number = 0
        for _ in range(times):
            zeros = 0
            while not self.take(1):
                zeros += 1
            number = (1 << zeros) - 1 + (self.take(zeros) if zeros else 0)
        return number


def _h264_allows_fields(header: bytes) -> bool:
    """Return whether a sequence header of H.264 (section 7.3.2.1.1 of its standard) lets a frame hold two fields."""
    bits = _Bits(header)
    try:
        profile = bits.take(8)
        bits.take(16)
        bits.take_golomb()
        if profile in CHROMA_PROFILES:
            _skip_chroma(bits)
        bits.take_golomb()
        _skip_picture_order(bits)
        bits.take_golomb()
        bits.take(1)
        bits.take_golomb(2)
        return not bits.take(1)
    except ValueError:
        return False


def _skip_chroma(bits: _Bits) -> None:
    chroma = bits.take_golomb()
    if chroma == 3:
        bits.take(1)
    bits.take_golomb(2)
    bits.take(1)
    if bits.take(1):
        for number in range(12 if chroma == 3 else 8):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if number < 6 else 64)


def _skip_scaling_list(bits: _Bits, length: int) -> None:
    last = 8
    for _ in range(length):
        code = bits.take_golomb()
        change = (code + 1) // 2 if code % 2 else -(code // 2)
        following = (last + change) % 256
        if not following:
            return
        last = following


def _skip_picture_order(bits: _Bits) -> None:
    kind = bits.take_golomb()
    if kind == 0:
        bits.take_golomb()
    elif kind == 1:
        bits.take(1)
        bits.take_golomb(2)
        bits.take_golomb(bits.take_golomb())


def _mpeg4_is_interlaced(header: bytes) -> bool:
    """Return whether a layer header of MPEG-4 Part 2 (its section 6.2.3) says that frames hold two fields."""
    bits = _Bits(header)
    try:
        bits.take(9)
        if bits.take(1):
            bits.take(7)
        if bits.take(4) == 15:
            bits.take(16)
        if bits.take(1):
            bits.take(3)
            if bits.take(1):
                bits.take(79)
        bits.take(3)  # the shape, a rectangle in all files of cameras, and a marker
        steps = bits.take(16)
        bits.take(1)
        if bits.take(1):
            bits.take(max(1, (steps - 1).bit_length()))
        bits.take(29)
        return bool(bits.take(1))
    except ValueError:
        return False
