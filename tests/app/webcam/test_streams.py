"""`emotion webcam` shows the newest image of a camera in the network, and says so while it is away."""

import re
import time

import pytest

from emotion.app.webcam.camera_sources import open_camera
from emotion.app.webcam.terminal import TerminalDisplay
from emotion.core.errors import InputError
from emotion.inference import live_stream
from tests.app.video.tables import read_rows
from tests.app.webcam.frames import take_frame
from tests.clips import FRAMES, plain_image
from tests.clips import RATE as CLIP_RATE
from tests.streams import PASSWORD, RATE, SECRETS, TOKEN, USER, HttpServer, RtspServer, running, silent_server

pytestmark = pytest.mark.medium

IMAGES = [plain_image(value, (96, 128)) for value in range(0, 250, 10)]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    pytest.importorskip("av", reason="the extra [video] brings PyAV")
    monkeypatch.setattr(live_stream, "OPEN_SECONDS", 1.0)
    monkeypatch.setattr(live_stream, "READ_SECONDS", dict.fromkeys(live_stream.READ_SECONDS, 0.5))
    monkeypatch.setattr(live_stream, "RETRY_PAUSES", (0.05, 0.3))


def test_the_newest_image_shows_and_those_before_do_not():
    with running(RtspServer(IMAGES)) as server, open_camera(f"rtsp://{server.place}/1") as camera:
        assert camera.wait_for_first_frame(timeout=5)
        first = take_frame(camera)
        time.sleep(20 / RATE)
        assert take_frame(camera, first.number).number >= first.number + 10


def test_the_window_says_that_the_connection_is_lost_and_goes_on():
    with (
        running(HttpServer(IMAGES, breaks=[10, 0, 30])) as server,
        open_camera(f"http://{USER}:{PASSWORD}@{server.place}/live?token={TOKEN}") as camera,
    ):
        notices, last = set(), -1
        end = time.monotonic() + 5
        while last < 12 and time.monotonic() < end:
            frame = camera.newest_frame(after=last, timeout=0.01)
            last = last if frame is None else frame.number
            notices.add(camera.notice())
    assert last >= 12
    assert "" in notices
    assert {notice.rpartition("(")[2] for notice in notices} == {"", "1 of 2)", "2 of 2)"}
    assert not any(secret in text for text in [*notices, camera.name] for secret in SECRETS)


def test_a_camera_that_stays_away_ends_it_with_its_reason():
    with running(HttpServer(IMAGES, breaks=[10])) as server, open_camera(f"http://{server.place}/live") as camera:
        assert take_frame(camera)
        server.stopped.set()
        server.shutdown()
        server.server_close()

        def watch():
            last, end = -1, time.monotonic() + 10
            while time.monotonic() < end:
                frame = camera.newest_frame(after=last, timeout=0.05)
                last = last if frame is None else frame.number

        with pytest.raises(InputError, match=r"lost after 2 tries: .*nothing answers at port"):
            watch()


def test_a_server_that_says_nothing_is_given_up_in_time():
    start = time.monotonic()
    with silent_server() as place, open_camera(f"rtsp://{place}/1", first_image_timeout=0.3) as camera:
        time.sleep(0.35)
        with pytest.raises(InputError, match=rf"rtsp://{place} gave no image within 0\.3 seconds.*--wait"):
            camera.wait_for_first_frame(timeout=0.01)
    assert time.monotonic() - start < 3


def test_a_file_from_a_server_plays_at_its_pace(clip):
    with (
        running(HttpServer(files={"/clip.mp4": (clip.read_bytes(), "video/mp4")})) as server,
        open_camera(f"http://{server.place}/clip.mp4") as camera,
    ):
        assert camera.wait_for_first_frame(timeout=5)
        start, last = time.monotonic(), -1
        while not (camera.ended and last == camera.last_number):
            frame = camera.newest_frame(after=last, timeout=1)
            last = last if frame is None else frame.number
        assert last == FRAMES - 1
        assert time.monotonic() - start >= 0.6 * FRAMES / CLIP_RATE


def test_what_is_no_address_of_a_stream_is_refused_at_once():
    with pytest.raises(InputError, match=r"begins with ftp:"):
        open_camera("ftp://host/1")
    with pytest.raises(InputError, match=r"--camera: got missing\.mp4, expected .*rtsp://"):
        open_camera("missing.mp4")


def test_a_stream_is_recorded_without_a_window(here, emotion_webcam):
    with running(RtspServer(IMAGES, password=True)) as server:
        address = f"rtsp://{USER}:{PASSWORD}@{server.place}/1"
        arguments = ("--no-window", "--csv", "cam.csv", "--seconds", 0.5, "--detector", "whole")
        status, out, err = emotion_webcam("--camera", address, *arguments)
    assert (status, err) == (0, "")
    assert re.match(r"\d+ frames .*\nwritten: cam\.csv\n$", out)
    assert read_rows(here / "cam.csv")


def test_the_terminal_prints_each_notice_once(capsys):
    terminal = TerminalDisplay("rtsp://host")
    for notice in ("", "lost (1)", "lost (1)", "", "lost (1)"):
        terminal.set_connection_notice(notice)
    terminal.close()
    assert capsys.readouterr().err.splitlines() == ["lost (1)", "lost (1)"]
