"""The predictor behind the API: images are processed one after the other while the server goes on answering."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from fastapi import HTTPException, Request

from emotion.app.serve.answers import FrameAnswer, ImageAnswer, describe_face, describe_tracked_face
from emotion.app.serve.decoding import PROCESSES, Decode
from emotion.app.serve.tracking_sessions import FrameOrderError, TrackingSessions
from emotion.app.serve.uploads import Limits, Uploads
from emotion.data.images import ImageError, UnknownFormatError
from emotion.data.pillow_images import FORMATS
from emotion.inference.predictor import Predictor

Answer = TypeVar("Answer")

NO_IMAGE = f"the file is no image of a known format; expected one of {', '.join(FORMATS)}"
"""The detail for bytes that no decoder takes."""


class PredictionService:
    """Receives images within the limits, has them decoded, and predicts on each in one separate thread.

    That thread alone uses the predictor and the sessions: neither is safe for several threads at once.
    """

    def __init__(self, predictor: Predictor, decode: Decode, limits: Limits) -> None:
        self._predictor = predictor
        self._idle_seconds = limits.session_seconds
        self._uploads = Uploads(limits)
        self._sessions = TrackingSessions(predictor, limit=limits.sessions, idle_seconds=limits.session_seconds)
        self._decode = decode
        # A decoded image may have 192 MiB, so only a few are in memory.
        self._decoded = asyncio.Semaphore(PROCESSES)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="predictor")

    async def predict(self, request: Request) -> ImageAnswer:
        """Return the faces of the image in the body of `request`.

        Raises:
            HTTPException: a limit is exceeded or the body is no image; the detail says which and why.
        """
        return await self._process(request, self._predict)

    async def track(self, request: Request, session: str, seconds: float) -> FrameAnswer:
        """Return the faces of the frame in the body of `request`, with their numbers in the session.

        Raises:
            HTTPException: as `predict`, or the frame is older than the last frame of the session.
        """
        try:
            answer = await self._process(request, lambda image: self._track(image, session, seconds))
        except FrameOrderError as error:
            raise HTTPException(409, str(error)) from None
        self._schedule_drop()
        return answer

    async def _process(self, request: Request, predict: Callable[[np.ndarray], Answer]) -> Answer:
        """Return what `predict` makes of the image in the body of `request`, in the worker's thread."""
        try:
            async with self._uploads.receive(request) as data, self._decoded:
                image = await self._decode(data)
                return await asyncio.get_running_loop().run_in_executor(self._worker, predict, image)
        except UnknownFormatError:
            raise HTTPException(422, NO_IMAGE) from None
        except ImageError as error:
            raise HTTPException(422, str(error)) from None
        except asyncio.CancelledError:
            # After Ctrl-C, where the image takes longer than the server waits for it.
            raise HTTPException(503, "the server is stopping") from None

    def _predict(self, image: np.ndarray) -> ImageAnswer:
        faces = self._predictor.predict(image)
        height, width = image.shape[:2]
        return ImageAnswer(width, height, [describe_face(face, self._predictor.emotions) for face in faces])

    def _track(self, image: np.ndarray, session: str, seconds: float) -> FrameAnswer:
        faces = self._sessions.update(session, image, seconds)
        height, width = image.shape[:2]
        return FrameAnswer(width, height, [describe_tracked_face(face, self._predictor.emotions) for face in faces])

    def _schedule_drop(self) -> None:
        """Schedule the end of sessions that get no more frames."""
        asyncio.get_running_loop().call_later(self._idle_seconds, self._worker.submit, self._sessions.drop_idle)
