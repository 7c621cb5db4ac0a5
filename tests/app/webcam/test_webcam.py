"""`emotion webcam`: the newest image, its keys, and a clear end whatever happens to the camera."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.frame_speed import portrait_frame
from emotion.app import cli
from emotion.app.webcam import camera as camera_module
from emotion.app.webcam import command as command
from emotion.app.webcam import live
from emotion.app.webcam.camera import OPENING, Camera, CameraFrame, open_camera
from emotion.app.webcam.live import HELP, Display, FpsMeter, LiveTracker, mirrored, watch
from emotion.app.webcam.window import CLOSED, FIRST_SIZE, Window
from emotion.core.errors import InputError
from emotion.data.images import read_image
from emotion.faces.detection import Box
from emotion.inference.annotation import annotate
from emotion.inference.predictor import Face
from emotion.inference.tracking import TrackedFace
from emotion.inference.videos import VideoReader, VideoWriter

EMOTION = Path(sys.executable).with_name("emotion")
SIZE = 240, 320
RATE = 30
FRAMES = 20


@pytest.fixture(scope="module")
def clip(astronaut, tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with VideoWriter(path, SIZE, RATE) as writer:
        for number in range(FRAMES):
            writer.write(portrait_frame(astronaut, number / RATE, SIZE), number / RATE)
    return path


@pytest.fixture
def dummy(monkeypatch):
    """Windows that nobody sees."""
    pytest.importorskip("pygame", reason="the window is pygame's")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


def image(value=0, size=(48, 64)):
    return np.full((*size, 3), value, np.uint8)


def frames_of(path):
    with VideoReader(path) as reader:
        return [frame.image for frame in reader]


def press(*names):
    """Have pygame's next events be these keys."""
    import pygame

    for name in names:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.key.key_code(name)))


def run(*arguments, **environment):
    """Run `emotion webcam` as a process of its own; return what it did and how long it took."""
    start = time.monotonic()
    command = [str(EMOTION), "webcam", *map(str, arguments)]
    environment = {"SDL_VIDEODRIVER": "dummy", **environment}
    inherited = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**inherited, **environment})
    return done, time.monotonic() - start


def take(camera, after=-1):
    """Return the newest image after a number; there must be one."""
    frame = camera.newest(after=after, timeout=5)
    assert frame is not None
    return frame


