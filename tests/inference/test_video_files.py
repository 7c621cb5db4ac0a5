"""A file that is no video is named, with the command that reads it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emotion.core.errors import InputError
from emotion.inference.video_files import check_video_file
from emotion.inference.video_reader import VideoReader
from tests.makers import encode

PICTURES = [Image.fromarray(np.full((32, 32, 3), 40 * number, np.uint8)) for number in range(3)]


def test_an_image_is_named_with_the_command_that_reads_it(here):
    (here / "photo.mp4").write_bytes(encode(np.zeros((8, 8, 3), np.uint8)))
    with pytest.raises(InputError, match=r"photo\.mp4 is a PNG image.*emotion predict photo\.mp4"):
        VideoReader(Path("photo.mp4"))


def test_an_animated_webp_is_named(here):
    PICTURES[0].save("moving.webp", save_all=True, append_images=PICTURES[1:])
    with pytest.raises(InputError, match=r"animated WebP.*convert.*\.mp4.*emotion predict .*moving\.webp"):
        VideoReader(here / "moving.webp")


@pytest.mark.parametrize("name", ["moving.gif", "moving.png"])
def test_other_animations_are_videos(name, codecs, here):
    PICTURES[0].save(name, save_all=True, append_images=PICTURES[1:], duration=100)
    with VideoReader(here / name) as reader:
        assert len(list(reader)) == 3


@pytest.mark.parametrize(
    "head, named",
    [
        (b"ID3\4\0\0\0\0\0\0", "sound file.*MP3.*expected a video"),
        (b"%PDF-1.7 ", "PDF.*expected a video"),
        (b"8BPS\0\1", "Photoshop.*PNG.*emotion predict"),
    ],
)
def test_other_files_are_named(head, named, here):
    (here / "file.mp4").write_bytes(head.ljust(600, b"\0"))
    with pytest.raises(InputError, match=rf"file\.mp4 is .*{named}"):
        check_video_file(here / "file.mp4")


def test_one_jpeg_after_another_is_a_video(codecs, here):
    content = b"".join(encode(np.full((32, 32, 3), 50 * number, np.uint8), ".jpg") for number in range(3))
    (here / "camera.mjpeg").write_bytes(content)
    with VideoReader(here / "camera.mjpeg") as reader:
        assert len(list(reader)) == 3
