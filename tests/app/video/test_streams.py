"""`emotion video` reads a camera in the network, ends in time, and never prints a secret."""

import re
import signal
import threading
import time

import pytest

from emotion.app.video.command import CUT_OFF
from emotion.inference import live_stream
from tests.app.video.tables import file_names, read_rows
from tests.clips import plain_image, read_frames
from tests.streams import PASSWORD, SECRETS, TOKEN, USER, HttpServer, RtspServer, closed_port, running, silent_server

pytestmark = pytest.mark.medium

IMAGES = [plain_image(value, (96, 128)) for value in range(0, 250, 10)]
WHOLE = ("--detector", "whole")


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    pytest.importorskip("av", reason="the extra [video] brings PyAV")
    monkeypatch.setattr(live_stream, "OPEN_SECONDS", 1.0)
    monkeypatch.setattr(live_stream, "READ_SECONDS", dict.fromkeys(live_stream.READ_SECONDS, 0.5))
    monkeypatch.setattr(live_stream, "RETRY_PAUSES", (0.05, 0.05))


def secret_address(scheme: str, place: str) -> str:
    return f"{scheme}://{USER}:{PASSWORD}@{place}/live?token={TOKEN}"


def assert_no_secrets(*texts: object) -> None:
    for text in texts:
        assert not any(secret in str(text) for secret in SECRETS), text


@pytest.mark.parametrize("scheme, server", [("rtsp", RtspServer), ("http", HttpServer)])
def test_a_part_of_a_stream_is_read_and_named_by_its_host(scheme, server, here, emotion_video):
    with running(server(IMAGES, password=True)) as camera:
        status, out, err = emotion_video(secret_address(scheme, camera.place), "--seconds", 0.2, *WHOLE)
    name = f"{camera.place.replace(':', '-')}-emotions.mp4"
    assert (status, err) == (0, "")
    assert re.match(rf"\d+ frames \(0\.\d s\), 1 face.*\nwritten: {re.escape(name)}\n$", out)
    assert file_names(here) == [name]
    assert len(read_frames(here / name)) > 5
    assert_no_secrets(out, name, (here / name).read_bytes())


def test_a_stream_that_is_lost_leaves_complete_files_and_a_warning(here, emotion_video):
    with running(HttpServer(IMAGES, breaks=[10, 10, 0, 0, 0])) as camera:
        address = secret_address("http", camera.place)
        status, out, err = emotion_video(address, "--csv", "cam.csv", "-o", "cam.avi", *WHOLE)
    assert status == CUT_OFF
    assert out.startswith("20 frames")
    lines = err.splitlines()
    assert [line.rpartition("(")[2] for line in lines[:-1]] == ["1 of 2)", "1 of 2)", "2 of 2)"]
    assert re.match(r"warning: the connection is lost after 2 tries: http://127\.0\.0\.1:\d+ .*written", lines[-1])
    assert file_names(here) == ["cam.avi", "cam.csv"]
    rows = read_rows(here / "cam.csv")
    assert [int(row["frame"]) for row in rows] == list(range(20))
    assert_no_secrets(out, err, (here / "cam.csv").read_text(encoding="utf-8"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_completes_the_files_of_a_stream(here, emotion_video, monkeypatch, number):
    from emotion.inference.tracking import FaceTracker

    classify, calls = FaceTracker.classify, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 8:
            signal.raise_signal(number)
        return classify(*arguments)

    monkeypatch.setattr(FaceTracker, "classify", interrupted)
    with running(HttpServer(IMAGES)) as camera:
        status, out, _ = emotion_video(f"http://{camera.place}/live", "--csv", "cam.csv", *WHOLE)
    assert (status, file_names(here)) == (0, ["cam.csv"])
    assert out.startswith("7 frames")


def test_every_failure_is_named_in_time_and_without_secrets(here, emotion_video):
    start = time.monotonic()
    with running(HttpServer(password=True)) as camera, silent_server() as silent:
        cases = {
            f"http://{USER}:wrong{PASSWORD}@{camera.place}/live?token={TOKEN}": "password",
            secret_address("rtsp", f"127.0.0.1:{closed_port()}"): "nothing answers at port",
            secret_address("rtsp", silent): "sent no video",
            secret_address("http", "no-such-host.invalid"): "cannot be reached",
            f"rtsp://{USER}:{PASSWORD}#{TOKEN}@127.0.0.1/live": "HOST:PORT",
            f"ftp://{USER}:{PASSWORD}@host/{TOKEN}.mp4": "begins with ftp:, expected one of rtsp, rtsps, http, https",
            f"concat:{TOKEN}.mp4|{PASSWORD}.mp4": "begins with concat:",
        }
        for address, problem in cases.items():
            status, out, err = emotion_video(address, "--csv", "cam.csv")
            assert re.match(rf"error: .*{problem}", status), address
            assert (out, err) == ("", "")
            assert_no_secrets(status)
    assert file_names(here) == []
    assert time.monotonic() - start < 15


def test_a_mistake_in_the_command_shows_no_secret(emotion_video):
    status, out, err = emotion_video("a.mp4", "--every", secret_address("rtsp", "127.0.0.1"))
    assert status == 2
    assert "rtsp://127.0.0.1" in err
    assert_no_secrets(out, err)


def test_seconds_end_a_file_too(clip, here, emotion_video):
    status, out, err = emotion_video(clip, "--csv", "out.csv", "--seconds", 0.2)
    assert (status, err) == (0, "")
    assert out.startswith("6 frames (0.2 s)")


def test_threads_carry_no_secret(emotion_video, here):
    names: list[str] = []
    with running(HttpServer(IMAGES)) as camera:
        watch = threading.Timer(0.15, lambda: names.extend(thread.name for thread in threading.enumerate()))
        watch.start()
        emotion_video(secret_address("http", camera.place), "--csv", "cam.csv", "--seconds", 0.4, *WHOLE)
        watch.join()
    assert names
    assert_no_secrets(*names)
