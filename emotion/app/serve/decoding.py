"""Decoding of the images that clients send: in processes, which a time limit ends and replaces.

A decoder is code in C that nothing else can stop. An image may make it run for minutes, or end its process.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from types import TracebackType

import numpy as np

from emotion.data.images import ImageError, decode
from emotion.parallel.parent import end_with_parent

Decode = Callable[[bytes], Awaitable[np.ndarray]]
"""A function that decodes as `emotion.data.images.decode` while the server goes on answering."""

PROCESSES = 2
"""One decodes while another one starts anew."""


async def decode_in_thread(data: bytes) -> np.ndarray:
    """Decode an image in a thread of this process, without a limit of time."""
    return await asyncio.to_thread(decode, data)


class DecoderProcesses:
    """Processes that decode. They start with the first images, and end with the context."""

    def __init__(self, seconds: float) -> None:
        """Take the seconds after which an image is given up."""
        self._decoders = [DecoderProcess(seconds) for _ in range(PROCESSES)]
        self._idle = list(self._decoders)
        self._threads = ThreadPoolExecutor(PROCESSES, thread_name_prefix="decoder")

    def __enter__(self) -> "DecoderProcesses":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for decoder in self._decoders:
            decoder.end()

    async def decode(self, data: bytes) -> np.ndarray:
        """Return the image in `data`, as `emotion.data.images.decode` does.

        Raises:
            ImageError: as `decode`; or the image takes too long, or makes its decoder fail.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._decode, data)

    def _decode(self, data: bytes) -> np.ndarray:
        decoder = self._idle.pop()
        try:
            return decoder.decode(data)
        finally:
            self._idle.append(decoder)


class DecoderProcess:
    """A process that decodes one image after the other. It is started anew where it had to be ended."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._process: multiprocessing.process.BaseProcess | None = None
        self._connection: Connection | None = None

    def decode(self, data: bytes) -> np.ndarray:
        """Return the image in `data`; raise ImageError as `DecoderProcesses.decode` does."""
        try:
            connection = self._connection or self._start()
            connection.send_bytes(data)
            answer = connection.recv() if connection.poll(self._seconds) else None
        except (EOFError, OSError):
            self.end()
            raise ImageError("the image makes its decoder fail; save it again") from None
        if answer is None:
            self.end()
            raise ImageError(f"the image takes more than {self._seconds:g} s to decode; save it again")
        if isinstance(answer, ImageError):
            raise answer
        image: np.ndarray = answer
        return image

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        self._connection, other_end = context.Pipe()
        self._process = context.Process(target=answer_images, args=(other_end, os.getpid()), daemon=True)
        self._process.start()
        # The connection then ends with the process.
        other_end.close()
        self._connection.recv_bytes()
        return self._connection

    def end(self) -> None:
        """End the process, whatever it does."""
        if self._process:
            self._process.kill()
        self._process = self._connection = None


def answer_images(connection: Connection, parent: int) -> None:
    """Answer the bytes of each image that comes with its pixels, or with the reason why there are none."""
    end_with_parent(parent)
    # Ctrl-C reaches this process too, and the server ends it after the last answers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, OSError):  # the server has ended
        connection.send_bytes(b"ready")
        while True:
            connection.send(_decode_or_refuse(connection.recv_bytes()))


def _decode_or_refuse(data: bytes) -> np.ndarray | ImageError:
    try:
        return decode(data)
    except ImageError as error:
        return error
