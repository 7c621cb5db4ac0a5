"""Files that are there stay, and files that are not complete have another name."""

import errno
import re
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from emotion.app.outputs import check_output
from emotion.app.video import face_writer
from emotion.core.errors import InputError
from emotion.inference.codecs.encoder import CODECS
from emotion.inference.tracking import FaceTracker
from tests.app.video.tables import file_names, read_rows
from tests.clips import FRAMES, noise_images, read_frames, write_video

pytestmark = pytest.mark.medium

EMOTION = Path(sys.executable).with_name("emotion")


def test_without_a_name_the_video_goes_to_the_working_folder(clip, here, emotion_video):
    status, out, _ = emotion_video(clip)
    assert status == 0
    assert out.endswith("written: clip-emotions.mp4\n")
    assert file_names(here) == ["clip-emotions.mp4"]


def test_only_what_is_named_is_written(clip, here, emotion_video):
    emotion_video(clip, "--csv", "new/folder/out.csv")
    assert file_names(here) == ["new"]
    assert file_names(here / "new/folder") == ["out.csv"]


@pytest.mark.parametrize("suffix", CODECS)
def test_the_suffix_decides_the_format(clip, here, suffix, emotion_video, codecs):
    assert emotion_video(clip, "-o", f"out{suffix}")[::2] == (0, "")
    assert len(read_frames(here / f"out{suffix}")) == FRAMES


@pytest.mark.parametrize(
    "arguments, problem",
    [
        (["-o", "there.mp4"], r"there\.mp4 exists.*--overwrite"),
        (["-o", "new.mp4", "--csv", "there.mp4"], r"there\.mp4 exists.*--overwrite"),
        (["-o", "clip.mp4", "--overwrite"], r"clip\.mp4 .*file to read.*another file"),
        (["--csv", "link.mp4", "--overwrite"], r"link\.mp4 .*file to read.*another file"),
        (["-o", "out.mp4", "--csv", "out.mp4"], r"--output and --csv: got out\.mp4 .*two files"),
        (["-o", "out.webm"], r"--output: got out\.webm, expected .*\.mp4 or \.mov or \.mkv or \.avi"),
        (["-o", "out"], r"--output: got out, expected .*\.mp4 or \.mov or \.mkv or \.avi"),
        (["--csv", "folder", "--overwrite"], "folder is a folder.*file in it"),
        (["--csv", "device", "--overwrite"], "device is a device or a pipe.*name of a file"),
        (["--csv", "x" * 300 + ".csv"], r"x+\.csv cannot be written \(File name too long\); name another file"),
        (["--csv", "there.mp4/out.csv"], r"there\.mp4/out\.csv: .*there\.mp4 is a file, expected a folder"),
    ],
)
def test_a_file_that_is_there_stays(clip, here, arguments, problem, emotion_video):
    shutil.copy(clip, here / "clip.mp4")
    (here / "there.mp4").write_bytes(b"kept")
    (here / "link.mp4").symlink_to("clip.mp4")
    (here / "folder").mkdir()
    (here / "device").symlink_to("/dev/null")
    before = file_names(here)
    status, out, err = emotion_video("clip.mp4", *arguments)
    assert out == err == ""
    assert re.match(f"error: {problem}", status)
    assert file_names(here) == before
    assert (here / "there.mp4").read_bytes() == b"kept"
    assert (here / "clip.mp4").read_bytes() == clip.read_bytes()


def test_a_file_that_is_there_is_replaced_when_asked(clip, here, emotion_video):
    (here / "out.csv").write_text("old", encoding="utf-8")
    assert emotion_video(clip, "--csv", "out.csv", "--overwrite")[0] == 0
    assert len(read_rows(here / "out.csv")) == FRAMES


