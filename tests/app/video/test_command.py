"""Whatever is wrong with a video ends in one clear message and the right exit status."""

import os
import re
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from emotion.app import cli
from emotion.app.video.command import CUT_OFF
from tests.app.video.tables import file_names, read_rows
from tests.clips import FRAMES, noise_images, read_frames, write_video
from tests.makers import encode


@pytest.mark.parametrize(
    "content, problem",
    [
        (None, "not exist"),
        (b"", "empty"),
        (b"just some text\n" * 50, "cannot be read"),
        (os.urandom(5000), "cannot be read"),
    ],
    ids=["missing", "empty", "text", "noise"],
)
def test_what_is_no_video_is_refused(content, problem, here, emotion_video):
    if content is not None:
        (here / "bad.mp4").write_bytes(content)
    before = file_names(here)
    status, out, err = emotion_video("bad.mp4", "--csv", "out.csv")
    assert out == err == ""
    assert re.match(rf"error: bad\.mp4 .*{problem}.*expected a .*video", status)
    assert file_names(here) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_no_video(here, emotion_video):
    os.mkfifo(here / "pipe.mp4")
    assert re.match(r"error: pipe\.mp4 .*not a file.*expected a video", emotion_video("pipe.mp4")[0])


def test_sound_alone_is_no_video(here, emotion_video):
    with wave.open(str(here / "sound.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    status, out, err = emotion_video("sound.wav")
    assert (out, err) == ("", "")
    assert re.match(r"error: sound\.wav .*expected .*video.*\.mp4", status)


def test_a_video_without_its_index_is_refused(clip, here, emotion_video, codecs):
    (here / "cut.mp4").write_bytes(clip.read_bytes().replace(b"moov", b"gone"))
    status, _, err = emotion_video("cut.mp4")
    assert err == ""
    assert re.match(r"error: cut\.mp4 .*cut off.*expected a complete video", status)


def test_a_header_without_frames_is_refused(here, emotion_video, codecs):
    write_video(here / "long.mkv", noise_images(1))
    content = (here / "long.mkv").read_bytes()
    (here / "short.mkv").write_bytes(content[: content.index(b"\x1f\x43\xb6\x75")])  # the first cluster
    status, _, err = emotion_video("short.mkv", "--csv", "out.csv")
    assert err == ""
    assert re.match(r"error: short\.mkv .*cut off.*expected a complete video", status)
    assert file_names(here) == ["long.mkv", "short.mkv"]


def test_a_broken_end_is_warned_of_and_the_rest_is_kept(clip, here, emotion_video, codecs):
    write_video(here / "long.avi", [frame.image for frame in read_frames(clip)])
    content = (here / "long.avi").read_bytes()
    (here / "cut.avi").write_bytes(content[: len(content) // 2])
    status, out, err = emotion_video("cut.avi", "-o", "out.mp4", "--csv", "out.csv")
    count = len(read_frames(here / "cut.avi"))
    assert 3 < count < FRAMES - 3
    assert status == CUT_OFF == 3
    assert out.startswith(f"{count} frames")
    assert re.match(rf"warning: cut\.avi .*\b{count} of {FRAMES}\b", err)
    assert len(read_rows(here / "out.csv")) == len(read_frames(here / "out.mp4")) == count


def test_a_hole_in_the_middle_is_skipped(clip, here, emotion_video, codecs):
    content = bytearray(clip.read_bytes())
    start = content.index(b"mdat")
    middle = (start + len(content)) // 2
    content[middle : middle + 300] = bytes(300)
    (here / "hole.mp4").write_bytes(content)
    status, _, _ = emotion_video("hole.mp4", "--csv", "out.csv")
    assert status in (0, CUT_OFF)
    assert read_rows(here / "out.csv")


def test_an_image_is_named(astronaut, here, emotion_video):
    (here / "astronaut.png").write_bytes(encode(astronaut))
    status, out, _ = emotion_video("astronaut.png", "-o", "out.mp4")
    assert re.match(r"error: astronaut\.png is a PNG image.*emotion predict astronaut\.png", status)
    assert (out, file_names(here)) == ("", ["astronaut.png"])


def test_an_interlaced_video_is_refused_without_pyav(here, emotion_video, without_pyav):
    case = Path(__file__).parents[2] / "inference/cases/interlaced.mts"
    status, out, err = emotion_video(case, "-o", "out.mp4")
    assert re.match(r"error: .*interlaced\.mts is interlaced.*pip install 'facial-emotion-pipeline\[video\]'", status)
    assert (out, err, file_names(here)) == ("", "", [])


def test_the_length_is_that_of_all_frames(clip, here, emotion_video, codecs):
    write_video(here / "second.mp4", noise_images(5), 5)
    assert emotion_video("second.mp4", "--csv", "out.csv")[1].startswith("5 frames (1.0 s)")


@pytest.mark.medium
def test_the_command_loads_little(clip, here, model):
    """It runs where only the dependencies of the wheel are installed."""
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


def test_the_help_names_the_sound_and_the_partial_files(capsys):
    with pytest.raises(SystemExit):
        cli._parser().parse_args(["video", "--help"])
    text = capsys.readouterr().out
    assert "sound" in text
    for suffix in (".mp4", ".csv"):
        assert f"NAME.partial{suffix}" in text


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "soon"])
def test_seconds_are_a_number_from_zero(value, capsys):
    with pytest.raises(SystemExit):
        cli._parser().parse_args(["video", "x.mp4", f"--smooth={value}"])
    assert f"--smooth: got '{value}', expected" in capsys.readouterr().err
