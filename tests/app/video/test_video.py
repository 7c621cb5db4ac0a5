"""`emotion video`: each frame read as an image would be, and each thing that can be wrong with a video told apart."""

import csv
import errno
import os
import shutil
import struct
import subprocess
import sys
import wave
import weakref
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from benchmarks.frame_speed import portrait_frame
from emotion.app import cli
from emotion.app.video import command as command
from emotion.app.video import processing
from emotion.app.video.processing import COLUMNS, partial_name
from emotion.core.errors import InputError
from emotion.core.labels import EMOTIONS
from emotion.inference.predictor import STANDARD_FILES, Predictor, find_standard
from emotion.inference.tracking import HALF_LIFE, SEARCH_EVERY, FaceTracker
from emotion.inference.videos import CODECS, LONGEST_GAP, Clock, VideoReader, VideoWriter
from tests.makers import encode

EMOTION = Path(sys.executable).with_name("emotion")
SIZE = 240, 320
RATE = 30
FRAMES = 12


@pytest.fixture(scope="module")
def clip(astronaut, tmp_path_factory):
    """A video of FRAMES frames, the portrait before a camera that moves."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write(path, [portrait_frame(astronaut, number / RATE, SIZE) for number in range(FRAMES)])
    return path


@pytest.fixture
def emotion_video(model, monkeypatch, capfd):
    """Run `emotion video` in this process; return exit status, standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["emotion", "video", "--model", str(model), *map(str, arguments)])
        status: int | str | None = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code
        printed = capfd.readouterr()
        return status, printed.out, printed.err

    return run


def write(path, images, rate=RATE):
    with VideoWriter(path, images[0].shape[:2], rate) as writer:
        for number, image in enumerate(images):
            writer.write(image, number / rate)
    return path


def noise(count=4, size=(48, 64)):
    return list(np.random.default_rng(1).integers(0, 256, (count, *size, 3), dtype=np.uint8))


def frames_of(path):
    with VideoReader(path) as reader:
        return list(reader)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def shares_of(row):
    return np.array([float(row[name]) for name in EMOTIONS])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