class TestCamera:
    def test_the_newest_image_comes_and_those_before_do_not(self):
        given = threading.Event()

        def images(_):
            yield from map(image, range(50))
            given.set()
            threading.Event().wait(5)

        with Camera("test", images) as camera:
            given.wait(5)
            frame = take(camera)
            assert (frame.number, frame.image[0, 0, 0]) == (49, 49)
            assert camera.newest(after=49, timeout=0.01) is None

    def test_images_can_wait_to_be_taken(self):
        with Camera("test", lambda _: map(image, range(20)), one_by_one=True) as camera:
            assert [take(camera, after).number for after in range(-1, 19)] == list(range(20))
            assert camera.newest(after=19, timeout=1) is None
            assert camera.ended

    def test_looking_whether_it_is_there_takes_no_image(self):
        with Camera("test", lambda _: map(image, range(3)), one_by_one=True) as camera:
            assert camera.is_there(timeout=1)
            time.sleep(0.05)
            assert take(camera).number == 0

    def test_a_camera_that_hangs_on_opening_is_given_up(self):
        hang = threading.Event()

        def images(_):
            hang.wait(10)
            yield image()

        with Camera("7", images, opening=0.2) as camera:
            time.sleep(0.25)
            with pytest.raises(InputError, match=r"camera 7 gave no image within 0\.2 seconds; does another program"):
                camera.is_there(timeout=0.01)
        hang.set()

    def test_a_camera_that_falls_silent_is_given_up(self, monkeypatch):
        monkeypatch.setattr(camera_module, "SILENCE", 0.2)
        hang = threading.Event()

        def images(_):
            yield image()
            hang.wait(10)

        with Camera("7", images) as camera:
            assert take(camera)
            with pytest.raises(InputError, match=r"camera 7 gave no image for 0\.2 seconds; was it unplugged"):
                camera.newest(after=0, timeout=0.3)
        hang.set()

    def test_what_goes_wrong_in_the_thread_is_raised_after_the_last_image(self):
        def images(_):
            yield image()
            raise InputError("it burns")

        with Camera("test", images) as camera:
            time.sleep(0.05)
            assert camera.newest(after=-1, timeout=1)
            with pytest.raises(InputError, match="it burns"):
                camera.newest(after=0, timeout=1)

    def test_leaving_does_not_wait_for_a_thread_that_is_stuck(self):
        hang = threading.Event()

        def images(_):
            hang.wait(10)
            yield image()

        start = time.monotonic()
        with Camera("test", images):
            pass
        assert time.monotonic() - start < 2
        hang.set()

    def test_a_file_plays_at_its_own_pace_and_from_its_start(self, clip):
        with open_camera(str(clip)) as camera:
            assert camera.is_there(timeout=5)
            time.sleep(0.3)
            assert camera.last == 0  # nobody looks yet
            camera.watch()
            start, last = time.monotonic(), -1
            while not (camera.ended and last == camera.last):
                frame = camera.newest(after=last, timeout=1)
                last = last if frame is None else frame.number
            assert time.monotonic() - start >= (FRAMES - 2) / RATE
            assert last == FRAMES - 1

    def test_a_file_gives_its_frames_as_they_are(self, clip):
        with open_camera(str(clip), paced=False) as camera:
            camera.watch()
            for number, image in enumerate(frames_of(clip)):
                np.testing.assert_array_equal(take(camera, number - 1).image, image)

    def test_a_file_can_be_played_again_and_again(self, clip):
        with open_camera(str(clip), paced=False, loop=True) as camera:
            camera.watch()
            for number in range(2 * FRAMES + 3):
                assert take(camera, number - 1).number == number

    @pytest.mark.parametrize(
        "source, problem",
        [
            ("missing.mp4", "there is no such file; expected a camera's number"),
            ("-1", "there is no such file; expected a camera's number"),
            ("text.mp4", "cannot be read as a video"),
            ("empty.mp4", "is empty"),
        ],
    )
    def test_what_is_no_camera_is_told_so(self, source, problem, here):
        (here / "text.mp4").write_text("no video\n" * 9, encoding="utf-8")
        (here / "empty.mp4").touch()
        with pytest.raises(InputError, match=problem):
            open_camera(source)

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="where Linux has its cameras")
    @pytest.mark.parametrize(
        "there, problem",
        [
            ([], "there is no camera 97: this machine has none"),
            (["video2", "video0"], "there is no camera 97: there are 0, 2"),
            (["video97"], "video97 is no camera"),
        ],
    )
    @pytest.mark.parametrize("source", ["97", "/dev/video97"])
    def test_a_camera_that_is_not_there_is_told_with_those_that_are(
        self, source, there, problem, tmp_path, monkeypatch, capfd
    ):
        for name in there:
            (tmp_path / name).touch()
        monkeypatch.setattr(camera_module, "DEVICES", tmp_path)
        with open_camera(source) as camera, pytest.raises(InputError, match=problem):
            camera.is_there(timeout=5)
        assert capfd.readouterr().err == ""

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="where Linux has its cameras")
    def test_a_camera_that_another_program_has_is_told(self, tmp_path, monkeypatch, capfd):
        # A device that is there, may be used, and does not open as a camera: so is one that is taken.
        (tmp_path / "video97").symlink_to("/dev/null")
        monkeypatch.setattr(camera_module, "DEVICES", tmp_path)
        problem = "camera 97 cannot be opened: another program uses it"
        with open_camera("97") as camera, pytest.raises(InputError, match=problem):
            camera.is_there(timeout=5)
        assert capfd.readouterr().err == ""


class FakeWindow:
    """Takes keys from a list, and keeps what is shown."""

    def __init__(self):
        self.keys: list[str] = []
        self.shown: list[tuple[np.ndarray, str, list[str]]] = []

    def pressed(self):
        keys, self.keys = self.keys, []
        return keys

    def show(self, image, *, above="", below=()):
        self.shown.append((image, above, list(below)))


