"""The web page and its JSON API: an image comes in, the faces in it and what they show go out; nothing is kept.

FastAPI and uvicorn carry it. Whatever the page needs lies in the folder `page`; nothing is fetched from elsewhere.
"""

import asyncio
import ipaddress
import math
import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi.telemetry import TelemetryConfig
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion.core.files import read_json, rounded
from emotion.core.metadata import AUTO, WHOLE
from emotion.core.paths import EVALUATION_METRICS
from emotion.data.images import MAX_PIXELS, ImageError, decode
from emotion.inference.annotation import emotion_color
from emotion.inference.predictor import Face, Predictor

PAGE = Path(__file__).resolve().parent / "page"

WILDCARDS = ("0.0.0.0", "::")
"""Addresses that stand for every one that the machine has."""

MAX_CLIENTS = 1024
"""Of how many addresses the rate is remembered."""

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What every answer says to the browser: nothing from elsewhere, no framing, no trace, the camera for this page."""


NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""FastAPI would send what it sees to whoever the environment names (OTEL_EXPORTER_OTLP_ENDPOINT)."""


@dataclass(frozen=True)
class Limits:
    """What one server takes on.

    Attributes:
        upload_bytes: of one image's file.
        at_a_time: how many images may be on their way or waiting; one is read at a time.
        a_second: how many images an address may send in the long run.
        burst: how many it may send at once.
        body_seconds: within which an image has to arrive.
    """

    upload_bytes: int = 16 * 2**20
    at_a_time: int = 8
    a_second: float = 60
    burst: int = 120
    body_seconds: float = 15


@dataclass(frozen=True)
class BoxAnswer:
    """Where a face is, in pixels of the image as people see it (a rotation noted in EXIF carried out)."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class FaceAnswer:
    """A face, the emotion that it shows, the probability of that, and the probability of each emotion by name."""

    box: BoxAnswer
    emotion: str
    confidence: float
    probabilities: dict[str, float]


@dataclass(frozen=True)
class ImageAnswer:
    """The size of an image in pixels and the faces in it, the largest first; an empty list where none was found."""

    width: int
    height: int
    faces: list[FaceAnswer]


@dataclass(frozen=True)
class EmotionAnswer:
    """The name of an emotion, and its color as #rrggbb."""

    name: str
    color: str


@dataclass(frozen=True)
class FiguresAnswer:
    """What the model scored on the images of its test split."""

    images: int
    accuracy: float
    macro_f1: float


@dataclass(frozen=True)
class LimitsAnswer:
    """What the server takes on: bytes and pixels of an image, images at a time and a second."""

    upload_bytes: int
    pixels: int
    at_a_time: int
    a_second: float


@dataclass(frozen=True)
class ModelAnswer:
    """The model: its name, its emotions in their order, what it takes, how faces are found, and what it scored."""

    name: str
    emotions: list[EmotionAnswer]
    size: int
    color: str
    detector: str
    detector_in_use: str | None
    smallest: int
    figures: FiguresAnswer | None
    limits: LimitsAnswer


@dataclass(frozen=True)
class Problem:
    """What was wrong, and what would be right."""

    detail: str


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text}
    for status, text in {
        400: "The image broke off on its way.",
        408: "The image did not arrive in time.",
        413: "The file is too large.",
        415: "The content type is not that of an image.",
        422: "The image cannot be read; `detail` says why.",
        429: "Too many images in a short time: wait for the seconds in `Retry-After`.",
        503: "Too many images at the same time: wait for the seconds in `Retry-After`.",
    }.items()
}

REQUEST_BODY: dict[str, Any] = {
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
    page: Path = PAGE,
) -> ASGIApp:
    """Return the application: the page at /, its API under /api, the API's description at /openapi.json.

    Args:
        predictor: reads the images, in one thread of its own.
        host: the address or name that the server listens on; requests have to be for it, or for localhost.
        detector: how the predictor looks for faces, one of `emotion.core.metadata.DETECTOR_CHOICES`.
        smallest: the smallest face that it looks for, in pixels; the model's own unless told.
        limits: what the server takes on.
        page: the folder of the page's files.
    """
    limits = limits or Limits()
    service = PredictionService(predictor, limits)
    app = FastAPI(
        title="emotion",
        summary="Faces in images, and the expressions that they show.",
        version="1",
        docs_url=None,  # these two pages of FastAPI's load from a CDN
        redoc_url=None,
        telemetry=NO_TELEMETRY,
    )
    app.add_exception_handler(StarletteHTTPException, _explain)
    app.add_exception_handler(Exception, _fail)
    _add_api(app, service, describe_model(predictor, detector, smallest, limits))
    _add_page(app, page)
    return HostCheck(app, AllowedHosts.of(host))


