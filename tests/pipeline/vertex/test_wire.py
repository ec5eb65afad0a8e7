"""The loopback services are strict: what the real ones do not know fails the test."""

from typing import Any

import pytest
import requests

from tests.fakes.cloud import serve_cloud
from tests.fakes.wire import PARENT

JOBS = f"/v1/{PARENT}/pipelineJobs"


@pytest.mark.parametrize(
    ("path", "body", "what"),
    [
        (JOBS, {"displayname": "x"}, 'no field named "displayname"'),
        (JOBS, {"labels": ["x"]}, "labels"),
        (JOBS, {"state": "DONE"}, "DONE"),
        (f"{JOBS}?pipelineJob=1", {}, "pipelineJob"),
        (f"{JOBS}?jobId=x", {}, 'no field named "jobId"'),
        (f"/v1/{PARENT}/schedules", {"cron": 6}, "cron"),
        (f"/v1/{PARENT}/schedules", {"crontab": "0 6 * * 1"}, "crontab"),
        (f"{JOBS}/x:stop", {}, "no service has POST"),
    ],
)
def test_a_request_that_the_message_types_do_not_know(path: str, body: Any, what: str) -> None:
    with pytest.raises(AssertionError, match=what), serve_cloud() as cloud:
        answer = requests.post(f"{cloud.wire.url}{path}", json=body, timeout=10)
        assert answer.status_code == 400


def test_what_the_service_would_refuse_is_refused() -> None:
    with serve_cloud() as cloud:
        answer = requests.post(f"{cloud.wire.url}{JOBS}", json={"displayName": "x"}, timeout=10)
        assert answer.status_code == 400
        assert "pipeline root" in answer.json()["error"]["message"]
