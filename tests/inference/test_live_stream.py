"""Streams are read to their end, connected again where they break off, and given up in time."""

import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from emotion.core.errors import InputError
from emotion.inference import live_stream
from emotion.inference.codecs import choice
from emotion.inference.live_stream import LiveStream
from emotion.inference.video_reader import VideoReader
from tests.clips import plain_image, write_video
from tests.streams import (
    PASSWORD,
    RATE,
    SECRETS,
    TOKEN,
    USER,
    HttpServer,
    RtspServer,
    closed_port,
    running,
    silent_server,
)

pytestmark = pytest.mark.medium

IMAGES = [plain_image(value, (96, 128)) for value in range(0, 250, 10)]


@pytest.fixture(params=["PyAV", pytest.param("OpenCV", marks=pytest.mark.slow)], autouse=True)
def either_decoder(request, monkeypatch, capfd):
    """Run each test with both decoders, and with short waits. Neither may print anything."""
    if request.param == "PyAV":
        pytest.importorskip("av", reason="the extra [video] brings PyAV")
    else:
        monkeypatch.setattr(choice, "has_pyav", lambda: False)
    monkeypatch.setattr(live_stream, "OPEN_SECONDS", 1.0)
    monkeypatch.setattr(live_stream, "READ_SECONDS", dict.fromkeys(live_stream.READ_SECONDS, 0.5))
    monkeypatch.setattr(live_stream, "RETRY_PAUSES", (0.05, 0.05, 0.05))
    yield
    assert capfd.readouterr() == ("", "")


def urls_of(rtsp, http):
    return f"RTSP://{rtsp.place}/cam", f"http://{http.place}/live"


def values_of(frames):
    return [round(float(frame.image.mean()) / 10) for frame in frames]


def test_each_frame_of_a_camera_comes_in_order():
    with running(RtspServer(IMAGES)) as rtsp, running(HttpServer(IMAGES)) as http:
        for url in urls_of(rtsp, http):
            with LiveStream(url) as stream:
                frames = list(islice(stream, 20))
            assert values_of(frames) == list(range(20))
            assert [frame.number for frame in frames] == list(range(20))
            times = np.diff([frame.seconds for frame in frames])
            assert (times > 0).all()
            assert times.sum() == pytest.approx(19 / RATE, abs=0.3)


