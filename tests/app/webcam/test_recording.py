"""`emotion webcam` records with and without a window, and completes its files whatever ends it."""

import errno
import os
import re
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from emotion.app.video.face_table import COLUMNS
from emotion.app.webcam import live
from emotion.app.webcam.camera import Camera
from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError
from tests.app.video.tables import file_names, read_rows
from tests.clips import plain_image, read_frames

pytestmark = pytest.mark.medium

EMOTION = Path(sys.executable).with_name("emotion")


def play_one_by_one(images, monkeypatch):
    """Let a camera have the images of a generator, each of which waits until it is taken."""
    monkeypatch.setattr(live, "open_camera", lambda *_, **__: Camera("test", lambda _: images(), one_by_one=True))


def test_the_table_and_the_video_agree(clip, here, emotion_webcam):
    status, out, err = emotion_webcam(
        "--camera", clip, "--no-window", "-o", "me.mp4", "--csv", "me.csv", "--detector", "whole"
    )
    assert (status, err) == (0, "")
    assert re.match(r"\d+ frames \(0\.\d s\), 1 face, .*\nwritten: me\.mp4\nwritten: me\.csv\n$", out)
    rows = read_rows(here / "me.csv")
    assert list(rows[0]) == [*COLUMNS, *EMOTIONS]
    assert {(row["x"], row["width"], row["height"]) for row in rows} == {("0", "320", "240")}
    assert read_frames(here / "me.mp4")[0].image.shape == (240, 320, 3)
    assert file_names(here) == ["me.csv", "me.mp4"]


def test_the_recording_is_not_mirrored(clip, here, emotion_webcam, dummy_display):
    assert emotion_webcam("--camera", clip, "-o", "me.avi", "--no-bars")[0] == 0
    [recorded, filmed] = [read_frames(path)[0].image.astype(int) for path in (here / "me.avi", clip)]
    assert abs(recorded - filmed).mean() < 5 < abs(recorded[:, ::-1] - filmed).mean()


def test_existing_files_stay_and_a_recording_needs_a_file(clip, here, emotion_webcam):
    (here / "me.csv").write_text("kept", encoding="utf-8")
    assert re.match(r"error: me\.csv exists.*--overwrite", emotion_webcam("--camera", clip, "--csv", "me.csv")[0])
    assert re.match(r"error: --no-window.*--csv.*--output", emotion_webcam("--camera", clip, "--no-window")[0])
    assert (here / "me.csv").read_text(encoding="utf-8") == "kept"


def test_a_folder_that_is_closed_is_named_at_once(clip, here, emotion_webcam, monkeypatch):
    (here / "closed").mkdir()

    def refuse(dir):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(dir))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    status = emotion_webcam("--camera", clip, "--csv", "closed/me.csv")[0]
    assert re.match(r"error: closed/me\.csv.*may not write to .*closed \(Permission denied\).*another folder", status)


def test_seconds_end_it(here, emotion_webcam, monkeypatch):
    def endless():
        while True:
            yield plain_image()
            time.sleep(0.02)

    play_one_by_one(endless, monkeypatch)
    start = time.monotonic()
    status, out, _ = emotion_webcam("--no-window", "--csv", "me.csv", "--seconds", "0.3")
    assert (status, file_names(here)) == (0, ["me.csv"])
    assert re.match(r"\d+ frames \(0\.\d s\), 1 face", out)
    assert 0.3 <= time.monotonic() - start < 5


def test_a_camera_that_is_gone_costs_nothing_that_was_recorded(here, emotion_webcam, monkeypatch):
    def images():
        yield from map(plain_image, range(5))
        raise InputError("unplugged")

    play_one_by_one(images, monkeypatch)
    status, out, _ = emotion_webcam("--no-window", "-o", "me.avi", "--csv", "me.csv", "--detector", "whole")
    assert status == "error: unplugged"
    assert out.startswith("5 frames")
    assert len(read_frames(here / "me.avi")) > 0
    assert file_names(here) == ["me.avi", "me.csv"]


def test_a_pause_is_not_recorded_and_time_goes_on(here, emotion_webcam, monkeypatch, press_keys):
    def images():
        for number in range(12):
            if number in (4, 8):
                time.sleep(0.1)  # the key before comes first
                press_keys("space")
                time.sleep(0.1)
            yield plain_image(number)

    play_one_by_one(images, monkeypatch)
    assert emotion_webcam("--csv", "me.csv", "--detector", "whole")[0] == 0
    rows = read_rows(here / "me.csv")
    assert len(rows) in range(6, 11)
    assert [int(row["frame"]) for row in rows] == list(range(1, len(rows) + 1))  # none while the first search runs
    times = [float(row["seconds"]) for row in rows]
    assert max(after - before for before, after in pairwise(times)) > 0.2


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'")
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_signals_complete_the_files(kind, clip, here, model):
    command = [EMOTION, "webcam", "--camera", clip, "--loop", "--no-window", "-o", "me.mp4", "--csv", "me.csv"]
    process = subprocess.Popen(
        [*map(str, command), "--model", str(model)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    timer = threading.Timer(60, process.kill)
    timer.start()
    while process.poll() is None and not list(here.glob(".partial-*.mp4")):
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(kind)
    out, err = process.communicate()
    timer.cancel()
    assert (process.returncode, err.strip()) == (0, "")
    assert out.endswith("written: me.mp4\nwritten: me.csv\n")
    assert file_names(here) == ["me.csv", "me.mp4"]
    assert read_frames(here / "me.mp4")
    assert read_rows(here / "me.csv")
