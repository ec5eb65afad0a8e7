"""Vertex AI's JobService over REST, as far as ``gcloud ai custom-jobs create`` needs it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from google.cloud import aiplatform_v1 as vertex
from google.protobuf import json_format

from tests.fakes.model_service import PARENT, as_json
from tests.fakes.server import Handler, LoopbackServer


@dataclass
class JobService:
    """The server's side.

    Attributes:
        url: Its address.
        jobs: The jobs that it was asked for, as messages of the client library.
        refused: Why it refused a request.
    """

    url: str
    jobs: list[Any] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def create(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Takes a job whose fields are all the API's own, and nothing else."""
        job = vertex.CustomJob()
        try:
            if path.partition("?")[0] != f"/v1/{PARENT}/customJobs":
                raise json_format.ParseError(f"no such method: {path}")
            json_format.Parse(body, type(job).pb(job))
        except json_format.ParseError as error:
            self.refused.append(str(error))
            return 400, {"error": {"code": 400, "message": str(error)}}
        self.jobs.append(vertex.CustomJob(job))
        job.name = f"{PARENT}/customJobs/42"
        job.state = vertex.JobState.JOB_STATE_PENDING
        return 200, as_json(job)


@contextmanager
def serve_jobs() -> Iterator[JobService]:
    """Serves while the block runs."""
    with LoopbackServer(_Handler) as server:
        fake = JobService(f"{server.url}/")
        server.fake = fake  # type: ignore[attr-defined]
        yield fake


class _Handler(Handler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fake: JobService = self.server.fake  # type: ignore[attr-defined]
        status, content = fake.create(self.path, body)
        answer = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
