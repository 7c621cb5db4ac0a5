"""Frames are read as they are to be shown, whatever the pixels, the rotation and the times of a video."""

import gc
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotion.core.errors import InputError
from emotion.inference.codecs.square_pixels import square_pixel_size
from emotion.inference.predictor import Predictor
from emotion.inference.video_reader import VideoReader
from tests import av_clips
from tests.clips import noise_images, plain_image, read_frames

CASES = Path(__file__).with_name("cases")
SIZE = 96, 128


@pytest.mark.parametrize(
    "codec, pixels, name",
    [
        ("libx264", "yuv420p10le", "ten_bits.mp4"),
        ("libx264", "yuv444p", "full_color.mp4"),
        ("libx264", "gray", "gray.mp4"),
        ("ffv1", "bgra", "alpha.mkv"),
        ("ffv1", "yuv420p16le", "sixteen_bits.mkv"),
        ("mjpeg", "yuvj420p", "full_range.avi"),
    ],
)
def test_pixels_of_any_kind_become_rgb(codec, pixels, name, codecs, astronaut, here):
    images = av_clips.moving_portrait(astronaut, 3, SIZE)
    if pixels == "gray":
        images = [cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB) for image in images]
    path = av_clips.write_frames(here / name, images, codec, pixels=pixels)
    for frame, image in zip(read_frames(path), images, strict=True):
        assert frame.image.dtype == np.uint8
        assert np.abs(frame.image.astype(int) - image).mean() < 12


def test_odd_sizes_are_read(codecs, here):
    path = av_clips.write_frames(here / "odd.mkv", noise_images(2, (51, 67)), "ffv1", pixels="yuv444p")
    assert [frame.image.shape for frame in read_frames(path)] == [(51, 67, 3)] * 2


@pytest.mark.parametrize("ratio, shown", [(Fraction(2), (96, 256)), (Fraction(8, 9), (108, 128)), (None, (96, 128))])
def test_pixels_become_square(ratio, shown, codecs, astronaut, here):
    images = av_clips.moving_portrait(astronaut, 2, SIZE)
    path = av_clips.write_frames(here / "wide.mp4", images, aspect_ratio=ratio)
    image = read_frames(path)[0].image
    assert image.shape == (*shown, 3)
    assert np.abs(image.astype(int) - cv2.resize(images[0], shown[::-1])).mean() < 12


@pytest.mark.parametrize(
    "ratio, shown",
    [(1.0, (480, 640)), (1.001, (480, 640)), (64 / 45, (480, 910)), (10 / 11, (528, 640)), (0.0, (480, 640))],
)
def test_no_side_becomes_shorter(ratio, shown):
    assert square_pixel_size(480, 640, ratio) == shown


@pytest.mark.parametrize("ratio", [1e-4, 1000.0, -2.0, float("nan"), float("inf")])
def test_absurd_ratios_are_ignored(ratio):
    assert square_pixel_size(480, 640, ratio) == (480, 640)


@pytest.mark.parametrize("degrees, turns", [(90, 1), (180, 2), (270, 3)])
def test_a_video_is_turned_as_it_asks(degrees, turns, codecs, astronaut, here):
    images = av_clips.moving_portrait(astronaut, 2, SIZE)
    path = av_clips.write_frames(here / "turned.mp4", images, turn=(degrees, False))
    assert np.abs(read_frames(path)[0].image.astype(int) - np.rot90(images[0], turns)).mean() < 12


def test_pixels_of_a_turned_video_become_square(codecs, astronaut, here):
    images = av_clips.moving_portrait(astronaut, 2, SIZE)
    path = av_clips.write_frames(here / "both.mp4", images, turn=(90, False), aspect_ratio=Fraction(2))
    expected = np.rot90(cv2.resize(images[0], (256, 96)))
    assert np.abs(read_frames(path)[0].image.astype(int) - expected).mean() < 12


@pytest.mark.parametrize("degrees", [0, 90])
def test_a_mirrored_video_is_mirrored(degrees, astronaut, here):
    images = av_clips.moving_portrait(astronaut, 2, SIZE)
    straight = av_clips.write_frames(here / "straight.mp4", images, turn=(degrees, False))
    mirrored = av_clips.write_frames(here / "mirrored.mp4", images, turn=(degrees, True))
    one, other = (read_frames(path)[0].image for path in (straight, mirrored))
    flips = [one[:, ::-1], one[::-1]]
    assert any(np.array_equal(other, flip) for flip in flips)