EMOTIONS = ("no", "yes")
FACE = Face(Box(10, 12, 20, 20), np.array([0.25, 0.75]), "yes", 0.75)
TRACKED = TrackedFace(3, FACE, True)


@pytest.fixture
def show(tmp_path):
    window: Any = FakeWindow()
    show = Display(window, EMOTIONS, mirror=False, folder=tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    show.take(CameraFrame(0, 0.0, noise), [TRACKED])
    return show


class TestShow:
    def drawn(self, show, **options):
        return annotate(show._shot.image, [FACE], numbers=[3], **options)

    def keys(self, show, *names):
        show._window.keys = list(names)
        going_on = show.answer_keys()
        show.refresh()
        return going_on

    def test_faces_show_with_number_and_bars(self, show):
        show.refresh()
        [(image, above, below)] = show._window.shown
        np.testing.assert_array_equal(image, self.drawn(show, emotions=EMOTIONS))
        assert above == "0 frames/s"
        assert below == [HELP]

    def test_nothing_is_drawn_twice(self, show):
        show.refresh()
        show.refresh()
        assert len(show._window.shown) == 1

    @pytest.mark.parametrize("key", ["q", "escape", CLOSED])
    def test_keys_end_it(self, key, show):
        assert not self.keys(show, key)

    def test_other_keys_change_nothing(self, show):
        before = show.render()
        assert self.keys(show, "x", "left shift", "")
        np.testing.assert_array_equal(show.render(), before)

    def test_b_takes_the_bars_away_and_brings_them_back(self, show):
        self.keys(show, "b")
        np.testing.assert_array_equal(show.render(), self.drawn(show))
        self.keys(show, "b")
        np.testing.assert_array_equal(show.render(), self.drawn(show, emotions=EMOTIONS))

    def test_h_hides_the_keys(self, show):
        self.keys(show, "h")
        assert show._window.shown[-1][2] == []

    def test_space_pauses(self, show):
        self.keys(show, "space")
        assert show.paused
        assert show._window.shown[-1][1] == "paused"
        self.keys(show, "space")
        assert not show.paused

    def test_m_mirrors_the_image_and_not_the_letters(self, show):
        self.keys(show, "m")
        image = np.ascontiguousarray(show._shot.image[:, ::-1])
        face = Face(Box(320 - 10 - 20, 12, 20, 20), FACE.probabilities, "yes", 0.75)
        np.testing.assert_array_equal(show.render(), annotate(image, [face], numbers=[3], emotions=EMOTIONS))

    def test_a_mirror_of_a_mirror_is_the_image(self, show):
        image, tracked_faces = mirrored(*mirrored(show._shot.image, [TRACKED]))
        np.testing.assert_array_equal(image, show._shot.image)
        assert tracked_faces[0].face.box == FACE.box

    def test_s_saves_what_shows_under_a_new_name_each_time(self, show, tmp_path):
        self.keys(show, "m", "s", "s", "s")
        saved = sorted(tmp_path.iterdir())
        assert len(saved) == 3
        assert all(path.name.startswith("emotion-2") and path.suffix == ".png" for path in saved)
        for path in saved:
            np.testing.assert_array_equal(read_image(path), show.render())
        assert show._window.shown[-1][2][0].startswith("saved emotion-2")

    def test_what_cannot_be_saved_is_told_and_stops_nothing(self, show, tmp_path):
        show._folder = tmp_path / "file"
        show._folder.touch()
        assert self.keys(show, "s")
        assert "could not be saved" in show._window.shown[-1][2][0]

    def test_a_notice_goes(self, show, monkeypatch):
        monkeypatch.setattr(live, "NOTICE", 0.0)
        self.keys(show, "s")
        time.sleep(0.01)
        show.refresh()
        assert show._window.shown[-1][2] == [HELP]


def test_the_rate_is_smoothed():
    rate = FpsMeter()
    assert rate.a_second == 0
    for frame in range(61):
        rate.count(frame / 30)
    assert rate.a_second == pytest.approx(30)
    rate.count(3.0)
    assert 1 < rate.a_second < 30


class TestLive:
    def test_a_still_face_is_read_as_a_image_would_be(self, astronaut, predictor):
        image = portrait_frame(astronaut, 0.0, SIZE)
        [expected] = predictor.predict(image)
        with LiveTracker(predictor) as live:
            tracked_faces = self.look_until_seen(live, image)
            for frame in range(10):
                [seen] = tracked_faces
                np.testing.assert_array_equal(seen.face.box, expected.box)
                np.testing.assert_allclose(seen.face.probabilities, expected.probabilities, atol=1e-9)
                tracked_faces = live.update(image, 100 + frame / 30)

    def look_until_seen(self, live, image):
        for frame in range(500):
            tracked_faces = live.update(image, frame / 30)
            if tracked_faces:
                return tracked_faces
            time.sleep(0.01)
        return []

    def test_what_was_found_in_an_earlier_image_is_placed_in_the_newest(self, astronaut, predictor, monkeypatch):
        searching = threading.Event()
        find = predictor.detect

        def slow(image):
            searching.wait(10)
            return find(image)

        monkeypatch.setattr(predictor, "detect", slow)
        with LiveTracker(predictor) as live:
            for number in range(4):
                assert live.update(portrait_frame(astronaut, number / RATE, SIZE), number / RATE) == []
            searching.set()
            assert live._search is not None
            live._search.result(10)
            image = portrait_frame(astronaut, 4 / RATE, SIZE)
            [seen] = live.update(image, 4 / RATE)
        [expected] = find(image)
        np.testing.assert_allclose(seen.face.box, expected.box, atol=3)

    def test_an_error_of_the_search_is_raised(self, predictor, monkeypatch):
        def fail(image):
            raise InputError("no detector")

        monkeypatch.setattr(predictor, "detect", fail)
        with LiveTracker(predictor) as live:
            live.update(image(), 0.0)
            assert live._search is not None
            live._search.exception(10)
            with pytest.raises(InputError, match="no detector"):
                live.update(image(), 0.03)


@pytest.mark.usefixtures("dummy")
class TestWindow:
    def screen(self, window):
        import pygame

        return pygame.surfarray.array3d(window._screen).transpose(1, 0, 2)

    def test_a_image_shows_as_it_is(self):
        image = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
        with Window("test") as window:
            window.show(image)
            np.testing.assert_array_equal(self.screen(window), image)

    def test_text_shows_above_and_below(self):
        with Window("test") as window:
            window.show(image(100, (240, 320)), above="30 frames/s", below=[HELP])
            changed = (self.screen(window) != 100).any(axis=(1, 2))
        assert changed[:10].any()
        assert changed[-10:].any()
        assert not changed[60:120].any()

    def test_a_window_of_another_shape_shows_all_of_the_image(self):
        import pygame

        with Window("test") as window:
            window.show(image(200, (240, 320)))
            window._screen = pygame.display.set_mode((400, 500), pygame.RESIZABLE)
            window.show(image(200, (240, 320)))
            screen = self.screen(window)
        assert (screen[100:399] == 200).all()
        assert (screen[:95] == 0).all()

    def test_a_image_larger_than_the_screen_is_made_smaller(self):
        with Window("test") as window:
            window.show(image(1, (4000, 9000)))
            wide, high = window._screen.get_size()
            assert wide < 9000
            assert wide / high == pytest.approx(9 / 4, rel=0.01)

    def test_keys_have_names(self):
        import pygame

        with Window("test") as window:
            list(window.pressed())
            press("q", "space", "escape")
            pygame.event.post(pygame.event.Event(pygame.QUIT))
            assert list(window.pressed()) == ["q", "space", "escape", CLOSED]

    def test_long_lines_are_broken(self):
        with Window("test") as window:
            window.say(HELP)
            lines = window._broken(HELP, 200)
            assert len(lines) > 2
            assert "  ".join(lines) == HELP
            assert all(window._font.size(line)[0] <= 200 for line in lines)
            assert window._screen.get_size() == FIRST_SIZE

    def test_without_pygame_it_says_how_to_install_it(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pygame", None)
        with pytest.raises(InputError, match="pip install pygame-ce"):
            Window("test")


@pytest.mark.usefixtures("dummy")
class TestWatch:
    def watch(self, images, predictor, monkeypatch, **options):
        """Watch a camera that gives `images`, an iterable, one by one."""
        monkeypatch.setattr(
            live, "open_camera", lambda *_, **__: Camera("test", lambda _: iter(images), one_by_one=True)
        )
        return watch("test", lambda: predictor, **options)

    def test_it_ends_with_the_file(self, clip, predictor):
        assert watch(str(clip), lambda: predictor, paced=False) == FRAMES

    def test_q_ends_it(self, astronaut, predictor, monkeypatch):
        def images():
            for number in range(1000):
                if number == 5:
                    press("q")
                yield portrait_frame(astronaut, number / RATE, SIZE)

        assert self.watch(images(), predictor, monkeypatch) in range(4, 8)

    def test_a_pause_shows_no_new_images(self, predictor, monkeypatch):
        def images():
            for number in range(30):
                if number == 10:
                    press("space")
                yield image(number)

        assert self.watch(images(), predictor, monkeypatch) in range(9, 13)

    def test_keys_are_answered_while_the_camera_is_slow(self, predictor, monkeypatch):
        def images():
            yield image()
            time.sleep(0.2)
            press("q")
            time.sleep(9)
            yield image()

        start = time.monotonic()
        assert self.watch(images(), predictor, monkeypatch) == 1
        assert time.monotonic() - start < 7

    def test_faces_show(self, clip, predictor, monkeypatch):
        shown = []
        plain = Display.take

        def take(show, frame, tracked_faces):
            shown.append(tracked_faces)
            time.sleep(0.02)
            plain(show, frame, tracked_faces)

        # On a busy machine a search can take longer than the whole clip.
        found = predictor.detect(frames_of(clip)[0])
        monkeypatch.setattr(predictor, "detect", lambda image: found)
        monkeypatch.setattr(Display, "take", take)
        watch(str(clip), lambda: predictor, paced=False)
        assert shown[0] == []  # the first search has just begun
        assert [seen.number for seen in shown[-1]] == [1]

    def test_a_model_that_cannot_be_loaded_ends_it(self, clip):
        def load():
            raise InputError("no model")

        with pytest.raises(InputError, match="no model"):
            watch(str(clip), load)


class TestCommand:
    def test_a_file_is_played_to_its_end_without_a_word(self, clip, model):
        done, _ = run("--camera", clip, "--model", model)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name are POSIX'")
    def test_a_camera_that_hangs_is_given_up_soon(self, here, model):
        os.mkfifo(here / "pipe")  # to open it waits until somebody writes
        done, seconds = run("--camera", "pipe", "--model", model)
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: camera pipe gave no image within {OPENING:g} seconds")
        assert len(done.stderr.splitlines()) == 1
        assert OPENING <= seconds < OPENING + 15  # a machine may be busy

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names of devices are Linux'")
    def test_no_camera_is_told(self, model):
        done, _ = run("--camera", "97", "--model", model)
        assert done.returncode == 1
        assert done.stderr.startswith("error: there is no camera 97: ")
        assert len(done.stderr.splitlines()) == 1

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays elsewhere cannot be taken away")
    @pytest.mark.parametrize("driver", ["x11", ""])
    def test_no_display_is_told(self, driver, clip, model):
        done, _ = run("--camera", clip, "--model", model, SDL_VIDEODRIVER=driver)
        assert done.returncode == 1
        assert done.stderr.startswith("error: no window can be opened here: ")
        assert len(done.stderr.splitlines()) == 1

    def test_a_model_file_that_is_none_is_told(self, clip, here):
        (here / "model.onnx").write_bytes(b"no model")
        done, _ = run("--camera", clip, "--model", "model.onnx")
        assert done.returncode == 1
        assert done.stderr.startswith("error: model.onnx")

    def test_the_help_names_every_key(self, capsys):
        with pytest.raises(SystemExit):
            cli._parser().parse_args(["webcam", "--help"])
        text = capsys.readouterr().out
        for key in ("q, Esc", "space", "m ", "b ", "s ", "h "):
            assert f" {key}" in text

    def test_defaults_are_those_of_the_library(self):
        assert command.WAIT == OPENING
