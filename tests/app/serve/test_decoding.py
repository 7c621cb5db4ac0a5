"""emotion.app.serve.decoding: a time limit ends what decodes, and the next image is decoded as usual."""

import asyncio
import time

import numpy as np
import pytest

from emotion.app.serve.decoding import PROCESSES, DecoderProcesses
from emotion.data.images import ImageError, UnknownFormatError, decode
from tests.app.serve.faulty_decoder import FOR_EVER, THE_END, answer_faults
from tests.app.serve.serving import gray
from tests.makers import encode

pytestmark = pytest.mark.medium

FILE = encode(gray(), ".jpg")


@pytest.fixture(scope="module")
def decoders():
    with DecoderProcesses(seconds=20) as decoders:
        yield decoders


def test_decodes_as_without_processes(decoders):
    np.testing.assert_array_equal(asyncio.run(decoders.decode(FILE)), decode(FILE))


@pytest.mark.parametrize("data, kind", [(b"no image", UnknownFormatError), (FILE[:200], ImageError)])
def test_refusals_come_through_with_their_reasons(decoders, data, kind):
    with pytest.raises(kind) as here:
        decode(data)
    with pytest.raises(kind) as there:
        asyncio.run(decoders.decode(data))
    assert str(there.value) == str(here.value)


@pytest.mark.parametrize("fault, reason", [(FOR_EVER, "more than 1 s to decode"), (THE_END, "makes its decoder fail")])
def test_what_does_not_end_or_ends_the_process_is_refused(fault, reason, monkeypatch):
    monkeypatch.setattr("emotion.app.serve.decoding.answer_images", answer_faults)
    with DecoderProcesses(seconds=1) as decoders:
        for _ in range(PROCESSES):
            with pytest.raises(ImageError, match=reason):
                asyncio.run(decoders.decode(fault))
            np.testing.assert_array_equal(asyncio.run(decoders.decode(FILE)), decode(FILE))


def test_the_end_waits_for_no_decoder(monkeypatch):
    async def start_and_leave() -> float:
        with DecoderProcesses(seconds=60) as decoders:
            running = asyncio.create_task(decoders.decode(FOR_EVER))
            await asyncio.sleep(3)
            assert not running.done()
            started = time.monotonic()
        with pytest.raises(ImageError, match="fail"):
            await running
        return time.monotonic() - started

    monkeypatch.setattr("emotion.app.serve.decoding.answer_images", answer_faults)
    assert asyncio.run(start_and_leave()) < 2
