"""The page on which people ask the model about pictures, and what the page knows of it.

It is there if SERVING_PAGE is 1. SERVING_ABOUT may name a JSON file with more about the model:
``title``, ``accuracy`` on the test set, and ``samples``, pictures to try: each has ``label``,
``png`` in base64, and ``hard`` if it is.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from components.dataset.errors import StepError
from serving.instances import RequestError
from serving.labels import SURE, expected

if TYPE_CHECKING:
    from serving.server import Service

FOLDER: Final = Path(__file__).with_name("page")
FILES: Final = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}
"""The page's files and their types, by path."""
HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""The page loads nothing from elsewhere, and no other page can show it in a frame."""
UNNAMED: Final[dict[str, Any]] = {"title": "The model", "accuracy": None, "samples": []}


class AboutError(StepError):
    """A page that cannot be shown."""


def wanted(environment: Mapping[str, str]) -> dict[str, Any] | None:
    """What the environment says about the model for the page; None if there is to be no page.

    Raises:
        AboutError: The page is not here, or SERVING_ABOUT names no JSON object.
    """
    if environment.get("SERVING_PAGE") != "1":
        return None
    if not FOLDER.is_dir():
        raise AboutError(
            "SERVING_PAGE is 1, and a server that installs itself has no page; leave it out, or "
            "serve with an image of serving/Dockerfile"
        )
    if not (file := environment.get("SERVING_ABOUT")):
        return UNNAMED
    try:
        return {**UNNAMED, **json.loads(Path(file).read_text())}
    except (OSError, ValueError, TypeError) as error:
        raise AboutError(f"SERVING_ABOUT is {file}, which is no JSON object ({error})") from error


def add_page(app: FastAPI, service: "Service", facts: Mapping[str, Any], predict: str) -> None:
    """Adds the page's routes; ``facts`` describe the environment, ``predict`` is a route."""

    async def about(_: Request) -> Response:
        if (model := service.model) is None:
            raise RequestError("the model is still loading", 503)
        known = {
            **facts,
            "labels": model.labels,
            "predict": predict,
            "signatures": list(model.signatures),
            "shape": model.shape,
            "sure_from": SURE,
            "expected": expected(model.description),
        }
        return JSONResponse(known, headers=HEADERS)

    app.add_route("/about", about)
    for path, (name, kind) in FILES.items():
        app.add_route(path, _file(name, kind))


def _file(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    content = (FOLDER / name).read_bytes()

    async def answer(_: Request) -> Response:
        return Response(content, headers=HEADERS, media_type=kind)

    return answer
