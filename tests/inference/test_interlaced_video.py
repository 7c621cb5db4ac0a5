"""Interlaced videos are read whole with PyAV, and refused by name without it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from emotion.core.errors import InputError
from emotion.inference.codecs.interlacing import is_interlaced
from emotion.inference.predictor import Predictor
from emotion.inference.video_reader import VideoReader
from tests import av_clips
from tests.clips import noise_images, read_frames

CASES = Path(__file__).with_name("cases")
SMALL = 96, 128
TS_PACKET = 188
"""Bytes of a packet of a transport stream."""

DV, DV_SHOWN = (576, 720), (576, 768)


def write_interlaced(folder: Path, name: str, portrait: np.ndarray, size: tuple[int, int] = SMALL) -> Path:
    """Write an interlaced video of the kind that a suffix stands for."""
    codec, pixels, options = {
        ".mts": ("libx264", "yuv420p", av_clips.INTERLACED),
        ".mp4": ("libx264", "yuv420p", av_clips.INTERLACED),
        ".mpg": ("mpeg2video", "yuv420p", av_clips.INTERLACED),
        ".mkv": ("mpeg4", "yuv420p", {"qscale": "2", **av_clips.INTERLACED}),
        ".avi": ("dvvideo", "yuv420p", {}),
        ".mov": ("prores_ks", "yuv422p10le", av_clips.INTERLACED),
    }[Path(name).suffix]
    frames = av_clips.moving_portrait(portrait, 6, DV if codec == "dvvideo" else size)
    return av_clips.write_frames(folder / name, frames, codec, pixels=pixels, options=options, interlaced=True)


@pytest.mark.parametrize("name", ["camera.mts", "camera.mp4", "dvd.mpg", "dv.avi", "studio.mov", "xvid.mkv"])
def test_an_interlaced_video_is_read_whole_or_refused(name, astronaut, here, request):
    path = write_interlaced(here, name, astronaut)
    height, width = DV_SHOWN if name == "dv.avi" else SMALL
    written = av_clips.moving_portrait(astronaut, 6, DV if name == "dv.avi" else SMALL)
    for frame, image in zip(read_frames(path), written, strict=True):
        expected = cv2.resize(image, (width, height)).astype(int)
        assert np.abs(frame.image - expected).mean() < 12
    request.getfixturevalue("without_pyav")
    with pytest.raises(InputError, match=rf"{name} is interlaced.*pip install .*\[video\]"):
        VideoReader(path)


@pytest.mark.parametrize("name", ["interlaced.mts", "interlaced.mpg"])
@pytest.mark.usefixtures("without_pyav")
def test_files_of_cameras_are_refused_without_pyav(name):
    with pytest.raises(InputError, match=rf"{name} is interlaced.*pip install .*\[video\]"):
        VideoReader(CASES / name)


@pytest.mark.medium
@pytest.mark.parametrize("name", ["camera.mts", "camera.mp4", "dvd.mpg", "dv.avi"])
def test_an_interlaced_face_gets_its_emotion(name, astronaut, here):
    path = write_interlaced(here, name, astronaut, (512, 512))
    faces = Predictor().predict(read_frames(path)[0].image)
    assert [face.emotion for face in faces] == ["happy"]
    assert faces[0].confidence > 0.88


def test_what_moves_between_the_fields_leaves_no_comb(here):
    """A bar moves by 8 pixels from one field to the next."""
    frames = []
    for number in range(6):
        frame = np.full((64, 128, 3), 40, np.uint8)
        for field in (0, 1):
            start = 16 * number + 8 * field
            frame[field::2, start : start + 16] = 220
        frames.append(frame)
    path = av_clips.write_frames(here / "bar.mp4", frames, options=av_clips.INTERLACED, interlaced=True)
    for read in read_frames(path)[1:-1]:
        rows = read.image[8:-8, :, 0].astype(int)
        assert np.abs(np.diff(rows, axis=0)).mean() < 3


def test_a_frame_that_is_flagged_as_whole_is_read(codecs, astronaut, here):
    frames = av_clips.moving_portrait(astronaut, 8, SMALL)
    path = av_clips.write_frames(here / "psf.mp4", frames, options={"x264-params": "fake-interlaced=1:qp=20"})
    for read, image in zip(read_frames(path), frames, strict=True):
        assert np.abs(read.image.astype(int) - image).mean() < 12


@pytest.mark.parametrize(
    "codec, pixels", [("libx264", "yuv420p"), ("mpeg2video", "yuv420p"), ("mpeg4", "yuv420p"), ("mjpeg", "yuvj420p")]
)
def test_a_still_scene_is_not_taken_for_an_interlaced_one(codec, pixels, here):
    frames = [np.full((64, 64, 3), 90, np.uint8)] * 8
    path = av_clips.write_frames(here / "still.mkv", frames, codec, pixels=pixels)
    assert not is_interlaced(str(path))


@pytest.mark.parametrize(
    "options",
    [
        {"profile": "baseline"},
        {"profile": "high"},
        {"x264-params": "cqm=jvt"},
        {"x264-params": "bframes=0:interlaced=1:cqm=jvt"},
    ],
)
def test_headers_of_h264_are_read_in_all_their_forms(options, here):
    interlaced = "interlaced" in str(options)
    frames = [np.full((64, 64, 3), 90, np.uint8)] * 8
    path = av_clips.write_frames(here / "form.mp4", frames, options=options, interlaced=interlaced)
    assert is_interlaced(str(path)) == interlaced


@pytest.mark.parametrize("interlaced", [True, False])
def test_a_recording_that_starts_between_headers_is_recognized(interlaced, here):
    options = {"x264-params": "keyint=25:scenecut=0", **(av_clips.INTERLACED if interlaced else {})}
    path = av_clips.write_frames(here / "whole.ts", noise_images(40), options=options, interlaced=interlaced)
    packets = len(path.read_bytes()) // TS_PACKET
    (here / "cut.ts").write_bytes(path.read_bytes()[packets // 5 * TS_PACKET :])
    assert is_interlaced(str(here / "cut.ts")) == interlaced
