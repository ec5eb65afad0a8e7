"""Vertex AI on a loopback port, over gRPC: what Google's launchers reach with their clients.

Every request is parsed with the class of the service's own client library, and one with a field
that the class does not know fails its test.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform_v1 as vertex
from google.protobuf import unknown_fields

HOST: Final = "europe-west4-aiplatform.googleapis.com:443"


@dataclass
class Service:
    """The server's side: what it was asked, and the status that every call ends with, if any."""

    address: str = ""
    requests: list[Any] = field(default_factory=list)
    failure: grpc.StatusCode | None = None

    def import_model_evaluation(self, request: Any) -> Any:
        evaluation = vertex.ModelEvaluation(request.model_evaluation)
        evaluation.name = f"{request.parent}/evaluations/77"
        return evaluation

    def create_custom_job(self, request: Any) -> Any:
        job = vertex.CustomJob(request.custom_job)
        job.name = f"{request.parent}/customJobs/42"
        return job

    def get_custom_job(self, request: Any) -> Any:
        state = vertex.JobState.JOB_STATE_SUCCEEDED
        return vertex.CustomJob(name=request.name, state=state)


@contextmanager
def serve_grpc() -> Iterator[Service]:
    service = Service()
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers([_Handlers(service)])
    service.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield service
    finally:
        server.stop(None)


def connect(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Lets the clients that a launcher makes talk to ``address``, and to nothing else."""

    def channel(host: str, **_: Any) -> grpc.Channel:
        assert host == HOST
        return grpc.insecure_channel(address)

    monkeypatch.setattr("google.api_core.grpc_helpers.create_channel", channel)
    monkeypatch.setattr("google.auth.default", lambda *_, **__: (AnonymousCredentials(), "other"))


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, fake: Service) -> None:
        self.fake = fake

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        name = handler_call_details.method.rsplit("/", 1)[1]
        answer = getattr(self.fake, re.sub("(?<!^)([A-Z])", r"_\1", name).lower(), None)
        if answer is None:
            return None
        request = getattr(vertex, f"{name}Request")

        def handle(content: bytes, context: grpc.ServicerContext) -> bytes:
            message = request.deserialize(content)
            assert not list(unknown_fields.UnknownFieldSet(type(message).pb(message)))
            self.fake.requests.append(message)
            if self.fake.failure:
                context.abort(self.fake.failure, "refused")
            response = answer(message)
            return bytes(type(response).serialize(response))

        return grpc.unary_unary_rpc_method_handler(handle)
