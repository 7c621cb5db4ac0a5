"""Servers of streams for tests: a camera by RTSP, and one by HTTP. They listen on 127.0.0.1 only."""

import base64
import io
import re
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import numpy as np
from PIL import Image

USER, PASSWORD, TOKEN = "someuser", "s3cretword", "t0kenvalue"
"""Secrets that nothing may print."""

SECRETS = (USER, PASSWORD, TOKEN)
RATE = 100
PAYLOAD_BYTES = 1200
CREDENTIALS = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def jpeg_of(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "jpeg", quality=90, subsampling="4:2:0")
    return buffer.getvalue()


def rtp_packets(jpeg: bytes, number: int, sequence: Iterator[int]) -> Iterator[bytes]:
    """Yield the packets of an image after RFC 2435, its quantization tables with it."""
    tables, size, scan = b"", (0, 0), b""
    position = 2
    while not scan:
        marker, length = struct.unpack(">HH", jpeg[position : position + 4])
        body = jpeg[position + 4 : position + 2 + length]
        if marker == 0xFFDB:
            tables += b"".join(body[start + 1 : start + 65] for start in range(0, len(body), 65))
        elif marker == 0xFFC0:
            size = struct.unpack(">HH", body[1:5])
        elif marker == 0xFFDA:
            scan = jpeg[position + 2 + length :]
        position += 2 + length
    for start in range(0, len(scan), PAYLOAD_BYTES):
        part = scan[start : start + PAYLOAD_BYTES]
        last = start + PAYLOAD_BYTES >= len(scan)
        header = struct.pack(">IBBBB", start, 1, 255, size[1] // 8, size[0] // 8)
        header += struct.pack(">BBH", 0, 0, len(tables)) + tables if start == 0 else b""
        rtp = struct.pack(
            ">BBHII", 0x80, 26 | (0x80 if last else 0), next(sequence) % 65536, 90_000 // RATE * number, 7
        )
        yield rtp + header + part


def h264_packets(units: Sequence[bytes], number: int, sequence: Iterator[int]) -> Iterator[bytes]:
    """Yield the packets of an image after RFC 6184. Units that are too long are sent in fragments."""
    parts: list[bytes] = []
    for unit in units:
        if len(unit) <= PAYLOAD_BYTES:
            parts.append(unit)
            continue
        pieces = [unit[start : start + PAYLOAD_BYTES] for start in range(1, len(unit), PAYLOAD_BYTES)]
        for index, piece in enumerate(pieces):
            ends = (0x80 if index == 0 else 0) | (0x40 if index == len(pieces) - 1 else 0)
            parts.append(bytes([unit[0] & 0xE0 | 28, unit[0] & 0x1F | ends]) + piece)
    for index, part in enumerate(parts):
        kind = 96 | (0x80 if index == len(parts) - 1 else 0)
        yield struct.pack(">BBHII", 0x80, kind, next(sequence) % 65536, 90_000 // RATE * number, 7) + part


def h264_units(images: Sequence[np.ndarray]) -> list[list[bytes]]:
    """Return the units of each image, encoded as cameras do: a key image, and others that build on it."""
    import av

    encoder: Any = av.CodecContext.create("libx264", "w")
    encoder.height, encoder.width = images[0].shape[:2]
    encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, RATE)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "10"}
    frames = [av.VideoFrame.from_ndarray(image, format="rgb24") for image in images]
    packets = [bytes(packet) for frame in [*frames, None] for packet in encoder.encode(frame)]
    return [[unit for unit in re.split(b"\0?\0\0\1", packet) if unit] for packet in packets]