def _add_api(app: FastAPI, service: "PredictionService", model: ModelAnswer) -> None:
    @app.get("/api/model", summary="The model, and what the server takes on")
    async def describe() -> ModelAnswer:
        return model

    @app.post(
        "/api/predict",
        summary="The faces in an image, and what they show",
        responses=PROBLEMS,
        openapi_extra=REQUEST_BODY,
    )
    async def predict(request: Request) -> ImageAnswer:
        return await service.serve(request)


def _add_page(app: FastAPI, page: Path) -> None:
    async def index(request: Request) -> FileResponse:
        return FileResponse(page / "index.html")

    async def api(request: Request) -> FileResponse:
        return FileResponse(page / "api.html")

    app.add_route("/", index)
    app.add_route("/api", api)
    app.mount("/static", StaticFiles(directory=page))


class PredictionService:
    """Takes images in within the limits and has them read one after the other, while the server goes on serving."""

    def __init__(self, predictor: Predictor, limits: Limits) -> None:
        self._predictor = predictor
        self._limits = limits
        self._rate = TokenBucket(limits.a_second, limits.burst)
        self._present = 0
        # A predictor is not made for several threads at once.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="predictor")

    async def serve(self, request: Request) -> ImageAnswer:
        """Return what the image in the body of `request` shows.

        Raises:
            HTTPException: a limit is exceeded or the body is no image; the detail says which and why.
        """
        self._check_rate(request)
        _check_type(request)
        self._check_length(request)
        with self._place():
            data = await self._receive(request)
            try:
                return await asyncio.get_running_loop().run_in_executor(self._worker, self._read, data)
            except asyncio.CancelledError:
                # Ctrl-C, and the image takes longer than the server waits for it.
                raise HTTPException(503, "the server is ending") from None

    def _check_rate(self, request: Request) -> None:
        wait = self._rate.wait(request.client.host if request.client else "")
        if wait:
            raise HTTPException(
                429,
                f"more than {self._limits.a_second:g} images a second; wait for the seconds in Retry-After",
                {"Retry-After": str(math.ceil(wait))},
            )

    def _check_length(self, request: Request) -> None:
        # What is no number never gets here: the server refuses such a request.
        if int(request.headers.get("content-length", 0)) > self._limits.upload_bytes:
            raise self._too_large()

    def _too_large(self) -> HTTPException:
        return HTTPException(
            413, f"the file is larger than {self._limits.upload_bytes / 2**20:g} MiB; send a smaller image"
        )

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Hold one of the places for images that are on their way or waiting."""
        if self._present >= self._limits.at_a_time:
            raise HTTPException(
                503,
                f"{self._present} images are being read already; wait for the seconds in Retry-After",
                {"Retry-After": "1"},
            )
        self._present += 1
        try:
            yield
        finally:
            self._present -= 1

    async def _receive(self, request: Request) -> bytes:
        """Return the body, which is counted as it comes: it may have been sent in chunks, with no length named."""
        data = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                async for chunk in request.stream():
                    data += chunk
                    if len(data) > self._limits.upload_bytes:
                        raise self._too_large()
        except TimeoutError:
            raise HTTPException(
                408,
                f"the image did not arrive within {self._limits.body_seconds:g} seconds",
                {"Connection": "close"},
            ) from None
        except ClientDisconnect:
            raise HTTPException(400, "the image broke off on its way") from None
        return bytes(data)

    def _read(self, data: bytes) -> ImageAnswer:
        try:
            image = decode(data)
            faces = self._predictor.predict(image)
        except ImageError as error:
            raise HTTPException(422, str(error)) from None
        height, width = image.shape[:2]
        return ImageAnswer(width, height, [describe_face(face, self._predictor.emotions) for face in faces])


def _check_type(request: Request) -> None:
    # A page elsewhere cannot send this type without asking first, and is never told yes: so none can use the API.
    given = request.headers.get("content-type", "")
    if not given.lower().startswith("image/"):
        raise HTTPException(
            415,
            f"got the content type {given or 'of nothing'!r}, expected one of an image, such as image/jpeg, and the "
            "file's bytes as the body",
        )


def describe_face(face: Face, emotions: tuple[str, ...]) -> FaceAnswer:
    """Return a face as the API answers it: in the same words and decimals as `emotion predict --json`."""
    probabilities = dict(zip(emotions, rounded(list(face.probabilities)), strict=True))
    return FaceAnswer(BoxAnswer(*face.box), face.emotion, rounded(face.confidence), probabilities)


def describe_model(predictor: Predictor, detector: str, smallest: int | None, limits: Limits) -> ModelAnswer:
    """Return the model as the API answers it."""
    metadata = predictor.metadata
    return ModelAnswer(
        name="/".join(predictor.path.resolve().parts[-2:]),
        emotions=[
            EmotionAnswer(name, "#{:02x}{:02x}{:02x}".format(*emotion_color(name))) for name in metadata.emotions
        ],
        size=metadata.size,
        color=metadata.color,
        detector=detector,
        detector_in_use={AUTO: metadata.detector, WHOLE: None}.get(detector, detector),
        smallest=metadata.smallest if smallest is None else smallest,
        figures=find_figures(predictor.path),
        limits=LimitsAnswer(limits.upload_bytes, MAX_PIXELS, limits.at_a_time, limits.a_second),
    )


def find_figures(model: Path) -> FiguresAnswer | None:
    """Return what a released model scored, from the evaluate.json beside it; None where there is none to be read."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        test = read_json(model.parent / EVALUATION_METRICS.name)["test"]
        return FiguresAnswer(int(test["images"]), float(test["accuracy"]), float(test["macro_f1"]))
    return None