class TestAnswers:
    def test_each_frame_is_read_as_a_image_would_be(self, clip, model, here, emotion_video):
        assert emotion_video(clip, "--csv", "out.csv", "--search", 0, "--smooth", 0)[0] == 0
        rows, predictor = rows_of(here / "out.csv"), Predictor(model)
        assert [int(row["frame"]) for row in rows] == list(range(FRAMES))
        for row, frame in zip(rows, frames_of(clip), strict=True):
            [face] = predictor.predict(frame.image)
            assert [int(row[name]) for name in ("x", "y", "width", "height")] == list(face.box)
            assert row["emotion"] == face.emotion
            assert float(row["confidence"]) == pytest.approx(face.confidence, abs=1e-5)
            np.testing.assert_allclose(shares_of(row), face.probabilities, atol=1e-5)

    def test_the_first_frame_is_read_so_whatever_the_smoothing(self, clip, model, here, emotion_video):
        assert emotion_video(clip, "--csv", "out.csv")[0] == 0
        [face] = Predictor(model).predict(frames_of(clip)[0].image)
        np.testing.assert_allclose(shares_of(rows_of(here / "out.csv")[0]), face.probabilities, atol=1e-5)

    def test_the_portrait_is_one_happy_face(self, clip, here, emotion_video):
        try:
            released = find_standard(STANDARD_FILES)
        except InputError as error:
            pytest.skip(str(error))
        assert emotion_video(clip, "--csv", "out.csv", "--model", released)[0] == 0
        rows = rows_of(here / "out.csv")
        assert {row["face"] for row in rows} == {"1"}
        assert {row["emotion"] for row in rows} == {"happy"}
        assert len(rows) == FRAMES

    def test_the_table_says_what_was_found_and_what_was_carried_on(self, clip, here, emotion_video):
        status, out, err = emotion_video(clip, "--csv", "out.csv", "--every", 3)
        assert (status, err) == (0, "")
        assert out == f"{FRAMES} frames (0.4 s), 1 face, 100% of the frames show one\nwritten: out.csv\n"
        rows = rows_of(here / "out.csv")
        assert list(rows[0]) == [*COLUMNS, *EMOTIONS]
        assert [row["seconds"] for row in rows[:3]] == ["0.000", "0.033", "0.067"]
        assert [row["detected"] for row in rows] == [str(int(frame % 5 == 0)) for frame in range(FRAMES)]
        read = [frame for frame in range(1, FRAMES) if rows[frame]["happy"] != rows[frame - 1]["happy"]]
        assert read == [3, 6, 9]

    def test_the_same_video_gives_the_same_files(self, clip, here, emotion_video):
        for name in ("one", "two"):
            assert emotion_video(clip, "-o", f"{name}.avi", "--csv", f"{name}.csv")[0] == 0
        assert (here / "one.csv").read_bytes() == (here / "two.csv").read_bytes()
        for one, two in zip(frames_of(here / "one.avi"), frames_of(here / "two.avi"), strict=True):
            np.testing.assert_array_equal(one.image, two.image)

    def test_faces_are_boxed_where_they_are(self, clip, here, emotion_video):
        assert emotion_video(clip, "--csv", "out.csv", "-o", "out.mp4", "--no-bars")[0] == 0
        rows = rows_of(here / "out.csv")
        for row, before, after in zip(rows, frames_of(clip), frames_of(here / "out.mp4"), strict=True):
            x, y, width, height = (int(row[name]) for name in ("x", "y", "width", "height"))
            change = np.abs(after.image.astype(int) - before.image).max(axis=2)
            assert change[y + 5 : y + height - 5, x : x + 2].mean() > 40
            assert change[y + 8 : y + height - 8, x + 8 : x + width - 8].mean() < 12
            assert before.seconds == pytest.approx(after.seconds, abs=0.002)

    def test_bars_are_drawn_unless_told_otherwise(self, astronaut, here, emotion_video):
        write(here / "large.avi", [portrait_frame(astronaut, 0.0)])
        emotion_video("large.avi", "-o", "bars.avi")
        emotion_video("large.avi", "-o", "none.avi", "--no-bars")
        bars, none = (frames_of(here / name)[0].image.astype(int) for name in ("bars.avi", "none.avi"))
        assert (np.abs(bars - none) > 50).mean() > 0.02

    def test_a_video_without_a_face_is_written_and_said_to_have_none(self, here, emotion_video):
        write(here / "noise.mp4", noise())
        status, out, err = emotion_video("noise.mp4", "-o", "out.mp4", "--csv", "out.csv", "--detector", "cascade")
        assert (status, err) == (1, "")
        assert out.startswith("4 frames (0.1 s), no face\n")
        assert rows_of(here / "out.csv") == []
        assert len(frames_of(here / "out.mp4")) == 4

    def test_whole_frames_can_be_faces(self, here, emotion_video):
        write(here / "noise.mp4", noise())
        assert emotion_video("noise.mp4", "--csv", "out.csv", "--detector", "whole")[0] == 0
        assert [[row[name] for name in ("x", "y", "width", "height")] for row in rows_of(here / "out.csv")] == [
            ["0", "0", "64", "48"]
        ] * 4


