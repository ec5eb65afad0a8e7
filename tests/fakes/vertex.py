"""Vertex AI on a loopback port, over REST: the ModelService."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.fakes.model_service import PARENT, ModelService, Refusal, Request, as_json
from tests.fakes.server import Handler, LoopbackServer

STATUS: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
ROUTES: Final[tuple[tuple[str, str, Callable[[ModelService, Request], Any]], ...]] = (
    (rf"GET /v1/{PARENT}/models", "ListModels", ModelService.list_models),
    (rf"GET /v1/{PARENT}/models/\d+:listVersions", "ListModelVersions",
     ModelService.list_model_versions),
    (rf"GET /v1/{PARENT}/models/\d+(%40[^/]+)?", "GetModel", ModelService.get_model),
    (rf"POST /v1/{PARENT}/models:upload", "UploadModel", ModelService.upload_model),
    (rf"GET /(v1|ui)/{PARENT}/models/\d+/operations/\d+", "GetOperation",
     ModelService.get_operation),
)  # fmt: skip


@contextmanager
def serve_vertex() -> Iterator[ModelService]:
    """Serves an empty registry while the block runs."""
    with LoopbackServer(_Handler) as server:
        fake = ModelService(server.url)
        server.fake = fake  # type: ignore[attr-defined]
        yield fake


class _Handler(Handler):
    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    def _serve(self, body: bytes) -> None:
        fake: ModelService = self.server.fake  # type: ignore[attr-defined]
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        try:
            name, handle = self._route(f"{self.command} {url.path}")
            request = Request(name, url.path, query, body)
            fake.requests.append(request)
            if waiting := fake.failures.get(name):
                raise waiting.pop(0)
            answer = handle(fake, request)
            self._answer(200, answer if isinstance(answer, dict) else as_json(answer))
        except Refusal as refusal:
            self._answer(refusal.status, {"error": _error(refusal)})

    def _route(self, line: str) -> tuple[str, Callable[[ModelService, Request], Any]]:
        for pattern, name, handle in ROUTES:
            if re.fullmatch(pattern, line):
                return name, handle
        raise Refusal(404, f"not understood: {line}")

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _error(refusal: Refusal) -> dict[str, Any]:
    error: dict[str, Any] = {
        "code": refusal.status,
        "message": str(refusal),
        "status": STATUS[refusal.status],
    }
    if refusal.reason:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        info = {"@type": kind, "reason": refusal.reason, "domain": "googleapis.com"}
        error["details"] = [info]
    return error
