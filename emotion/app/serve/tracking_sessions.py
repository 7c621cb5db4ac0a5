"""Faces tracked over the frames of several cameras at the same time: one FaceTracker per session.

A session keeps in memory what its tracker needs: the last frame in gray, and the boxes and probabilities of its faces.
All of it goes once the session has been idle for a while.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emotion.inference.predictor import Predictor
from emotion.inference.tracking import FaceTracker, TrackedFace


class FrameOrderError(ValueError):
    """A frame is older than the last frame of its session."""


@dataclass
class Session:
    """One camera.

    Attributes:
        tracker: follows its faces.
        seconds: time of its last frame, by the camera's clock.
        used: when that frame came, by this machine's clock.
    """

    tracker: FaceTracker
    seconds: float = -math.inf
    used: float = -math.inf


class TrackingSessions:
    """The sessions by their id. It is used by one thread at a time.

    Args:
        predictor: detects and classifies the faces of every session.
        limit: number of sessions; one more drops the one that has been idle for longest.
        idle_seconds: time after its last frame when a session ends.
        clock: returns the time in seconds.
    """

    def __init__(
        self,
        predictor: Predictor,
        *,
        limit: int,
        idle_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._predictor = predictor
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._clock = clock
        # The one that has been idle for longest comes first.
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def update(self, session_id: str, image: np.ndarray, seconds: float) -> list[TrackedFace]:
        """Return the faces in the next frame of a session, by number. An unknown id starts a session.

        Args:
            session_id: the session's id.
            image: the frame, uint8 (height, width, 1 or 3).
            seconds: the frame's time; it does not go back.

        Raises:
            FrameOrderError: the time goes back.
            ImageError: `image` is no such array.
        """
        self.drop_idle()
        session = self._sessions.get(session_id) or self._start(session_id)
        if seconds < session.seconds:
            raise FrameOrderError(
                f"seconds: got {seconds:g} after {session.seconds:g}, expected a time that does not go back; send the "
                "frames of a session in their order, or start another session"
            )
        try:
            faces = session.tracker.update(image, seconds)
        except Exception:
            del self._sessions[session_id]  # its tracker may have taken in half of the frame
            raise
        session.seconds, session.used = seconds, self._clock()
        self._sessions.move_to_end(session_id)
        return faces

    def drop_idle(self) -> None:
        """End the sessions that have been idle for too long."""
        oldest_allowed = self._clock() - self._idle_seconds
        idle = [session_id for session_id, session in self._sessions.items() if session.used <= oldest_allowed]
        for session_id in idle:
            del self._sessions[session_id]

    def _start(self, session_id: str) -> Session:
        if len(self._sessions) >= self._limit:
            self._sessions.popitem(last=False)
        session = Session(FaceTracker(self._predictor), used=self._clock())
        self._sessions[session_id] = session
        return session