class TestTargets:
    def test_without_a_name_the_video_goes_to_the_working_folder(self, clip, here, emotion_video):
        status, out, _ = emotion_video(clip)
        assert status == 0
        assert out.endswith("written: clip-emotions.mp4\n")
        assert names(here) == ["clip-emotions.mp4"]

    def test_only_what_is_named_is_written(self, clip, here, emotion_video):
        emotion_video(clip, "--csv", "new/folder/out.csv")
        assert names(here) == ["new"]
        assert names(here / "new/folder") == ["out.csv"]

    @pytest.mark.parametrize("suffix", CODECS)
    def test_a_video_can_be_of_any_kind_named(self, clip, here, suffix, emotion_video):
        assert emotion_video(clip, "-o", f"out{suffix}")[::2] == (0, "")
        assert len(frames_of(here / f"out{suffix}")) == FRAMES

    @pytest.mark.parametrize(
        "arguments, problem",
        [
            (["-o", "there.mp4"], "is there already"),
            (["-o", "new.mp4", "--csv", "there.mp4"], "is there already"),
            (["-o", "clip.mp4", "--overwrite"], "is the video that is read"),
            (["--csv", "link.mp4", "--overwrite"], "is the video that is read"),
            (["-o", "out.mp4", "--csv", "out.mp4"], "name two files"),
            (["-o", "out.webm"], "cannot be written as that"),
            (["-o", "out"], "cannot be written as that"),
            (["--csv", "folder", "--overwrite"], "is a folder"),
        ],
    )
    def test_what_is_there_stays(self, clip, here, arguments, problem, emotion_video):
        shutil.copy(clip, here / "clip.mp4")
        (here / "there.mp4").write_bytes(b"kept")
        (here / "link.mp4").symlink_to("clip.mp4")
        (here / "folder").mkdir()
        before = names(here)
        status, out, err = emotion_video("clip.mp4", *arguments)
        assert out == err == ""
        assert problem in status
        assert names(here) == before
        assert (here / "there.mp4").read_bytes() == b"kept"
        assert (here / "clip.mp4").read_bytes() == clip.read_bytes()

    def test_a_file_that_is_there_is_replaced_when_asked(self, clip, here, emotion_video):
        (here / "out.csv").write_text("old", encoding="utf-8")
        assert emotion_video(clip, "--csv", "out.csv", "--overwrite")[0] == 0
        assert len(rows_of(here / "out.csv")) == FRAMES

    def test_a_file_has_another_name_until_it_is_whole(self, clip, here, monkeypatch, emotion_video):
        seen = []

        def draw(image, *_):
            seen.append(names(here))
            return image

        monkeypatch.setattr(processing, "draw", draw)
        (here / "out.mp4").write_bytes(b"old")
        assert emotion_video(clip, "-o", "out.mp4", "--csv", "out.csv", "--overwrite")[0] == 0
        assert seen[-1] == ["out.mp4", "out.partial.csv", "out.partial.mp4"]
        assert names(here) == ["out.csv", "out.mp4"]

    def test_an_error_on_the_way_leaves_the_old_file_and_nothing_else(self, clip, here, monkeypatch, emotion_video):
        monkeypatch.setattr(FaceTracker, "update", fail_at(5, InputError("no more")))
        (here / "out.mp4").write_bytes(b"old")
        assert emotion_video(clip, "-o", "out.mp4", "--csv", "out.csv", "--overwrite")[0] == "error: no more"
        assert names(here) == ["out.mp4"]
        assert (here / "out.mp4").read_bytes() == b"old"

    def test_an_interruption_keeps_the_frames_so_far(self, clip, here, monkeypatch, emotion_video):
        monkeypatch.setattr(FaceTracker, "update", fail_at(5, KeyboardInterrupt()))
        status, out, err = emotion_video(clip, "-o", "out.mp4", "--csv", "out.csv")
        assert (status, out) == (130, "")
        assert (
            err
            == "\nout.partial.mp4 has the frames up to here\nout.partial.csv has the frames up to here\ninterrupted\n"
        )
        assert names(here) == ["out.partial.csv", "out.partial.mp4"]
        assert len(frames_of(here / "out.partial.mp4")) == len(rows_of(here / "out.partial.csv")) == 5


def fail_at(frame, error):
    """Return a `FaceTracker.update` that raises `error` at a frame."""
    update, count = FaceTracker.update, iter(range(100))

    def failing(*arguments):
        if next(count) == frame:
            raise error
        return update(*arguments)

    return failing


