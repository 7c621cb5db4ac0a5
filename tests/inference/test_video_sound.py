"""Sound is copied into the new video packet by packet, and stays in time with the frames."""

from pathlib import Path

import numpy as np
import pytest

from emotion.core.errors import InputError
from emotion.inference.video_reader import VideoReader
from emotion.inference.video_writer import VideoWriter
from tests import av_clips
from tests.clips import noise_images, plain_image

SIZE = 48, 64


def copy_video(source: Path, path: Path) -> Path:
    """Write a video again, with its sound."""
    with VideoReader(source) as reader:
        frames = iter(reader)
        first = next(frames)
        with VideoWriter(path, (first.image.shape[0], first.image.shape[1]), 25, sound=reader.sound) as writer:
            for frame in (first, *frames):
                writer.write(frame.image, frame.seconds)
    return path


def read_sound(path: Path) -> list[tuple[float, bytes]]:
    """Return time and content of each packet of sound, the time from the first frame on."""
    with av_clips.av.open(str(path)) as container:
        start = min(packet.pts * packet.time_base for packet in container.demux(video=0) if packet.pts is not None)
    with av_clips.av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        return [(float(packet.pts * packet.time_base - start), bytes(packet)) for packet in packets]


@pytest.mark.parametrize(
    "source, sound, new",
    [
        ("a.mp4", "aac", "b.mp4"),
        ("a.mp4", "aac", "b.mkv"),
        ("a.mp4", "aac", "b.mov"),
        ("a.mkv", "libopus", "b.mp4"),
        ("a.mkv", "flac", "b.mkv"),
        ("a.avi", "pcm_s16le", "b.avi"),
        ("a.avi", "libmp3lame", "b.mp4"),
        ("a.mov", "pcm_s16le", "b.mp4"),
        ("a.ts", "mp2", "b.mp4"),
        ("a.ts", "aac", "b.mp4"),
    ],
)
def test_sound_is_copied_unchanged_and_in_time(source, sound, new, here):
    codec = "mpeg4" if source.endswith(".avi") else "libx264"
    av_clips.write_frames(here / source, noise_images(20), codec, sound=sound)
    before = read_sound(here / source)
    after = read_sound(copy_video(here / source, here / new))
    assert len(before) > 5
    # In transport streams, a header of 7 bytes precedes each packet of AAC. Other formats have it once.
    assert {len(one) - len(two) for (_, one), (_, two) in zip(before, after, strict=True)} <= {0, 7}
    assert all(one.endswith(two) for (_, one), (_, two) in zip(before, after, strict=True))
    np.testing.assert_allclose([time for time, _ in after], [time for time, _ in before], atol=0.0015)


def test_sound_that_starts_before_the_frames_stays_before_them(here):
    times = [0.5 + number / 25 for number in range(20)]
    source = av_clips.write_frames(here / "late.mkv", noise_images(20), times=times, sound="flac")
    before, after = read_sound(source), read_sound(copy_video(source, here / "new.mp4"))
    assert before[0][0] == pytest.approx(-0.5, abs=0.002)
    np.testing.assert_allclose([time for time, _ in after], [time for time, _ in before], atol=0.0015)


def test_sound_that_lasts_longer_is_copied_to_its_end(here):
    source = av_clips.write_frames(here / "a.mp4", noise_images(5), sound="aac", sound_seconds=2.0)
    with VideoReader(source) as reader:
        assert len(list(reader)) == 5
        assert reader.missing_frames == 0
    assert len(read_sound(copy_video(source, here / "b.mp4"))) == len(read_sound(source))


def test_broken_packets_of_sound_are_left_out(here):
    path = av_clips.write_frames(here / "gap.ts", [plain_image()] * 50, sound="aac", sound_seconds=2.0)
    parts = [path.read_bytes()[start : start + 188] for start in range(0, path.stat().st_size, 188)]
    of_sound = [number for number, part in enumerate(parts) if part[1] & 0x1F == 1 and part[2] == 1]
    del parts[of_sound[len(of_sound) // 2]]
    path.write_bytes(b"".join(parts))
    before, after = read_sound(path), read_sound(copy_video(path, here / "new.mp4"))
    assert len(after) == len(before) - 1
    assert after[-1][0] == pytest.approx(before[-1][0], abs=0.002)


def test_all_tracks_of_sound_are_copied(here):
    av_clips.write_frames(here / "two.mkv", noise_images(5), sound="flac", tracks=2)
    copy_video(here / "two.mkv", here / "new.mkv")
    with av_clips.av.open("new.mkv") as container:
        assert len(container.streams.audio) == 2


def test_a_format_that_cannot_hold_the_sound_is_refused_with_one_that_can(here):
    source = av_clips.write_frames(here / "a.mkv", noise_images(3), sound="wavpack")
    with pytest.raises(InputError, match=r"a\.mkv has sound .*wavpack.*\.mp4.*\.mkv.*--no-sound"):
        copy_video(source, here / "b.mp4")


def test_a_track_of_an_unknown_codec_is_left_out(here):
    source = av_clips.write_frames(here / "phone.mp4", noise_images(5), sound="aac", tracks=2)
    before, _, last = source.read_bytes().rpartition(b"mp4a")
    source.write_bytes(before + b"apac" + last.replace(b"esds", b"none"))
    copy_video(source, here / "new.mp4")
    with av_clips.av.open("new.mp4") as container:
        assert len(container.streams.audio) == 1


@pytest.mark.usefixtures("without_pyav")
def test_without_pyav_there_is_no_sound(here):
    source = av_clips.write_frames(here / "a.mp4", noise_images(3), sound="aac")
    copy_video(source, here / "b.mp4")
    with av_clips.av.open(str(here / "b.mp4")) as container:
        assert not container.streams.audio


def test_an_interrupted_video_has_sound_up_to_there(here):
    source = av_clips.write_frames(here / "a.mp4", noise_images(25), sound="aac", sound_seconds=2.0)
    with pytest.raises(KeyboardInterrupt):
        write_until_interrupted(source, here / "b.mp4")
    assert 0.2 < read_sound(here / "b.mp4")[-1][0] < 0.5


def write_until_interrupted(source: Path, path: Path) -> None:
    with VideoReader(source) as reader:
        list(reader)
        with VideoWriter(path, SIZE, 25, sound=reader.sound) as writer:
            for number in range(10):
                writer.write(plain_image(), number / 25)
            raise KeyboardInterrupt
