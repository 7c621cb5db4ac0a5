"""What the display shows, and what its keys change."""

import time
from typing import Any

import numpy as np
import pytest

from emotion.app.video.output_files import NO_FILES, OutputFiles
from emotion.app.webcam import display as display_module
from emotion.app.webcam.camera import CameraFrame
from emotion.app.webcam.display import HELP, Display, mirror_faces
from emotion.app.webcam.recorder import Recorder
from emotion.app.webcam.window import CLOSED
from emotion.data.images import read_image
from emotion.faces.detection import Box
from emotion.inference.annotation import annotate
from emotion.inference.predictor import Face
from emotion.inference.tracking import TrackedFace

EMOTIONS = ("no", "yes")
FACE = Face(Box(10, 12, 20, 20), np.array([0.25, 0.75]), "yes", 0.75)
TRACKED = TrackedFace(3, FACE, True)


class FakeWindow:
    """Has the keys that a test sets, and keeps what is shown."""

    def __init__(self):
        self.keys: list[str] = []
        self.shown: list[tuple[np.ndarray, str, list[str]]] = []

    def pressed_keys(self):
        keys, self.keys = self.keys, []
        return keys

    def show(self, image, *, above="", below=(), recording=False):
        self.shown.append((image, above, list(below)))
        self.recording = recording


@pytest.fixture
def display(tmp_path):
    window: Any = FakeWindow()
    display = Display(window, EMOTIONS, mirror=False, folder=tmp_path, recorder=Recorder(NO_FILES))
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    display.set_frame(CameraFrame(0, 0.0, noise), [TRACKED])
    return display


def annotated(display, **options):
    return annotate(display._frame.image, [FACE], numbers=[3], **options)


def press(display, *names):
    display._window.keys = list(names)
    goes_on = display.handle_keys()
    display.refresh()
    return goes_on


def test_faces_show_with_number_and_bars(display):
    display.refresh()
    [(image, above, below)] = display._window.shown
    np.testing.assert_array_equal(image, annotated(display, emotions=EMOTIONS))
    assert above == "0 frames/s"
    assert below == [HELP]


def test_nothing_is_drawn_twice(display):
    display.refresh()
    display.refresh()
    assert len(display._window.shown) == 1


@pytest.mark.parametrize("key", ["q", "escape", CLOSED])
def test_some_keys_end_it(key, display):
    assert not press(display, key)


def test_other_keys_change_nothing(display):
    before = display.render()
    assert press(display, "x", "left shift", "")
    np.testing.assert_array_equal(display.render(), before)


def test_b_removes_the_bars_and_shows_them_again(display):
    press(display, "b")
    np.testing.assert_array_equal(display.render(), annotated(display))
    press(display, "b")
    np.testing.assert_array_equal(display.render(), annotated(display, emotions=EMOTIONS))


def test_h_hides_the_keys(display):
    press(display, "h")
    assert display._window.shown[-1][2] == []


def test_space_pauses(display):
    press(display, "space")
    assert display.paused
    assert display._window.shown[-1][1] == "paused"
    press(display, "space")
    assert not display.paused


def test_m_mirrors_the_image_and_not_the_letters(display):
    press(display, "m")
    image = np.ascontiguousarray(display._frame.image[:, ::-1])
    face = Face(Box(320 - 10 - 20, 12, 20, 20), FACE.probabilities, "yes", 0.75)
    np.testing.assert_array_equal(display.render(), annotate(image, [face], numbers=[3], emotions=EMOTIONS))


def test_a_mirror_of_a_mirror_is_the_image(display):
    image, tracked_faces = mirror_faces(*mirror_faces(display._frame.image, [TRACKED]))
    np.testing.assert_array_equal(image, display._frame.image)
    assert tracked_faces[0].face.box == FACE.box


def test_s_saves_what_shows_under_a_new_name_each_time(display, tmp_path):
    press(display, "m", "s", "s", "s")
    saved = sorted(tmp_path.iterdir())
    assert len(saved) == 3
    assert all(path.name.startswith("emotion-2") and path.suffix == ".png" for path in saved)
    for path in saved:
        np.testing.assert_array_equal(read_image(path), display.render())
    assert display._window.shown[-1][2][0].startswith("saved emotion-2")


def test_an_image_that_cannot_be_saved_is_reported_and_stops_nothing(display, tmp_path):
    display._folder = tmp_path / "file"
    display._folder.touch()
    assert press(display, "s")
    assert "could not be saved" in display._window.shown[-1][2][0]


def test_a_notice_disappears(display, monkeypatch):
    monkeypatch.setattr(display_module, "NOTICE_SECONDS", 0.0)
    press(display, "s")
    time.sleep(0.01)
    display.refresh()
    assert display._window.shown[-1][2] == [HELP]


def test_a_recording_shows_its_time_and_a_dot(display, tmp_path):
    display._recorder = Recorder(OutputFiles(None, tmp_path / "me.csv"))
    display._recorder.seconds = 75.4
    display.refresh()
    assert display._window.shown[-1][1] == "REC 1:15   0 frames/s"
    assert display._window.recording
    press(display, "space")
    assert display._window.shown[-1][1] == "REC 1:15   paused"
    assert not display._window.recording


def test_a_lost_connection_shows_until_it_is_back(display):
    display.refresh()
    for notice in ("lost", "lost", ""):
        display.set_connection_notice(notice)
        display.refresh()
    assert [below for _, _, below in display._window.shown] == [[HELP], ["lost", HELP], [HELP]]