class RtspServer(socketserver.ThreadingTCPServer):
    """A camera that streams images over TCP, in JPEG or H.264.

    Args:
        images: uint8 (height, width, 3), with sides that are multiples of 16; they repeat.
        breaks: for each connection the number of images after which it is closed; further ones go on.
        password: whether it wants USER and PASSWORD.
        stalls: whether it stays silent in place of closing.
        h264: whether it sends H.264.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self,
        images: Sequence[np.ndarray],
        *,
        breaks: Sequence[int] = (),
        password: bool = False,
        stalls: bool = False,
        h264: bool = False,
    ) -> None:
        super().__init__(("127.0.0.1", 0), _RtspConnection)
        self.format = "96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1" if h264 else "26"
        coded: Sequence[Any] = h264_units(images) if h264 else [jpeg_of(image) for image in images]
        packets = h264_packets if h264 else rtp_packets
        self.packets = lambda number, sequence: packets(coded[number % len(coded)], number, sequence)
        self.breaks, self.password, self.stalls = iter(breaks), password, stalls
        self.plays = 0
        self.stopped = threading.Event()

    def handle_error(self, request: Any, address: Any) -> None:
        """Say nothing where a client has gone."""


class _RtspConnection(socketserver.StreamRequestHandler):
    server: RtspServer

    def handle(self) -> None:
        while (request := self._read_request()) is not None:
            method, sequence, lines = request
            if self.server.password and f"Authorization: Basic {CREDENTIALS}" not in lines:
                self._reply("401 Unauthorized", sequence, 'WWW-Authenticate: Basic realm="camera"')
            elif method == "DESCRIBE":
                media = f"m=video 0 RTP/AVP {self.server.format}\r\na=control:1\r\n"
                sdp = f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n{media}"
                self._reply("200 OK", sequence, "Content-Type: application/sdp", body=sdp)
            elif method == "SETUP":
                self._reply("200 OK", sequence, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 9")
            elif method == "PLAY":
                self._reply("200 OK", sequence, "Session: 9")
                self._play()
                return
            else:
                self._reply("200 OK", sequence, "Public: DESCRIBE, SETUP, PLAY, TEARDOWN")

    def _read_request(self) -> tuple[str, str, list[str]] | None:
        lines = list(iter(lambda: self.rfile.readline().decode().strip(), ""))
        if not lines:
            return None
        sequence = next(line for line in lines if line.lower().startswith("cseq"))
        return lines[0].split()[0], sequence, lines

    def _reply(self, status: str, sequence: str, *headers: str, body: str = "") -> None:
        lines = [f"RTSP/1.0 {status}", sequence, *headers, f"Content-Length: {len(body)}", "", body]
        self.wfile.write("\r\n".join(lines).encode())

    def _play(self) -> None:
        self.server.plays += 1
        last = next(self.server.breaks, None)
        sequence = count()
        for number in count() if last is None else range(last):
            if self.server.stopped.is_set():
                return
            for packet in self.server.packets(number, sequence):
                self.wfile.write(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
            time.sleep(1 / RATE)
        if self.server.stalls:
            self.server.stopped.wait(60)


class HttpServer(ThreadingHTTPServer):
    """A server with a camera at /live, and other files.

    Args:
        images: those of the camera; they repeat.
        files: contents and types by path.
        breaks: as of RtspServer.
        password: as of RtspServer.
    """

    daemon_threads = True

    def __init__(
        self,
        images: Sequence[np.ndarray] = (),
        *,
        files: dict[str, tuple[bytes, str]] | None = None,
        breaks: Sequence[int] = (),
        password: bool = False,
    ) -> None:
        super().__init__(("127.0.0.1", 0), _HttpConnection)
        self.jpegs = [jpeg_of(image) for image in images]
        self.files = files or {}
        self.breaks, self.password = iter(breaks), password
        self.asked: list[str] = []
        self.stopped = threading.Event()

    def handle_error(self, request: Any, address: Any) -> None:
        """Say nothing where a client has gone."""


class _HttpConnection(BaseHTTPRequestHandler):
    server: HttpServer

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append(path)
        if self.server.password and self.headers["Authorization"] != f"Basic {CREDENTIALS}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.end_headers()
        elif path == "/live":
            self._send_live()
        elif path in self.server.files:
            content, kind = self.server.files[path]
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        else:
            self.send_error(404)

    def _send_live(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=part")
        self.end_headers()
        last = next(self.server.breaks, None)
        for number in count() if last is None else range(last):
            if self.server.stopped.is_set():
                return
            jpeg = self.server.jpegs[number % len(self.server.jpegs)]
            head = f"--part\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")
            time.sleep(1 / RATE)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def running(server: Any) -> Iterator[Any]:
    """Serve in a thread; yield the server, which has its address as `place`."""
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    server.place = f"127.0.0.1:{server.server_address[1]}"
    try:
        yield server
    finally:
        server.stopped.set()
        server.shutdown()
        server.server_close()


@contextmanager
def silent_server(answer: Callable[[socket.socket], object] = lambda connection: None) -> Iterator[str]:
    """Yield the address of a server that takes connections and says nothing more than `answer` does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connections = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connections.append(listener.accept()[0])
                    answer(connections[-1])

        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        for connection in connections:
            connection.close()


def closed_port() -> int:
    """Return the number of a port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
