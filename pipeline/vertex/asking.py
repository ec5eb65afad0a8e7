"""Asks what an endpoint serves about photos.

The photos go to ``rawPredict``: it passes on a request as it is, so that it can name the signature,
and the answer says which deployed model gave it. Google's generated client cannot read its answers
over REST.
"""

import base64
import contextlib
import io
import json
import time
from collections.abc import Sequence
from typing import Any, Final

from pipeline.errors import CloudError, CommandError
from pipeline.vertex import target as targets
from pipeline.vertex.refusals import explained
from pipeline.vertex.target import Target

SIGNATURE: Final = "serving_bytes"
ANSWERS_WITHIN: Final = 60.0
"""Seconds in which a version must answer once it has the traffic."""
DEPLOYED_MODEL: Final = "X-Vertex-AI-Deployed-Model-Id"


def ask(target: Target, endpoint: Any, photos: Sequence[bytes], retry: Any) -> list[Any]:
    """What an endpoint predicts for PNG or JPEG files: an object each, as the server gives it.

    Raises:
        CloudError: The endpoint refused or did not answer, or it does not serve this model.
    """
    name = endpoint.display_name
    with explained(f"ask the endpoint {name}", target):
        answered = retry(_send)(target, endpoint, photos)
    return _predictions(answered, len(photos), name)


def wait_for_answer(target: Target, endpoint: Any, deployed_id: str) -> None:
    """Asks an endpoint about a picture until a deployed model answers.

    Raises:
        CommandError: It does not answer within ``ANSWERS_WITHIN`` seconds.
    """
    until = time.monotonic() + ANSWERS_WITHIN
    while True:
        try:
            with explained("ask it about a picture", target):
                answered = _send(target, endpoint, [_black()])
            _predictions(answered, 1, endpoint.display_name)
            # A proxy may have dropped the header.
            if answered.headers.get(DEPLOYED_MODEL, deployed_id) == deployed_id:
                return
            raise CommandError("another deployed model still got the requests")
        except CommandError:
            if time.monotonic() > until:
                raise
            time.sleep(min(2.0, ANSWERS_WITHIN / 10))


def _send(target: Target, endpoint: Any, photos: Sequence[bytes]) -> Any:
    from google.auth.transport.requests import AuthorizedSession

    usual = targets.endpoint("aiplatform", target.region)
    own = endpoint.dedicated_endpoint_dns
    instances = [{"image_bytes": {"b64": base64.b64encode(one).decode()}} for one in photos]
    with AuthorizedSession(target.credentials) as session:
        answered = session.post(
            f"{f'https://{own}' if own else usual}/v1/{endpoint.name}:rawPredict",
            json={"signature_name": SIGNATURE, "instances": instances},
            timeout=targets.SECONDS,
        )
    if not answered.ok:
        raise _refusal(answered)
    return answered


def _refusal(answered: Any) -> Any:
    """The error of an answer: the service's, or the server's own line."""
    from google.api_core.exceptions import from_http_response, from_http_status

    with contextlib.suppress(ValueError, AttributeError):
        said = answered.json().get("error")
        # The service puts what the server said into its own message.
        if isinstance(said, dict):
            said = json.loads(said.get("message", "")).get("error")
        if isinstance(said, str):
            return from_http_status(answered.status_code, said, response=answered)
    return from_http_response(answered)


def _predictions(answered: Any, count: int, name: str) -> list[Any]:
    try:
        found = answered.json()["predictions"]
        if len(found) == count and all("probabilities" in one for one in found):
            return list(found)
    except (KeyError, TypeError, ValueError):
        pass
    raise CloudError(
        f"the endpoint {name} answered with something other than predictions of this model; "
        "deploy a version of it there, or give another --endpoint"
    )


def _black() -> bytes:
    """The smallest picture that a version can be asked about, as PNG."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("L", (28, 28)).save(file, "PNG")
    return file.getvalue()