def test_a_varying_rate_keeps_its_times(codecs, here):
    times = [0.0, 0.04, 0.08, 0.5, 0.54, 2.0]
    path = av_clips.write_frames(here / "varying.mp4", noise_images(6), times=times)
    np.testing.assert_allclose([frame.seconds for frame in read_frames(path)], times, atol=0.002)


def test_times_start_at_zero(codecs, here):
    times = [3.0 + number / 25 for number in range(5)]
    path = av_clips.write_frames(here / "late.mkv", noise_images(5), times=times)
    np.testing.assert_allclose([frame.seconds for frame in read_frames(path)], np.arange(5) / 25, atol=0.002)


@pytest.mark.parametrize("sound", [None, "aac"])
def test_a_late_start_is_no_early_end(sound, here):
    times = [3.0 + number / 25 for number in range(5)]
    path = av_clips.write_frames(here / "late.mkv", noise_images(5), times=times, sound=sound, sound_seconds=3.2)
    with VideoReader(path) as reader:
        assert len(list(reader)) == 5
        assert reader.missing_frames == 0


def test_the_size_may_change_midway(here):
    small = av_clips.write_frames(here / "small.ts", noise_images(3, (48, 64)))
    large = av_clips.write_frames(here / "large.ts", noise_images(3, (96, 128)))
    (here / "both.ts").write_bytes(small.read_bytes() + large.read_bytes())
    assert {frame.image.shape for frame in read_frames(here / "both.ts")} == {(48, 64, 3), (96, 128, 3)}


def test_a_picture_on_the_cover_is_no_video(here):
    picture = cv2.imencode(".png", plain_image())[1].tobytes()
    write_with_cover(here / "song.mkv", [], picture)
    with pytest.raises(InputError, match=r"song\.mkv has sound and no video.*expected a video"):
        VideoReader(here / "song.mkv")
    write_with_cover(here / "clip.mkv", noise_images(4, SIZE), picture)
    assert [frame.image.shape for frame in read_frames(here / "clip.mkv")] == [(*SIZE, 3)] * 4


def write_with_cover(path: Path, frames: list[np.ndarray], picture: bytes) -> None:
    with av_clips.av.open(str(path), "w") as container:
        container.add_attachment("cover.png", "image/png", picture)
        if frames:
            video = container.add_stream("libx264", rate=25)
            video.height, video.width = frames[0].shape[:2]
            for frame in frames:
                container.mux(video.encode(av_clips.av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(video.encode(None))
        else:
            av_clips.write_tone(container, container.add_stream("flac", rate=16000, layout="mono"), 0.2)


def test_packets_that_are_broken_are_left_out(codecs, astronaut, here, capfd):
    path = av_clips.write_frames(here / "video.mkv", av_clips.moving_portrait(astronaut, 12, SIZE), "mpeg4")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    path.write_bytes(content)
    assert 5 < len(read_frames(path)) <= 12
    assert capfd.readouterr() == ("", "")


def test_an_unknown_codec_is_named(here):
    path = av_clips.write_frames(here / "new.mp4", noise_images(3))
    path.write_bytes(path.read_bytes().replace(b"avc1", b"none"))
    with pytest.raises(InputError, match=r"new\.mp4 has a codec .*not decode.*convert.*\.mp4"):
        VideoReader(path)


def test_a_text_is_no_video(here):
    (here / "notes.txt").write_text("just some text\n" * 50, encoding="utf-8")
    with pytest.raises(InputError, match=r"notes\.txt (has a format that is not read|cannot be read)"):
        VideoReader(here / "notes.txt")


@pytest.mark.medium
def test_an_anamorphic_face_gets_its_emotion(codecs):
    faces = Predictor().predict(read_frames(CASES / "pixel_aspect_2.mp4")[0].image)
    assert [face.emotion for face in faces] == ["happy"]
    assert faces[0].confidence > 0.88


def test_frames_are_freed_without_the_garbage_collector(astronaut, here):
    images = av_clips.moving_portrait(astronaut, 40, SIZE)
    path = av_clips.write_frames(here / "long.mp4", images, turn=(90, False))
    gc.collect()
    before = count_frames()
    gc.disable()
    try:
        with VideoReader(path) as reader:
            frames = iter(reader)
            for _ in range(30):
                next(frames)
            assert count_frames() - before <= 4
    finally:
        gc.enable()


def count_frames() -> int:
    return sum(isinstance(one, av_clips.av.VideoFrame) for one in gc.get_objects())
