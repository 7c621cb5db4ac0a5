"""The predictor behind the API: images are processed one after the other while the server goes on answering."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from fastapi import HTTPException, Request

from emotion.app.serve.answers import ImageAnswer, describe_face
from emotion.app.serve.uploads import Limits, Uploads
from emotion.data.images import ImageError, decode
from emotion.inference.predictor import Predictor


class PredictionService:
    """Receives images within the limits and predicts on each, in a thread of its own."""

    def __init__(self, predictor: Predictor, limits: Limits) -> None:
        self._predictor = predictor
        self._uploads = Uploads(limits)
        # A predictor is not made for several threads at once.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="predictor")

    async def predict(self, request: Request) -> ImageAnswer:
        """Return the faces of the image in the body of `request`.

        Raises:
            HTTPException: a limit is exceeded or the body is no image; the detail says which and why.
        """
        async with self._uploads.receive(request) as data:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._worker, self._predict, data)
            except ImageError as error:
                raise HTTPException(422, str(error)) from None
            except asyncio.CancelledError:
                # After Ctrl-C, where the image takes longer than the server waits for it.
                raise HTTPException(503, "the server is ending") from None

    def _predict(self, data: bytes) -> ImageAnswer:
        image = decode(data)
        faces = self._predictor.predict(image)
        height, width = image.shape[:2]
        return ImageAnswer(width, height, [describe_face(face, self._predictor.emotions) for face in faces])
