"""The web application: the page at /, its JSON API under /api, and the API's description at /openapi.json.

It runs on FastAPI and uvicorn. The folder `page` has all files of the page, and nothing is fetched from elsewhere.
"""

import reprlib
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from emotion.app.serve.answers import ErrorAnswer, FrameAnswer, ImageAnswer, LimitsAnswer, ModelAnswer, describe_model
from emotion.app.serve.decoding import Decode, decode_in_thread
from emotion.app.serve.host_check import HostCheck
from emotion.app.serve.prediction_service import PredictionService
from emotion.app.serve.security_headers import SecurityHeaders
from emotion.app.serve.uploads import Limits
from emotion.core.metadata import AUTO
from emotion.inference.predictor import Predictor

PAGE = Path(__file__).resolve().parent / "page"

NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""FastAPI would send traces to whoever the environment names (OTEL_EXPORTER_OTLP_ENDPOINT)."""

IMAGE_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer, "description": text}
    for status, text in {
        400: "The image did not arrive completely.",
        408: "The image did not arrive in time.",
        413: "The file is too large.",
        415: "The content type is no image type, or the body has a content encoding.",
        422: "The image cannot be read; `detail` says why.",
        429: "Too many images in a short time: wait for the seconds in `Retry-After`.",
        503: "Too many images at the same time: wait for the seconds in `Retry-After`.",
    }.items()
}

FRAME_ERRORS = IMAGE_ERRORS | {
    409: {"model": ErrorAnswer, "description": "The frame is older than the last frame of its session."},
    422: {"model": ErrorAnswer, "description": "The image, `session` or `seconds` is not valid; `detail` says why."},
}

PARAMETERS = {
    "session": "the camera's id: 8 to 64 letters, digits and hyphens, such as those of crypto.randomUUID()",
    "seconds": "the frame's time: a number of seconds from 0 on, which does not go back in a session",
}
"""The parameters of /api/track, for its description and its errors."""

SessionId = Annotated[str, Query(pattern="^[A-Za-z0-9-]{8,64}$", description=PARAMETERS["session"])]
Seconds = Annotated[float, Query(ge=0, allow_inf_nan=False, description=PARAMETERS["seconds"])]

IMAGE_BODY: dict[str, Any] = {
    "requestBody": {
        "description": "The bytes of the image's file, as they are: no form, no base64.",
        "required": True,
        "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def make_app(
    predictor: Predictor,
    *,
    host: str = "127.0.0.1",
    detector: str = AUTO,
    smallest: int | None = None,
    limits: Limits | None = None,
    decode: Decode = decode_in_thread,
    page: Path = PAGE,
) -> ASGIApp:
    """Return the application: the page, its API and the API's description.

    Args:
        predictor: predicts on the images, in one separate thread.
        host: the address or name that the server listens on; requests have to be for it, or for localhost.
        detector: how the predictor detects faces, one of `emotion.core.metadata.DETECTOR_CHOICES`.
        smallest: the smallest face that it detects, in pixels; by default the model's own.
        limits: the limits of the server.
        decode: decodes the images that come.
        page: the folder of the page's files.
    """
    limits = limits or Limits()
    app = FastAPI(
        title="emotion",
        summary="Faces in images, and the expressions that they show.",
        version="1",
        docs_url=None,  # these two pages of FastAPI's load from a CDN
        redoc_url=None,
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,
    )
    app.add_exception_handler(HTTPException, _answer_refusal)
    app.add_exception_handler(RequestValidationError, _answer_invalid_parameters)
    app.add_exception_handler(Exception, _answer_failure)
    _add_api(app, PredictionService(predictor, decode, limits), describe_model(predictor, detector, smallest, limits))
    _add_page(app, page)
    return SecurityHeaders(HostCheck(app, host))


def _add_api(app: FastAPI, service: PredictionService, model: ModelAnswer) -> None:
    @app.get("/api/model/", include_in_schema=False)
    @app.get("/api/model", summary="The model, and the limits of the server")
    async def describe() -> ModelAnswer:
        return model

    @app.post("/api/predict/", include_in_schema=False)
    @app.post(
        "/api/predict",
        summary="The faces in an image, and their expressions",
        responses=IMAGE_ERRORS,
        openapi_extra=IMAGE_BODY,
    )
    async def predict(request: Request) -> ImageAnswer:
        return await service.predict(request)

    @app.post("/api/track/", include_in_schema=False)
    @app.post(
        "/api/track",
        summary="The faces in the next frame of a camera, with numbers that stay",
        description=_describe_sessions(model.limits),
        responses=FRAME_ERRORS,
        openapi_extra=IMAGE_BODY,
    )
    async def track(request: Request, session: SessionId, seconds: Seconds) -> FrameAnswer:
        return await service.track(request, session, seconds)


def _describe_sessions(limits: LimitsAnswer) -> str:
    return (
        "The frames of a `session` are sent in their order. It keeps its last frame, in gray and in memory, with the "
        f"boxes and probabilities of its faces. It ends {limits.session_seconds:g} seconds after that frame. There are "
        f"at most {limits.sessions} sessions: one more ends the one that has been idle for longest."
    )


def _add_page(app: FastAPI, page: Path) -> None:
    async def index(request: Request) -> FileResponse:
        return FileResponse(page / "index.html")

    async def api(request: Request) -> FileResponse:
        return FileResponse(page / "api.html")

    app.add_route("/", index)
    app.add_route("/api", api)
    app.add_route("/api/", api)
    app.mount("/static", StaticFiles(directory=page))


async def _answer_refusal(request: Request, error: Exception) -> JSONResponse:
    """Answer an HTTPException; say more where FastAPI has only the name of the status."""
    if not isinstance(error, HTTPException):
        raise error
    allowed = (error.headers or {}).get("Allow", "another method")
    details = {
        404: "there is nothing at this address; the page is at / and the API is described at /api",
        405: f"got the method {request.method}, expected {allowed}",
    }
    answer = ErrorAnswer(details.get(error.status_code, error.detail))
    return JSONResponse(asdict(answer), error.status_code, headers=error.headers)


async def _answer_invalid_parameters(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    details = [_explain_parameter(problem["loc"][-1], problem["input"]) for problem in error.errors()]
    return JSONResponse(asdict(ErrorAnswer("; ".join(details))), 422)


def _explain_parameter(name: str, value: Any) -> str:
    received = "nothing" if value is None else reprlib.repr(value)
    return f"{name}: got {received}, expected {PARAMETERS[name]}"


async def _answer_failure(request: Request, error: Exception) -> JSONResponse:
    """Answer an unexpected exception; the server then writes it to its standard error."""
    return JSONResponse(asdict(ErrorAnswer("the server failed on this request; its terminal shows the error")), 500)