def test_a_camera_may_send_h264():
    pytest.importorskip("av", reason="PyAV encodes the images")
    noise = [np.random.default_rng(0).integers(0, 40, (96, 128, 3), dtype=np.uint8) for _ in IMAGES]
    images = [image // 2 + one for image, one in zip(IMAGES, noise, strict=True)]
    with running(RtspServer(images, h264=True)) as rtsp, LiveStream(f"rtsp://{rtsp.place}/cam") as stream:
        frames = list(islice(stream, 20))
    for frame, image in zip(frames, images, strict=False):
        np.testing.assert_allclose(frame.image.mean(), image.mean(), atol=3)
    assert (np.diff([frame.seconds for frame in frames]) > 0).all()


def test_a_stream_that_breaks_off_is_connected_again():
    with running(RtspServer(IMAGES, breaks=[10, 12])) as rtsp, running(HttpServer(IMAGES, breaks=[10, 12])) as http:
        for url in urls_of(rtsp, http):
            notices: list[str] = []
            with LiveStream(url, report=notices.append) as stream:
                frames = list(islice(stream, 30))
                assert stream.notice == ""
            assert values_of(frames) == [*range(10), *range(12), *range(8)]
            assert (np.diff([frame.seconds for frame in frames]) > 0).all()
            assert len(notices) == 2
            assert all("connection lost, trying again (1 of 3)" in notice for notice in notices)


def test_a_stream_that_does_not_come_back_is_given_up_after_some_tries():
    notices: list[str] = []
    with (
        running(HttpServer(IMAGES, breaks=[10])) as http,
        LiveStream(f"http://{http.place}/live", report=notices.append) as stream,
    ):
        frames = iter(stream)
        values = values_of(islice(frames, 10))
        http.stopped.set()
        http.shutdown()
        http.server_close()
        assert list(frames) == []
    assert values == list(range(10))
    assert [notice.rpartition("(")[2] for notice in notices] == ["1 of 3)", "2 of 3)", "3 of 3)"]
    assert "after 3 tries" in stream.failure
    assert "nothing answers at port" in stream.failure


def test_a_camera_that_falls_silent_is_connected_again():
    start = time.monotonic()
    with running(RtspServer(IMAGES, breaks=[10], stalls=True)) as rtsp:
        with LiveStream(f"rtsp://{rtsp.place}/cam") as stream:
            assert values_of(islice(stream, 14)) == [*range(10), *range(4)]
        assert rtsp.plays == 2
    assert time.monotonic() - start < 6


def test_the_time_limit_ends_it_while_it_runs_and_while_it_is_away(monkeypatch):
    monkeypatch.setattr(live_stream, "RETRY_PAUSES", (60,))
    with running(HttpServer(IMAGES, breaks=[100])) as http:
        with LiveStream(f"http://{http.place}/live", time_limit=0.3) as stream:
            assert [frame.seconds for frame in stream][-1] < 0.3
        assert stream.failure == ""
    with running(HttpServer(IMAGES, breaks=[5])) as http:
        with LiveStream(f"http://{http.place}/live", time_limit=30) as stream:
            assert len(list(stream)) == 5
        assert stream.failure == ""


def test_a_file_ends_and_is_not_read_again(here):
    content = write_video(here / "a.mp4", IMAGES).read_bytes()
    with running(HttpServer(files={"/a.mp4": (content, "video/mp4")})) as http:
        with LiveStream(f"http://{http.place}/a.mp4") as stream:
            assert len(list(islice(stream, 100))) == len(IMAGES)
            assert stream.declared_frames == len(IMAGES)
        assert stream.failure == ""


@pytest.mark.parametrize("scheme, server", [("rtsp", RtspServer), ("http", HttpServer)])
def test_a_password_is_sent_and_one_that_is_wrong_is_named(scheme, server):
    with running(server(IMAGES, password=True)) as camera:
        with LiveStream(f"{scheme}://{USER}:{PASSWORD}@{camera.place}/live?token={TOKEN}") as stream:
            assert values_of(islice(stream, 3)) == [0, 1, 2]
        with pytest.raises(InputError, match=rf"{scheme}://127\.0\.0\.1:\d+ .*password") as error:
            LiveStream(f"{scheme}://{USER}:wrong{PASSWORD}@{camera.place}/live").__enter__()
    assert not any(secret in str(error.value) for secret in SECRETS)


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_server_that_says_nothing_is_given_up_in_time(scheme):
    start = time.monotonic()
    with silent_server() as place, pytest.raises(InputError, match="answers, but sent no video"):
        LiveStream(f"{scheme}://{place}/cam").__enter__()
    assert time.monotonic() - start < 5


def test_a_closed_port_and_a_host_that_is_not_there_are_named():
    port = closed_port()
    with pytest.raises(InputError, match=rf"rtsp://127\.0\.0\.1:{port} .*nothing answers at port {port}"):
        LiveStream(f"rtsp://127.0.0.1:{port}/cam").__enter__()
    with pytest.raises(InputError, match=r"http://no-such-host\.invalid .*cannot be reached"):
        LiveStream("http://no-such-host.invalid/").__enter__()


def test_a_page_is_no_video():
    files = {"/": (b"<html>hello</html>", "text/html"), "/notes.txt": (b"some text\n" * 50, "text/plain")}
    with running(HttpServer(files=files)) as http:
        for path in files:
            with pytest.raises(InputError, match="sent no video that can be read"):
                LiveStream(f"http://{http.place}{path}").__enter__()
        with pytest.raises(InputError, match=r"no (video|stream at this path)"):
            LiveStream(f"http://{http.place}/missing").__enter__()


def test_a_local_playlist_asks_no_server(here):
    with running(HttpServer(files={"/part.ts": (b"x" * 999, "video/mp2t")})) as http:
        (here / "a.m3u8").write_text(PLAYLIST.format(f"http://{http.place}/part.ts"), encoding="utf-8")
        with pytest.raises(InputError, match=r"a\.m3u8 (has a format that is not read|cannot be read)"):
            VideoReader(here / "a.m3u8")
        assert http.asked == []


PLAYLIST = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.0,\n{}\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.m3u8", PLAYLIST.format("part.ts")),
        ("list.mp4", "ffconcat version 1.0\nfile 'part.ts'\n"),
        ("list", "ffconcat version 1.0\nfile 'part.ts'\n"),
    ],
)
def test_a_playlist_in_a_file_opens_no_other_file(here, name, text):
    write_part(here / "part.ts")
    assert VideoReader(here / "part.ts")
    (here / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=f"{name} (has a format that is not read|cannot be read)"):
        VideoReader(here / name)


def write_part(path: Path) -> None:
    """Write a video as the parts of a playlist are."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for image in IMAGES:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        file.mux(stream.encode(None))


def test_a_file_on_a_server_that_declares_no_length_ends_too(here):
    if not choice.has_pyav():
        pytest.skip("OpenCV does not tell the size of a file")
    write_part(here / "a.ts")
    files = {"/a.ts": ((here / "a.ts").read_bytes(), "video/mp2t")}
    with running(HttpServer(files=files)) as http, LiveStream(f"http://{http.place}/a.ts") as read:
        assert len(list(islice(read, 100))) == len(IMAGES)


def test_a_playlist_reads_its_server_and_no_local_file(here):
    write_part(here / "part.ts")
    part, kind = (here / "part.ts").read_bytes(), "application/vnd.apple.mpegurl"
    local = [
        (here / "part.ts").as_uri(),
        f"file:{here / 'part.ts'}",
        f"concat:{here / 'part.ts'}",
        str(here / "part.ts"),
    ]
    lists = {f"/{index}.m3u8": (PLAYLIST.format(name).encode(), kind) for index, name in enumerate(local)}
    lists["/concat.txt"] = (f"ffconcat version 1.0\nfile '{local[0]}'\n".encode(), "text/plain")
    good = {"/part.ts": (part, "video/mp2t"), "/good.m3u8": (PLAYLIST.format("part.ts").encode(), kind)}
    with running(HttpServer(files={**lists, **good})) as http:
        with LiveStream(f"http://{http.place}/good.m3u8") as read:
            assert len(list(islice(read, 20))) == 20
        for name in lists:
            with pytest.raises(InputError, match="no video"):
                LiveStream(f"http://{http.place}{name}").__enter__()


def test_messages_of_ffmpeg_do_not_wait_for_pythons_lock(here):
    av = pytest.importorskip("av")
    with VideoReader(write_video(here / "a.mp4", IMAGES)):
        # With any other level, a thread that closes a video may wait for one that waits for it.
        assert av.logging.get_level() is None
