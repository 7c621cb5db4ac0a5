"""Each frame shows at its time, whatever its size and the rate."""

import numpy as np
import pytest

from emotion.core.errors import InputError
from emotion.inference.video_reader import VideoReader
from emotion.inference.video_writer import VideoWriter
from tests.clips import noise_images, read_frames, write_video


def test_frames_are_repeated_and_left_out_to_keep_the_time(codecs, here):
    times = 0.0, 0.01, 0.02, 0.3, 0.4, 0.42, 0.6
    with VideoWriter(here / "held.avi", (32, 32), 10) as writer:
        for number, seconds in enumerate(times):
            writer.write(np.full((32, 32, 3), 40 * number, np.uint8), seconds)
    values = [round(float(frame.image.mean()) / 40) for frame in read_frames(here / "held.avi")]
    assert values == [0, 2, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("rate", [0.5, 23.976, 29.97002997, 59.94, 119.8856, 240])
def test_any_rate_can_be_written(rate, codecs, here):
    path = write_video(here / "rate.mp4", noise_images(5), rate)
    with VideoReader(path) as reader:
        assert reader.frame_rate == pytest.approx(rate, abs=0.01)
        assert len(list(reader)) == 5


def test_frames_of_another_size_are_resized(codecs, here):
    with VideoWriter(here / "out.avi", (48, 64), 25) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)
        writer.write(np.full((96, 96, 3), 200, np.uint8), 0.04)
    frames = read_frames(here / "out.avi")
    assert [frame.image.shape for frame in frames] == [(48, 64, 3)] * 2
    np.testing.assert_allclose(frames[1].image, 200, atol=4)


def test_a_path_that_cannot_be_written_is_refused(codecs, here, capfd):
    with pytest.raises(InputError, match=r"64x48 .*nowhere/out\.mp4.*folder.*\.avi"):
        VideoWriter(here / "nowhere/out.mp4", (48, 64), 25)
    assert capfd.readouterr().err == ""


def test_odd_sizes_lose_no_pixel(codecs, here):
    images = noise_images(3, (51, 67))
    frames = read_frames(write_video(here / "odd.avi", images))
    assert frames[0].image.shape == (52, 68, 3)
    flat = [np.full((51, 67, 3), 180, np.uint8)] * 2
    np.testing.assert_allclose(read_frames(write_video(here / "flat.mp4", flat))[1].image, 180, atol=4)


@pytest.mark.parametrize("file_format", ["mp4", "avi"])
def test_the_smallest_video_can_be_written_and_read(file_format, codecs, here):
    assert len(read_frames(write_video(here / f"dot.{file_format}", noise_images(2, (1, 1))))) == 2


def test_frames_keep_their_times_where_pyav_writes(here):
    pytest.importorskip("av", reason="PyAV, of the extra [video], is not installed")
    times = [0.0, 0.01, 0.3, 0.31, 2.0]
    for name in ("new.mp4", "new.mkv"):
        with VideoWriter(here / name, (48, 64), 25) as writer:
            for image, seconds in zip(noise_images(5), times, strict=True):
                writer.write(image, seconds)
        np.testing.assert_allclose([frame.seconds for frame in read_frames(here / name)], times, atol=0.001)


def test_colors_are_those_that_were_written(codecs, here):
    image = np.zeros((64, 96, 3), np.uint8)
    image[:, :32], image[:, 32:64], image[:, 64:] = (200, 40, 40), (40, 200, 40), (40, 40, 200)
    write_video(here / "colors.mp4", [image] * 3)
    read = read_frames(here / "colors.mp4")[1].image.astype(int)
    for column in (16, 48, 80):
        np.testing.assert_allclose(read[32, column], image[32, column], atol=8)


def test_a_browser_plays_what_pyav_writes(here):
    av = pytest.importorskip("av", reason="PyAV, of the extra [video], is not installed")
    content = write_video(here / "new.mp4", noise_images(5)).read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    with av.open("new.mp4") as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
