"""/api/track and emotion.app.serve.tracking_sessions: the faces of cameras, tracked as in a video."""

import asyncio
import re
import threading
import time
import uuid
from typing import Any

import httpx2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from benchmarks.frame_speed import portrait_frame
from emotion.app.serve.answers import describe_tracked_face
from emotion.app.serve.api import PAGE, make_app
from emotion.app.serve.tracking_sessions import FrameOrderError, TrackingSessions
from emotion.app.serve.uploads import Limits
from emotion.data.images import decode
from emotion.inference.motion import LONGEST_SIDE
from emotion.inference.tracking import FaceTracker
from tests.app.serve.serving import JPEG, Stub, gray, make_client, post, running_server
from tests.makers import encode

pytestmark = pytest.mark.medium

ID, OTHER_ID = "a-camera-of-a-test", "another-camera-of-a-test"


@pytest.fixture(scope="module")
def client(predictor):
    return make_client(predictor)


@pytest.fixture(scope="module")
def frames(astronaut) -> list[tuple[bytes, float]]:
    """The files and times of a camera's frames; the face is gone in some of them."""
    times = [number / 20 for number in range(12)]
    views = [portrait_frame(astronaut, seconds, (240, 320)) for seconds in times]
    return [(encode(view if seconds < 0.4 else view // 8), seconds) for view, seconds in zip(views, times, strict=True)]


def track(client: TestClient, data: Any, session: str = ID, seconds: Any = 0.0, **headers: str) -> httpx2.Response:
    parameters = {"session": session, "seconds": seconds}
    return client.post("/api/track", params=parameters, content=data, headers=headers or JPEG)


def new_id() -> str:
    """Return an id as the page chooses it."""
    return str(uuid.uuid4())


# Answers


def test_answers_as_the_tracker_of_videos(client, predictor, frames):
    tracker, session = FaceTracker(predictor), new_id()
    for data, seconds in frames:
        image = decode(data)
        answer = track(client, data, session, seconds).json()
        expected = [vars(describe_tracked_face(face, predictor.emotions)) for face in tracker.update(image, seconds)]
        assert answer["faces"] == [{**face, "box": vars(face["box"])} for face in expected]
        assert (answer["width"], answer["height"]) == (320, 240)
        assert all(face["detected"] for face in answer["faces"])


def test_a_first_frame_has_the_faces_of_an_image(client, astronaut):
    data = encode(astronaut)
    expected = post(client, data).json()["faces"]
    assert track(client, data, new_id()).json()["faces"] == [
        {**face, "number": number, "detected": True} for number, face in enumerate(expected, start=1)
    ]


def test_sessions_do_not_mix(client, frames):
    """Each answers as if it were alone, whatever is sent between its frames."""
    first, second, alone = new_id(), new_id(), new_id()
    empty = encode(np.zeros((240, 320, 3), np.uint8))
    mixed = []
    for data, seconds in frames:
        mixed.append(track(client, data, first, seconds).json())
        assert track(client, empty, second, seconds).json()["faces"] == []
        post(client, data)
    assert mixed == [track(client, data, alone, seconds).json() for data, seconds in frames]


def test_frames_of_another_size_go_on(client, astronaut):
    session = new_id()
    sizes = [(240, 320), (320, 240), (48, 48), (1, 1)]
    for number, size in enumerate(sizes):
        answer = track(client, encode(portrait_frame(astronaut, 0.0, size)), session, number)
        assert answer.status_code == 200
        assert (answer.json()["height"], answer.json()["width"]) == size


def test_describes_itself(client):
    operation = client.get("/openapi.json").json()["paths"]["/api/track"]["post"]
    assert operation["requestBody"]["content"]["image/*"]["schema"]["format"] == "binary"
    assert {"200", "408", "409", "413", "415", "422", "429", "503"} <= set(operation["responses"])
    assert "keeps its last frame, in gray and in memory" in operation["description"]
    assert "It ends 5 seconds after" in operation["description"]
    assert {parameter["name"] for parameter in operation["parameters"]} == {"session", "seconds"}
    limits = client.get("/api/model").json()["limits"]
    assert (limits["sessions"], limits["session_seconds"]) == (Limits().sessions, Limits().session_seconds)


def test_the_page_names_what_a_session_keeps():
    text = (PAGE / "api.html").read_text(encoding="utf-8")
    assert f"at most {LONGEST_SIDE} pixels wide or high" in text
    assert Limits().session_seconds == 5
    assert '"session_seconds">5<' in text


# Refusals


@pytest.mark.parametrize(
    "session",
    [
        "",
        "short",
        "a" * 65,
        "with space in it",
        "../../etc/passwd",
        "ends-with-a-line\n",
        "größer-als-acht",
        "a_b_c_d_e",
    ],
)
def test_ids_that_are_none_are_refused(client, session):
    answer = track(client, encode(gray()), session)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("session: got '")
    assert re.search("expected .*8 to 64 letters, digits and hyphens", answer.json()["detail"])
    assert len(answer.json()["detail"]) < 200


@pytest.mark.parametrize("seconds", ["", "now", "nan", "inf", "-inf", "-0.1", "1e999"])
def test_times_that_are_none_are_refused(client, seconds):
    answer = track(client, encode(gray()), new_id(), seconds)
    assert answer.status_code == 422
    assert re.match("seconds: got '.*', expected .*number of seconds from 0", answer.json()["detail"])


def test_both_parameters_are_needed(client):
    answer = client.post("/api/track", content=encode(gray()), headers=JPEG)
    assert answer.status_code == 422
    assert "session: got nothing" in answer.json()["detail"]
    assert "seconds: got nothing" in answer.json()["detail"]


def test_times_that_go_back_are_refused(client):
    session, data = new_id(), encode(gray())
    assert [track(client, data, session, seconds).status_code for seconds in (2, 2, 2.5)] == [200, 200, 200]
    answer = track(client, data, session, 2.25)
    assert answer.status_code == 409
    assert re.match(r"seconds: got 2\.25 after 2\.5, expected .*another session", answer.json()["detail"])
    assert track(client, data, session, 3).status_code == 200
    assert track(client, data, new_id(), 2.25).status_code == 200


def test_an_image_that_cannot_be_read_leaves_the_session_as_it_was(client, predictor, frames):
    session, tracker = new_id(), FaceTracker(predictor)
    for data, seconds in frames[:4]:
        assert track(client, b"no image", session, seconds).status_code == 422
        numbers = [face["number"] for face in track(client, data, session, seconds).json()["faces"]]
        assert numbers == [face.number for face in tracker.update(decode(data), seconds)]


def test_the_limits_of_images_hold_for_frames(predictor):
    data = encode(gray(48, 48))
    small = make_client(predictor, limits=Limits(upload_bytes=2**20))
    assert track(small, bytes(2**20 + 1)).status_code == 413
    assert track(small, iter([bytes(2**20), bytes(1)])).status_code == 413
    assert track(small, data, **{"content-type": "text/plain"}).status_code == 415
    assert track(small, data, **{**JPEG, "host": "evil.example"}).status_code == 421
    assert small.get("/api/track", params={"session": ID, "seconds": 0}).status_code == 405
    slow = make_client(predictor, limits=Limits(a_second=0.1, burst=3))
    statuses = [post(slow, data).status_code, *(track(slow, data, seconds=n).status_code for n in range(3))]
    assert statuses == [200, 200, 200, 429]


def test_frames_and_images_share_the_places(predictor):
    stub = Stub(predictor)
    app = make_app(stub, limits=Limits(at_a_time=1))  # type: ignore[arg-type]
    data = encode(gray(48, 48))

    async def scene() -> tuple[int, int]:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost") as client:
            first = asyncio.create_task(client.post("/api/predict", content=data, headers=JPEG))
            while not stub.reading:
                await asyncio.sleep(0.01)
            refused = await client.post(f"/api/track?session={ID}&seconds=0", content=data, headers=JPEG)
            stub.release.set()
            return (await first).status_code, refused.status_code

    assert asyncio.run(asyncio.wait_for(scene(), 20)) == (200, 503)


# Sessions


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def make_sessions(predictor: Any, limit: int = 2) -> tuple[TrackingSessions, Clock]:
    clock = Clock()
    return TrackingSessions(predictor, limit=limit, idle_seconds=5, clock=clock), clock


FRAME = np.zeros((48, 48, 1), np.uint8)


def test_sessions_are_bounded_and_the_longest_idle_one_ends(predictor):
    sessions, clock = make_sessions(predictor)
    for name, now in (("first", 0), ("second", 1), ("first", 2), ("third", 3)):
        clock.now = now
        sessions.update(name, FRAME, 10 + now)
    assert len(sessions) == 2
    with pytest.raises(FrameOrderError):
        sessions.update("first", FRAME, 0)
    with pytest.raises(FrameOrderError):
        sessions.update("third", FRAME, 0)
    sessions.update("second", FRAME, 0)  # it ended, so its time starts anew


def test_sessions_end_when_idle(predictor):
    sessions, clock = make_sessions(predictor)
    sessions.update("first", FRAME, 10)
    clock.now = 4.9
    sessions.update("second", FRAME, 10)
    sessions.drop_idle()
    assert len(sessions) == 2
    clock.now = 5
    sessions.drop_idle()
    assert len(sessions) == 1
    sessions.update("first", FRAME, 0)
    clock.now = 9.9
    sessions.update("first", FRAME, 1)
    assert len(sessions) == 1


def test_a_refused_frame_does_not_keep_a_session_alive(predictor):
    sessions, clock = make_sessions(predictor)
    sessions.update("first", FRAME, 10)
    clock.now = 4
    with pytest.raises(FrameOrderError):
        sessions.update("first", FRAME, 9)
    clock.now = 5
    sessions.drop_idle()
    assert len(sessions) == 0


def test_a_session_that_fails_ends(predictor, monkeypatch):
    sessions, _ = make_sessions(predictor)
    sessions.update("first", FRAME, 10)
    with monkeypatch.context() as patch:
        patch.setattr(FaceTracker, "update", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            sessions.update("first", FRAME, 11)
    assert len(sessions) == 0


def test_the_server_drops_a_session_though_no_other_frame_comes(predictor, monkeypatch):
    left: list[int] = []
    dropped = threading.Event()
    drop_idle = TrackingSessions.drop_idle

    def note(sessions: TrackingSessions) -> None:
        before = len(sessions)
        drop_idle(sessions)
        if before:
            left.append(len(sessions))
            dropped.set()

    monkeypatch.setattr(TrackingSessions, "drop_idle", note)
    with running_server(make_app(predictor, limits=Limits(session_seconds=0.2))) as (host, port):
        start = time.monotonic()
        answer = httpx2.post(
            f"http://{host}:{port}/api/track",
            params={"session": ID, "seconds": 7},
            content=encode(gray(48, 48)),
            headers=JPEG,
        )
        assert answer.status_code == 200
        assert dropped.wait(10)
        assert time.monotonic() - start >= 0.2
    assert left == [0]
