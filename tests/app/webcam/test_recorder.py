"""The recording holds what the camera saw, at its times, and never slows the window."""

import shutil
import threading
import time
from collections import namedtuple

import numpy as np
import pytest

from emotion.app.video import face_writer
from emotion.app.video.face_writer import FaceWriter
from emotion.app.video.output_files import OutputFiles
from emotion.app.webcam import recorder as recorder_module
from emotion.app.webcam.camera import CameraFrame
from emotion.app.webcam.recorder import Recorder
from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError
from emotion.faces.detection import Box
from emotion.inference.predictor import Face
from emotion.inference.tracking import TrackedFace
from tests.app.video.tables import file_names, read_rows
from tests.clips import plain_image, read_frames

SHARES = np.array([0.0, 0.0, 0.0, 0.9, 0.0, 0.0, 0.1])
TRACKED = TrackedFace(3, Face(Box(10, 12, 20, 20), SHARES, "happy", 0.9), True)


def frame_at(number: int, seconds: float) -> CameraFrame:
    return CameraFrame(number, seconds, plain_image(number))


def record(outputs: OutputFiles, times: list[float]) -> Recorder:
    recorder = Recorder(outputs)
    with recorder.start(EMOTIONS):
        for number, seconds in enumerate(times):
            recorder.record(frame_at(number, seconds), [TRACKED])
    return recorder


def test_times_count_from_the_first_frame_and_a_pause_is_a_gap(here):
    recorder = record(OutputFiles(None, here / "me.csv"), [1000.0, 1000.04, 1030.5])
    rows = read_rows(here / "me.csv")
    assert [(row["frame"], row["seconds"]) for row in rows] == [("0", "0.000"), ("1", "0.040"), ("2", "30.500")]
    assert (rows[0]["face"], rows[0]["x"], rows[0]["emotion"], rows[0]["happy"]) == ("3", "10", "happy", "0.90000")
    assert (recorder.summary.frames, recorder.seconds, recorder.dropped) == (3, 30.5, 0)


def test_the_video_shows_each_frame_at_its_time(here):
    record(OutputFiles(here / "me.avi", None), [50.0, 50.2, 50.5])
    frames = read_frames(here / "me.avi")
    assert frames[-1].seconds == pytest.approx(0.5, abs=0.05)
    assert file_names(here) == ["me.avi"]


def test_without_files_and_without_frames_nothing_is_written(here):
    assert not record(OutputFiles(None, None), [1.0, 2.0]).active
    assert record(OutputFiles(here / "me.avi", here / "me.csv"), []).summary.frames == 0
    assert file_names(here) == []


@pytest.mark.parametrize("error", [InputError("camera gone"), KeyboardInterrupt()])
def test_the_files_are_completed_when_the_camera_goes_or_ctrl_c_comes(error, here):
    recorder = Recorder(OutputFiles(here / "me.avi", here / "me.csv"))

    def run():
        with recorder.start(EMOTIONS):
            recorder.record(frame_at(0, 1.0), [TRACKED])
            raise error

    with pytest.raises(type(error)):
        run()
    assert file_names(here) == ["me.avi", "me.csv"]
    assert len(read_rows(here / "me.csv")) == len(read_frames(here / "me.avi")) == 1


def test_frames_that_find_no_room_are_counted_and_left_out(here, monkeypatch):
    goes_on, write = threading.Event(), FaceWriter.write
    monkeypatch.setattr(recorder_module, "QUEUE_BYTES", 16 * plain_image().nbytes)

    def write_late(*arguments):
        goes_on.wait(5)
        write(*arguments)

    monkeypatch.setattr(FaceWriter, "write", write_late)
    recorder = Recorder(OutputFiles(None, here / "me.csv"))
    with recorder.start(EMOTIONS):
        for number in range(100):  # returns at once, although nothing is written yet
            recorder.record(frame_at(number, number / 30), [TRACKED])
        goes_on.set()
    written = len(read_rows(here / "me.csv"))
    assert written in (16, 17)
    assert recorder.dropped == 100 - written


def test_a_full_disk_ends_the_recording_and_keeps_what_there_is(here, monkeypatch):
    usage = namedtuple("usage", "total used free")
    annotate_frame = face_writer.annotate_frame

    def fill_disk(image, *arguments):
        if image[0, 0, 0] == 2:
            raise OSError(28, "No space left on device")
        return annotate_frame(image, *arguments)

    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 0, 10**9))
    monkeypatch.setattr(face_writer, "annotate_frame", fill_disk)
    with pytest.raises(OSError, match="No space"):
        record(OutputFiles(here / "me.avi", here / "me.csv"), [1.0, 2.0, 3.0])
    assert file_names(here) == ["me.partial.avi", "me.partial.csv"]
    assert len(read_rows(here / "me.partial.csv")) == 3


def test_a_recorder_that_failed_says_so_at_the_next_frame(here):
    recorder = Recorder(OutputFiles(here / "file" / "me.avi", None))
    (here / "file").touch()

    def record_on():
        with recorder.start(EMOTIONS):
            for number in range(1000):
                recorder.record(frame_at(number, number / 30), [])
                time.sleep(0.01)
            pytest.fail("no error came")

    with pytest.raises(OSError, match="file"):
        record_on()
    assert recorder.summary.frames == 0