def test_a_file_has_another_name_until_it_is_complete(clip, here, monkeypatch, emotion_video):
    seen_names = []

    def annotate_frame(image, *_):
        seen_names.append(file_names(here))
        return image

    monkeypatch.setattr(face_writer, "annotate_frame", annotate_frame)
    (here / "out.mp4").write_bytes(b"old")
    assert emotion_video(clip, "-o", "out.mp4", "--csv", "out.csv", "--overwrite")[0] == 0
    *hidden, video = seen_names[-1]
    assert video == "out.mp4"
    assert [Path(name).suffix for name in sorted(hidden, key=lambda name: Path(name).suffix)] == [".csv", ".mp4"]
    assert all(name.startswith(".partial-") for name in hidden)
    assert file_names(here) == ["out.csv", "out.mp4"]


def test_an_error_on_the_way_leaves_the_old_file_and_keeps_the_frames_so_far(
    clip, here, monkeypatch, emotion_video, codecs
):
    monkeypatch.setattr(FaceTracker, "classify", fail_at(5, InputError("no more")))
    (here / "out.mp4").write_bytes(b"old")
    (here / "out.partial.mp4").write_bytes(b"mine")
    status, _, err = emotion_video(clip, "-o", "out.mp4", "--csv", "out.csv", "--overwrite")
    assert status == "error: no more"
    assert "out.partial-2.mp4 has the frames up to here" in err
    assert file_names(here) == ["out.mp4", "out.partial-2.mp4", "out.partial.csv", "out.partial.mp4"]
    assert (here / "out.mp4").read_bytes() == b"old"
    assert (here / "out.partial.mp4").read_bytes() == b"mine"
    assert len(read_frames(here / "out.partial-2.mp4")) == len(read_rows(here / "out.partial.csv")) == 5


def test_an_error_before_the_first_frame_leaves_nothing(clip, here, monkeypatch, emotion_video, codecs):
    monkeypatch.setattr(FaceTracker, "classify", fail_at(0, InputError("no more")))
    assert emotion_video(clip, "-o", "out.mp4", "--csv", "out.csv")[0] == "error: no more"
    assert file_names(here) == []


def test_an_interruption_keeps_the_frames_so_far(clip, here, monkeypatch, emotion_video, codecs):
    monkeypatch.setattr(FaceTracker, "classify", fail_at(5, KeyboardInterrupt()))
    status, out, err = emotion_video(clip, "-o", "out.mp4", "--csv", "out.csv")
    assert (status, out) == (130, "")
    lines = err.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["", "out.partial.mp4", "out.partial.csv", "interrupted"]
    assert file_names(here) == ["out.partial.csv", "out.partial.mp4"]
    assert len(read_frames(here / "out.partial.mp4")) == len(read_rows(here / "out.partial.csv")) == 5


def fail_at(frame, error):
    """Return a `FaceTracker.classify` that raises `error` at a frame."""
    classify, count = FaceTracker.classify, iter(range(100))

    def failing(*arguments):
        if next(count) == frame:
            raise error
        return classify(*arguments)

    return failing


def test_a_full_disk_ends_it_and_leaves_nothing(clip, here, monkeypatch, emotion_video, codecs):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 1000))
    status, _, err = emotion_video(clip, "-o", "out.mp4", "--csv", "out.csv")
    assert err == ""
    assert status.startswith(f"error: the disk is full ([Errno {errno.ENOSPC}]")
    assert file_names(here) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of a process are Linux'")
def test_a_file_that_may_not_grow_is_reported_and_kept(here, model):
    write_video(here / "noise.avi", noise_images(40, (240, 320)))
    limit = f"ulimit -f 200; exec {EMOTION} video noise.avi -o out.avi --detector whole --model {model}"
    done = subprocess.run(["bash", "-c", limit], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    *_, kept, error = done.stderr.splitlines()
    assert kept == "out.partial.avi has the frames up to here"
    assert re.match(r"error: out\.avi .*incomplete.*frame.*limit.*another disk", error)
    assert file_names(here) == ["noise.avi", "out.partial.avi"]


@pytest.mark.parametrize("address", ["rtsp://u:secret@h/out.mp4", "https://h/secret/out.mp4"])
def test_an_address_is_no_file_to_write_and_is_not_printed(address):
    with pytest.raises(InputError, match=r"address.*expected a path") as raised:
        check_output(Path(address), overwrite=True)
    assert "secret" not in str(raised.value)