class TokenBucket:
    """How often each address may send: a bucket that holds `burst` images and fills by `a_second`.

    Args:
        a_second: what is added each second.
        burst: what a bucket holds; they are full at first.
        clock: gives the time in seconds.
    """

    def __init__(self, a_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_second = a_second
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> float:
        """Return 0 where `client` may send now, which is then counted; otherwise the seconds until it may."""
        now = self._clock()
        content, filled = self._buckets.pop(client, (float(self._burst), now))
        content = min(self._burst, content + (now - filled) * self._a_second)
        allowed = content >= 1
        self._buckets[client] = (content - allowed, now)
        if len(self._buckets) > MAX_CLIENTS:
            self._buckets.popitem(last=False)
        return 0 if allowed else (1 - content) / self._a_second


@dataclass(frozen=True)
class AllowedHosts:
    """For which hosts requests may be.

    A page elsewhere can have its own name lead to this machine, and would then count as one with the page here (DNS
    rebinding). Its requests still carry that name.

    Attributes:
        names: names and addresses, in small letters.
        any_address: whether every address will do, which no foreign page can have for a name.
    """

    names: frozenset[str]
    any_address: bool = False

    @classmethod
    def of(cls, host: str) -> "AllowedHosts":
        """Return those of a server that listens on `host`."""
        names = {"localhost", "127.0.0.1", "::1", host.lower()}
        if not is_loopback(host):
            own = socket.gethostname().lower()
            names |= {own, f"{own}.local"}
        return cls(frozenset(names), any_address=host in WILDCARDS)

    def allow(self, header: str) -> bool:
        """Return whether a request with this Host header may be answered; it may end in a port."""
        name = header.lower()
        name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0].removesuffix(".")
        return name in self.names or (self.any_address and _is_address(name))


def is_loopback(host: str) -> bool:
    """Return whether only this machine itself reaches `host`."""
    return host.lower() == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class HostCheck:
    """Around the application: refuses requests for other hosts, and gives every answer HEADERS."""

    def __init__(self, app: ASGIApp, hosts: AllowedHosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store" if scope["path"].startswith("/api/") else "no-cache")
            await send(message)

        host = Headers(scope=scope).get("host", "")
        app = self._app if self._hosts.allow(host) else _misdirected(host)
        await app(scope, receive, send_guarded)


def _misdirected(host: str) -> ASGIApp:
    return JSONResponse(
        asdict(Problem(f"this server does not go by the name {host!r}; open it as localhost, or start it with --host")),
        421,
    )


async def _explain(request: Request, error: Exception) -> JSONResponse:
    """Answer an HTTPException, in our words where FastAPI has only the name of the status."""
    if not isinstance(error, StarletteHTTPException):
        raise error
    allowed = (error.headers or {}).get("Allow", "another method")
    plain = {
        404: "there is nothing at this address; the page is at / and the API is described at /api",
        405: f"{request.method} is not for this address; expected {allowed}",
    }
    return JSONResponse(
        asdict(Problem(plain.get(error.status_code, error.detail))), error.status_code, headers=error.headers
    )


async def _fail(request: Request, error: Exception) -> JSONResponse:
    """Answer an exception that nobody expected; the server then writes it to its standard error."""
    return JSONResponse(asdict(Problem("the server failed on this; its terminal says why")), 500)