class TestBrokenVideos:
    @pytest.mark.parametrize(
        "content, problem",
        [
            (None, "there is no such file"),
            (b"", "is empty"),
            (b"just some text\n" * 50, "cannot be read as a video"),
            (os.urandom(5000), "cannot be read as a video"),
        ],
        ids=["missing", "empty", "text", "noise"],
    )
    def test_what_is_no_video_is_told_so(self, content, problem, here, emotion_video):
        if content is not None:
            (here / "bad.mp4").write_bytes(content)
        before = names(here)
        status, out, err = emotion_video("bad.mp4", "--csv", "out.csv")
        assert out == err == ""
        assert status.startswith("error: bad.mp4")
        assert problem in status
        assert names(here) == before

    def test_a_folder_and_a_pipe_are_no_videos(self, here, emotion_video):
        (here / "folder.mp4").mkdir()
        assert "is no file" in emotion_video("folder.mp4")[0]
        if hasattr(os, "mkfifo"):
            os.mkfifo(here / "pipe.mp4")
            assert "is no file" in emotion_video("pipe.mp4")[0]

    def test_sound_alone_is_no_video(self, here, emotion_video):
        with wave.open(str(here / "sound.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(bytes(16000))
        status, out, err = emotion_video("sound.wav")
        assert (out, err) == ("", "")
        assert "cannot be read as a video" in status

    def test_a_video_without_its_index_is_told_so(self, clip, here, emotion_video):
        (here / "cut.mp4").write_bytes(clip.read_bytes()[:-400])
        status, _, err = emotion_video("cut.mp4")
        assert err == ""
        assert "cut off" in status

    def test_a_header_without_frames_is_told_so(self, here, emotion_video):
        write(here / "long.mkv", noise(1))
        content = (here / "long.mkv").read_bytes()
        (here / "short.mkv").write_bytes(content[: content.index(b"\x1f\x43\xb6\x75")])  # the first cluster
        status, _, err = emotion_video("short.mkv", "--csv", "out.csv")
        assert err == ""
        assert "holds no frame that can be read" in status or "cannot be read as a video" in status
        assert names(here) == ["long.mkv", "short.mkv"]

    def test_a_broken_tail_is_warned_of_and_the_rest_is_kept(self, clip, here, emotion_video):
        write(here / "long.avi", [frame.image for frame in frames_of(clip)])
        content = (here / "long.avi").read_bytes()
        (here / "cut.avi").write_bytes(content[: len(content) // 2])
        status, out, err = emotion_video("cut.avi", "-o", "out.mp4", "--csv", "out.csv")
        count = len(frames_of(here / "cut.avi"))
        assert 3 < count < FRAMES - 3
        assert status == command.CUT_OFF == 3
        assert out.startswith(f"{count} frames")
        assert err.startswith(f"warning: cut.avi ends after frame {count} of {FRAMES}: ")
        assert len(rows_of(here / "out.csv")) == len(frames_of(here / "out.mp4")) == count

    def test_a_hole_in_the_middle_is_stepped_over(self, clip, here, emotion_video):
        content = bytearray(clip.read_bytes())
        start = content.index(b"mdat")
        middle = start + (content.index(b"moov") - start) // 2
        content[middle : middle + 300] = bytes(300)
        (here / "hole.mp4").write_bytes(content)
        status, _, _ = emotion_video("hole.mp4", "--csv", "out.csv")
        assert status in (0, command.CUT_OFF)
        assert rows_of(here / "out.csv")

    def test_a_image_is_a_video_of_one_frame(self, astronaut, here, emotion_video):
        (here / "astronaut.png").write_bytes(encode(astronaut))
        assert emotion_video("astronaut.png", "-o", "out.mp4", "--csv", "out.csv")[::2] == (0, "")
        assert len(rows_of(here / "out.csv")) == len(frames_of(here / "out.mp4")) == 1

    @pytest.mark.parametrize("file_format", ["mp4", "avi", "mkv"])
    def test_sound_videos_have_no_broken_tail(self, file_format, here):
        path = write(here / f"video.{file_format}", noise(20))
        with VideoReader(path) as reader:
            assert len(list(reader)) == 20
            assert reader.missing == 0


class TestReading:
    def test_frames_come_with_number_time_and_colors(self, here):
        colors = [(200, 40, 40), (40, 200, 40), (40, 40, 200)]
        images = [np.full((48, 64, 3), color, np.uint8) for color in colors]
        frames = frames_of(write(here / "colors.avi", images, 25))
        assert [frame.number for frame in frames] == [0, 1, 2]
        np.testing.assert_allclose([frame.seconds for frame in frames], [0, 0.04, 0.08], atol=1e-6)
        for frame, image in zip(frames, images, strict=True):
            np.testing.assert_allclose(frame.image, image, atol=6)

    def test_a_video_that_was_held_upright_comes_upright(self, clip, here, emotion_video):
        (here / "turned.mp4").write_bytes(turned(clip.read_bytes()))
        frames = frames_of(here / "turned.mp4")
        assert frames[0].image.shape == (SIZE[1], SIZE[0], 3)
        upright = np.rot90(frames_of(clip)[0].image, -1)
        np.testing.assert_allclose(frames[0].image.astype(int), upright, atol=4)
        emotion_video("turned.mp4", "-o", "out.mp4", "--detector", "whole")
        assert frames_of(here / "out.mp4")[0].image.shape == (SIZE[1], SIZE[0], 3)

    def test_odd_sizes_lose_no_pixel(self, here):
        images = noise(3, (51, 67))
        frames = frames_of(write(here / "odd.avi", images))
        assert frames[0].image.shape == (52, 68, 3)
        flat = [np.full((51, 67, 3), 180, np.uint8)] * 2
        np.testing.assert_allclose(frames_of(write(here / "flat.mp4", flat))[1].image, 180, atol=4)

    @pytest.mark.parametrize("file_format", ["mp4", "avi"])
    def test_the_smallest_video_can_be_written_and_read(self, file_format, here):
        assert len(frames_of(write(here / f"dot.{file_format}", noise(2, (1, 1))))) == 2

    def test_a_varying_rate_keeps_each_frame_at_its_time(self, clip, here, emotion_video):
        images = [frame.image for frame in frames_of(clip)]
        write(here / "steady.mkv", images, 25)
        stamps = [40 * number + 120 * max(0, number - 6) for number in range(FRAMES)]
        (here / "varying.mkv").write_bytes(restamped((here / "steady.mkv").read_bytes(), stamps))
        frames = frames_of(here / "varying.mkv")
        np.testing.assert_allclose([1000 * frame.seconds for frame in frames], stamps, atol=1)
        status, _, err = emotion_video("varying.mkv", "-o", "out.mp4", "--csv", "out.csv")
        assert (status, err) == (0, "")
        assert [row["seconds"] for row in rows_of(here / "out.csv")] == [f"{stamp / 1000:.3f}" for stamp in stamps]
        with VideoReader(here / "out.mp4") as reader:
            written = list(reader)
            assert written[-1].seconds == pytest.approx(stamps[-1] / 1000, abs=1 / reader.frame_rate)

    def test_times_that_cannot_be_are_made_up(self):
        clock = Clock(25)
        stamps = [5.0, 5.04, 5.04, 4.0, 5.5, float("nan"), 1e9, 6.0]
        times = [clock.tell(stamp) for stamp in stamps]
        np.testing.assert_allclose(times, [0, 0.04, 0.08, 0.12, 0.5, 0.54, 0.58, 1.0])
        assert clock.tell(5 + 1.0 + LONGEST_GAP) == pytest.approx(1 + LONGEST_GAP)

    def test_a_video_without_times_goes_by_its_rate(self):
        clock = Clock(10)
        np.testing.assert_allclose([clock.tell(0.0) for _ in range(4)], [0, 0.1, 0.2, 0.3])

    def test_one_frame_is_held_at_a_time(self, clip, model, here, monkeypatch):
        alive: list[weakref.ref] = []
        most = 0
        plain = VideoReader._next

        def counting(reader):
            nonlocal most
            most = max(most, sum(one() is not None for one in alive))
            frame = plain(reader)
            if frame is not None:
                alive.append(weakref.ref(frame.image))
            return frame

        monkeypatch.setattr(VideoReader, "_next", counting)
        targets = processing.Targets(here / "out.mp4", here / "out.csv")
        with VideoReader(clip) as reader:
            processing.process_video(reader, FaceTracker(Predictor(model)), targets, emotions=EMOTIONS)
        assert len(alive) == FRAMES
        assert most <= 2


class TestWriting:
    def test_frames_are_repeated_and_left_out_to_keep_the_time(self, here):
        times = 0.0, 0.01, 0.02, 0.3, 0.4, 0.42, 0.6
        with VideoWriter(here / "held.avi", (32, 32), 10) as writer:
            for number, seconds in enumerate(times):
                writer.write(np.full((32, 32, 3), 40 * number, np.uint8), seconds)
        values = [round(float(frame.image.mean()) / 40) for frame in frames_of(here / "held.avi")]
        assert values == [0, 2, 2, 3, 4, 5, 6]

    @pytest.mark.parametrize("rate", [0.5, 23.976, 29.97002997, 59.94, 119.8856, 240])
    def test_any_rate_can_be_written(self, rate, here):
        path = write(here / "rate.mp4", noise(5), rate)
        with VideoReader(path) as reader:
            assert reader.frame_rate == pytest.approx(rate, abs=0.01)
            assert len(list(reader)) == 5

    def test_frames_of_another_size_are_fitted(self, here):
        with VideoWriter(here / "out.avi", (48, 64), 25) as writer:
            writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)
            writer.write(np.full((96, 96, 3), 200, np.uint8), 0.04)
        frames = frames_of(here / "out.avi")
        assert [frame.image.shape for frame in frames] == [(48, 64, 3)] * 2
        np.testing.assert_allclose(frames[1].image, 200, atol=4)

    def test_a_place_that_cannot_be_written_is_told(self, here, capfd):
        with pytest.raises(InputError, match=r"cannot write a video of 64x48 pixels to .*nowhere"):
            VideoWriter(here / "nowhere/out.mp4", (48, 64), 25)
        assert capfd.readouterr().err == ""

    def test_a_full_disk_ends_it_and_leaves_nothing(self, clip, here, monkeypatch, emotion_video):
        usage = namedtuple("usage", "total used free")
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 1000))
        status, _, err = emotion_video(clip, "-o", "out.mp4", "--csv", "out.csv")
        assert err == ""
        assert status.startswith(f"error: the disk is full ([Errno {errno.ENOSPC}]")
        assert names(here) == []

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of a process are Linux'")
    def test_a_file_that_may_not_grow_is_told_and_removed(self, here, model):
        write(here / "noise.avi", noise(40, (240, 320)))
        limit = f"ulimit -f 200; exec {EMOTION} video noise.avi -o out.avi --detector whole --model {model}"
        done = subprocess.run(["bash", "-c", limit], capture_output=True, text=True, timeout=120)
        assert done.returncode == 1
        assert "could not be written whole" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert names(here) == ["noise.avi"]


def test_the_command_loads_little(clip, here, model):
    """It runs where only requirements-predict.txt is installed."""
    code = (
        "import sys\nfrom emotion.app import cli\n"
        f"sys.argv = ['emotion', 'video', {str(clip)!r}, '-o', 'out.mp4', '--model', {str(model)!r}]\n"
        "cli.main()\n"
        "heavy = {'tensorflow', 'keras', 'pandas', 'scipy', 'sklearn', 'matplotlib', 'pygame', 'dvc', 'skimage'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.stderr.count("\n") <= 1  # the progress bar shows on terminals only


def test_the_help_says_what_is_not_done(capsys):
    with pytest.raises(SystemExit):
        cli._parser().parse_args(["video", "--help"])
    text = capsys.readouterr().out
    assert "Sound is not carried over" in text
    assert partial_name(Path("NAME.mp4")).name in text


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "soon"])
def test_seconds_are_a_number_from_zero(value, capsys):
    with pytest.raises(SystemExit):
        cli._parser().parse_args(["video", "x.mp4", f"--smooth={value}"])
    assert f"got '{value}', expected seconds" in capsys.readouterr().err


def test_defaults_are_those_of_the_library():
    assert (command.SEARCH_EVERY, command.HALF_LIFE) == (SEARCH_EVERY, HALF_LIFE)


def turned(content: bytes) -> bytes:
    """Return an .mp4 file whose track is to be shown turned to the right by 90 degrees."""
    start = content.index(b"tkhd") + 4
    version = content[start]
    matrix = start + (52 if version else 40)
    one = 1 << 16
    height = struct.unpack(">I", content[matrix + 40 : matrix + 44])[0]
    turn = struct.pack(">9i", 0, one, 0, -one, 0, 0, height, 0, 1 << 30)
    return content[:matrix] + turn + content[matrix + 36 :]


def restamped(content: bytes, stamps: list[int]) -> bytes:
    """Return an .mkv file of 25 frames a second whose frames have other times, in milliseconds."""
    changed = bytearray(content)
    position = content.index(b"\x1f\x43\xb6\x75")
    for number, stamp in enumerate(stamps):
        old = struct.pack(">Bh", 0x81, 40 * number)
        position = content.index(old, position)
        changed[position + 1 : position + 3] = struct.pack(">h", stamp)
        position += 4
    return bytes(changed)
