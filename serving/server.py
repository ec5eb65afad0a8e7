"""The HTTP server: routes, limits, errors and the line that each request leaves in the log."""

import asyncio
import logging
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import orjson
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.instances import RequestError, parse
from serving.page import add_page

if TYPE_CHECKING:
    from serving.model import Model

MAX_BYTES: Final = 32 * 2**20
"""Of a request's body; a photo of 24 MB in base64."""
JSON: Final = "application/json"

log = logging.getLogger(__name__)


class Service:
    """The model, once it is loaded, and the threads that answer with it.

    Attributes:
        model: None until it can answer.
    """

    def __init__(self) -> None:
        self.model: Model | None = None
        self._threads = ThreadPoolExecutor(len(os.sched_getaffinity(0)), "predict")

    async def predict(self, request: Request) -> Response:
        """Answers ``{"instances": […]}`` with ``{"predictions": […]}``."""
        body = await _body(request)
        if self.model is None:
            raise RequestError("the model is still loading", 503)
        loop = asyncio.get_running_loop()
        # In a thread, so that health is answered meanwhile.
        count, text = await loop.run_in_executor(self._threads, _answer, self.model, body)
        request.state.instances = count
        return Response(text, media_type=JSON)

    async def health(self) -> Response:
        """200 when the model can answer."""
        ready = self.model is not None
        return _said("status", "ready" if ready else "loading", 200 if ready else 503)


def application(
    service: Service,
    health_route: str,
    predict_route: str,
    about: Mapping[str, Any] | None = None,
) -> ASGIApp:
    """The application, with Vertex AI's two routes, and a page if something is known about it."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route(health_route, service.health, methods=["GET"])
    app.add_api_route(predict_route, service.predict, methods=["POST"])
    if about is not None:
        add_page(app, service, about, predict_route)
    app.add_exception_handler(RequestError, _refused)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(ClientDisconnect, _refused)
    app.add_exception_handler(Exception, _refused)
    return Logged(app, health_route)


class Logged:
    """Logs each request in a line: its status, number of instances and milliseconds.

    Checks of its health leave none.
    """

    def __init__(self, app: ASGIApp, quiet: str) -> None:
        self.app = app
        self.quiet = quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on."""
        start = time.perf_counter()
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            if scope["path"] != self.quiet:
                taken = (time.perf_counter() - start) * 1000
                count = scope.get("state", {}).get("instances", "-")
                path = scope["path"].encode("unicode_escape").decode()[:100]
                log.info(
                    "%s %s %d instances=%s ms=%.1f", scope["method"], path, status, count, taken
                )


async def _body(request: Request) -> bytearray:
    body, size = bytearray(), 0
    # All of it is read: a client may look for the answer only when it has sent everything.
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAX_BYTES:
            body += chunk
    if size > MAX_BYTES:
        raise RequestError(f"the body has {size:,} bytes, and at most {MAX_BYTES:,} are taken", 413)
    return body


def _answer(model: "Model", body: bytearray) -> tuple[int, bytes]:
    predictions = model.answer(parse(body))
    # It writes arrays as they are, float32 in as many digits as it has.
    text = orjson.dumps({"predictions": predictions}, option=orjson.OPT_SERIALIZE_NUMPY)
    return len(predictions), text


async def _refused(_: Request, error: Exception) -> Response:
    match error:
        case RequestError():
            return _said("error", str(error), error.status)
        case HTTPException():
            return _said("error", error.detail, error.status_code, error.headers)
        case ClientDisconnect():
            return _said("error", "the client left", 400)
    return _said("error", "the server failed; its log says why", 500)


def _said(key: str, text: str, status: int, headers: Any = None) -> Response:
    return Response(orjson.dumps({key: text}), status, headers, JSON)
