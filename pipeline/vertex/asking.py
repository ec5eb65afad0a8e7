"""Asks what an endpoint serves about photos.

The photos go to ``rawPredict``: it passes on a request as it is, so that it can name the signature,
and the answer says which deployed model gave it. Google's generated client wraps such a request in
another over REST, and drops the answer.
"""

import base64
import contextlib
import io
import json
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from components.dataset.refusals import refusal
from pipeline.errors import CloudError, CommandError
from pipeline.vertex import target as targets
from pipeline.vertex.refusals import explained
from pipeline.vertex.target import Target, patient

SIGNATURE: Final = "serving_bytes"
ANSWERS_WITHIN: Final = 60.0
"""Seconds in which a version must answer once it has the traffic."""
DEPLOYED_MODEL: Final = "X-Vertex-AI-Deployed-Model-Id"
LARGEST: Final = 1_500_000
"""Bytes of a request: Vertex AI takes at most 1.5 MB."""
EACH: Final = 32
"""Bytes of a request for each photo, besides its base64."""
OF_ONE: Final = re.compile(r"instance (\d+): (.+)")
"""What the server says of one photo of a request."""


def ask(target: Target, endpoint: Any, photos: Sequence[bytes]) -> list[Any]:
    """What an endpoint predicts for PNG or JPEG files.

    Returns:
        For each file an object, as the server gives it, or the text with which it refused the file.

    Raises:
        CloudError: The endpoint refused or did not answer, or it does not serve this model.
    """
    found: dict[int, Any] = {}
    for batch in _batches([_fitting(photo) for photo in photos]):
        while batch:
            try:
                with explained(f"ask the endpoint {endpoint.display_name}", target):
                    answered = patient()(_send)(target, endpoint, list(batch.values()))
            except CloudError as error:
                numbers = list(batch)
                refused = refusal(error.__cause__)
                one = OF_ONE.fullmatch(refused.words) if refused.code == 400 else None
                if one is None or int(one[1]) >= len(numbers):
                    raise
                found[number := numbers[int(one[1])]] = one[2]
                del batch[number]
            else:
                answers = _predictions(answered, len(batch), endpoint.display_name)
                found |= zip(batch, answers, strict=True)
                break
    return [found[number] for number in range(len(photos))]


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
            return from_http_status(answered.status_code, said)
    return from_http_response(answered)


def _predictions(answered: Any, count: int, name: str) -> list[Any]:
    try:
        found = answered.json()["predictions"]
        answers = [_answer(one) for one in found]
        if len(answers) == count:
            return answers
    except (KeyError, TypeError, ValueError):
        pass
    raise CloudError(
        f"the endpoint {name} answered with something other than predictions of this model; "
        "deploy a version of it there, or give another --endpoint"
    )


def _answer(one: Any) -> dict[str, Any]:
    shares, number = [float(share) for share in one["probabilities"]], int(one["class_id"])
    if not -1 <= number < len(shares):
        raise ValueError(number)
    return {"probabilities": shares, "class_id": number, "label": str(one.get("label", ""))}


def _batches(photos: Sequence[bytes]) -> Iterator[dict[int, bytes]]:
    """The photos by their numbers, together as many as a request may hold."""
    batch: dict[int, bytes] = {}
    room = LARGEST
    for number, photo in enumerate(photos):
        size = _size(photo)
        if batch and size > room:
            yield batch
            batch, room = {}, LARGEST
        batch[number] = photo
        room -= size
    if batch:
        yield batch


def _size(photo: bytes) -> int:
    return 4 * -(-len(photo) // 3) + EACH


def _fitting(photo: bytes) -> bytes:
    """A PNG or JPEG file, half as large each way until a request can hold it."""
    from PIL import Image

    while _size(photo) > LARGEST:
        with Image.open(io.BytesIO(photo)) as image:
            photo = _png(image.reduce(2))
    return photo


def _black() -> bytes:
    """A small picture that any version can be asked about."""
    from PIL import Image

    return _png(Image.new("L", (32, 32)))


def _png(image: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
