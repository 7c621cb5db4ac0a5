"""The new video shows the faces where they are, and each frame at its time."""

import struct
import weakref

import numpy as np
import pytest

from benchmarks.frame_speed import portrait_frame
from emotion.app.video.output_files import OutputFiles
from emotion.app.video.processing import process_video
from emotion.core.emotion_names import EMOTIONS
from emotion.inference.ahead import WAITING
from emotion.inference.predictor import Predictor
from emotion.inference.tracking import FaceTracker
from emotion.inference.video_reader import VideoReader
from tests import av_clips
from tests.app.video.tables import read_rows
from tests.clips import FRAMES, SIZE, noise_images, read_frames, write_video


def test_the_same_video_gives_the_same_files(clip, here, emotion_video):
    for name in ("one", "two"):
        assert emotion_video(clip, "-o", f"{name}.avi", "--csv", f"{name}.csv")[0] == 0
    assert (here / "one.csv").read_bytes() == (here / "two.csv").read_bytes()
    for one, two in zip(read_frames(here / "one.avi"), read_frames(here / "two.avi"), strict=True):
        np.testing.assert_array_equal(one.image, two.image)


def test_faces_are_boxed_where_they_are(clip, here, emotion_video):
    assert emotion_video(clip, "--csv", "out.csv", "-o", "out.mp4", "--no-bars")[0] == 0
    rows = read_rows(here / "out.csv")
    for row, before, after in zip(rows, read_frames(clip), read_frames(here / "out.mp4"), strict=True):
        x, y, width, height = (int(row[name]) for name in ("x", "y", "width", "height"))
        change = np.abs(after.image.astype(int) - before.image).max(axis=2)
        assert change[y + 5 : y + height - 5, x : x + 2].mean() > 40
        assert change[y + 8 : y + height - 8, x + 8 : x + width - 8].mean() < 12
        assert before.seconds == pytest.approx(after.seconds, abs=0.002)


def test_no_bars_leaves_the_bars_out(astronaut, here, emotion_video):
    write_video(here / "large.avi", [portrait_frame(astronaut, 0.0)])
    emotion_video("large.avi", "-o", "bars.avi")
    emotion_video("large.avi", "-o", "none.avi", "--no-bars")
    bars, none = (read_frames(here / name)[0].image.astype(int) for name in ("bars.avi", "none.avi"))
    assert (np.abs(bars - none) > 50).mean() > 0.02


def test_a_video_without_a_face_is_written_all_the_same(here, emotion_video):
    write_video(here / "noise.mp4", noise_images())
    status, out, err = emotion_video("noise.mp4", "-o", "out.mp4", "--csv", "out.csv", "--detector", "cascade")
    assert (status, err) == (1, "")
    assert out.startswith("4 frames (0.1 s), no face\n")
    assert read_rows(here / "out.csv") == []
    assert len(read_frames(here / "out.mp4")) == 4


def test_one_frame_is_no_plural(here, emotion_video):
    write_video(here / "one.mp4", noise_images(1))
    assert emotion_video("one.mp4", "--csv", "out.csv")[1].startswith("1 frame (")


def test_a_video_that_is_shown_upright_is_written_upright(clip, here, emotion_video):
    (here / "turned.mp4").write_bytes(turn_right(clip.read_bytes()))
    frames = read_frames(here / "turned.mp4")
    assert frames[0].image.shape == (SIZE[1], SIZE[0], 3)
    upright = np.rot90(read_frames(clip)[0].image, -1)
    np.testing.assert_allclose(frames[0].image.astype(int), upright, atol=4)
    emotion_video("turned.mp4", "-o", "out.mp4", "--detector", "whole")
    assert read_frames(here / "out.mp4")[0].image.shape == (SIZE[1], SIZE[0], 3)


def test_a_varying_rate_keeps_each_frame_at_its_time(clip, here, emotion_video, codecs):
    images = [frame.image for frame in read_frames(clip)]
    times = [round(0.04 * number + 0.12 * max(0, number - 6), 3) for number in range(FRAMES)]
    source = av_clips.write_frames(here / "varying.mkv", images, times=times)
    status, _, err = emotion_video(source, "-o", "out.mp4", "--csv", "out.csv")
    assert (status, err) == (0, "")
    assert [row["seconds"] for row in read_rows(here / "out.csv")] == [f"{seconds:.3f}" for seconds in times]
    with VideoReader(here / "out.mp4") as reader:
        written = list(reader)
        assert written[-1].seconds == pytest.approx(times[-1], abs=1 / reader.frame_rate)


@pytest.mark.medium
def test_the_sound_is_kept_unless_it_is_not_wanted(clip, here, emotion_video):
    source = av_clips.write_frames(here / "talk.mp4", [frame.image for frame in read_frames(clip)], sound="aac")
    assert emotion_video(source, "-o", "loud.mp4")[0] == emotion_video(source, "-o", "mute.mp4", "--no-sound")[0] == 0
    for name, tracks in (("loud.mp4", 1), ("mute.mp4", 0)):
        with av_clips.av.open(name) as container:
            assert len(container.streams.audio) == tracks


def test_a_few_frames_are_held_at_a_time(clip, model, here, monkeypatch):
    alive: list[weakref.ref[object]] = []
    most = 0
    read_frame = VideoReader._read_frame

    def counting(reader):
        nonlocal most
        most = max(most, sum(one() is not None for one in alive))
        frame = read_frame(reader)
        if frame is not None:
            alive.append(weakref.ref(frame.image))
        return frame

    monkeypatch.setattr(VideoReader, "_read_frame", counting)
    outputs = OutputFiles(here / "out.mp4", here / "out.csv")
    with VideoReader(clip) as reader:
        process_video(reader, FaceTracker(Predictor(model)), outputs, emotions=EMOTIONS)
    assert len(alive) == FRAMES
    assert most <= 2 + 2 * WAITING


def turn_right(content: bytes) -> bytes:
    """Return an .mp4 file whose track is to be shown turned to the right by 90 degrees."""
    start = content.index(b"tkhd") + 4
    version = content[start]
    matrix = start + (52 if version else 40)
    one = 1 << 16
    height = struct.unpack(">I", content[matrix + 40 : matrix + 44])[0]
    turn = struct.pack(">9i", 0, one, 0, -one, 0, 0, height, 0, 1 << 30)
    return content[:matrix] + turn + content[matrix + 36 :]
