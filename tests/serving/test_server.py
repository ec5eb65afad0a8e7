"""What the server answers, to requests that are right and to those that are not."""

import base64
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform_v1 import PredictionServiceClient
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Value
from PIL import Image

from pipeline.compiler import PROJECT
from tests.photographs import bomb, encoded

from .conftest import NAMES, Server, serving

ENDPOINT = "projects/my-project/locations/europe-west4/endpoints/7"
DAMAGED = encoded(Image.new("L", (28, 28)), "JPEG")[:-10]
"""Pillow does not look at the pixels of such a picture."""
WANTED = "image must be 28 x 28 whole numbers from 0 to 255"


def pixels(class_id: int = 0, **changed: Any) -> list[list[Any]]:
    """An image of a class, one of its pixels changed."""
    image: list[list[Any]] = np.zeros((28, 28), int).tolist()
    image[class_id] = [255] * 28
    for name, value in changed.items():
        image[int(name.removeprefix("row"))][4] = value
    return image


def photo(class_id: int = 0, kind: str = "PNG") -> dict[str, str]:
    image = Image.fromarray(np.array(pixels(class_id), np.uint8))
    return b64(encoded(image, kind, **({"lossless": True} if kind == "WEBP" else {})))


def b64(data: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(data).decode()}


def classes(response: Any) -> list[int]:
    assert response.status_code == 200, response.text
    return [answer["class_id"] for answer in response.json()["predictions"]]


def body(instance: Any, **more: Any) -> bytes:
    """A request whose second instance is the one given; the first is fine."""
    fine = {"image_bytes": photo()} if "image_bytes" in str(instance) else {"image": pixels()}
    return json.dumps({"instances": [fine, instance], **more}).encode()


def test_pixels_and_pictures_are_answered_in_their_order(server: Server) -> None:
    order = [1, 0, 0, 1, 0]
    by_pixels = server.ask({"instances": [{"image": pixels(each)} for each in order]})
    by_photo = server.ask({"instances": [{"image_bytes": photo(each)} for each in order]})
    assert classes(by_pixels) == classes(by_photo) == order
    assert by_pixels.json() == by_photo.json()
    (first, *_) = by_pixels.json()["predictions"]
    assert first == {
        "class_id": 1,
        "label": NAMES[1],
        "probabilities": pytest.approx([0, 1], abs=1e-3),
    }


@pytest.mark.parametrize(
    "request_", [
        {"instances": [pixels(1)]},
        {"instances": [photo(1)]},
        {"instances": [photo(1, "WEBP")]},
        {"instances": [{"image": np.array(pixels(1), float).tolist()}], "parameters": {}},
        {"instances": [{"image": pixels(1)}], "signature_name": "serving_default"},
        {"instances": [photo(1)], "signature_name": "serving_bytes"},
    ],
)  # fmt: skip
def test_an_instance_may_be_the_bare_value_and_the_signature_named(
    server: Server, request_: dict[str, Any]
) -> None:
    assert classes(server.ask(request_)) == [1]


def test_a_signature_with_one_output_answers_with_its_value(server: Server) -> None:
    asked = {"instances": [photo(1)], "signature_name": "prepare"}
    assert server.ask(asked).json() == {"predictions": [pixels(1)]}


@pytest.mark.parametrize("name", [{}, {"signature_name": "serving_bytes"}])
def test_nothing_asked_is_nothing_answered(server: Server, name: dict[str, str]) -> None:
    assert server.ask({"instances": [], **name}).json() == {"predictions": []}


MALFORMED: dict[bytes, str] = {
    b"": "the body is not JSON (",
    b"{": "the body is not JSON (",
    b"\xff\xfe\x00": "the body is not JSON (",
    b"[" * 100_000: "the body is not JSON (",
    b"[]": 'the body must be {"instances": […]}',
    b"{}": 'the body must be {"instances": […]}',
    b'{"instances": {"image": []}}': 'the body must be {"instances": […]}',
    b'{"inputs": []}': 'the body must be {"instances": […]}',
    json.dumps({"instances": [0] * 1025}).encode(): "1,025 instances, and at most 1,024 are taken",
    body({"picture": pixels()}): 'instance 1: expected the key "image", found "picture"',
    b'{"instances": [{"a": 1}]}': 'instance 0: expected the key "image" or "image_bytes", found',
    body({}): 'instance 1: expected the key "image", found none',
    body({"image": pixels(), "key": 1}): 'expected the key "image", found "image", "key"',
    body(None): f"instance 1: {WANTED}, and it is no list",
    body("pixels"): f"instance 1: {WANTED}, and it is no list",
    body({"image": b64(b"")}): f"instance 1: {WANTED}, and it is no list",
    body({"image": []}): f"instance 1: {WANTED}, and it has the shape 0",
    body([28] * 28): f"instance 1: {WANTED}, and it has the shape 28",
    body(pixels()[1:]): f"instance 1: {WANTED}, and it has the shape 27 x 28",
    body([pixels()]): f"instance 1: {WANTED}, and it has the shape 1 x 28 x 28",
    body([*pixels()[1:], [0]]): f"instance 1: {WANTED}, and its rows differ in length",
    body(pixels(row3=-1)): f"instance 1: {WANTED}, and -1 is in it",
    body(pixels(row3=256)): f"instance 1: {WANTED}, and 256 is in it",
    body(pixels(row3=0.5)): f"instance 1: {WANTED}, and 0.5 is in it",
    body(pixels(row3=10**30)): f"instance 1: {WANTED}, and 1e+30 is in it",
    body(pixels(row3=float("nan"))): f"instance 1: {WANTED}, and nan is in it",
    body(pixels(row3=float("inf"))): f"instance 1: {WANTED}, and inf is in it",
    body(pixels(row3=True)): f"instance 1: {WANTED}, and something in it is no number",
    body(pixels(row3=None)): f"instance 1: {WANTED}, and something in it is no number",
    body(pixels(row3="7")): f"instance 1: {WANTED}, and something in it is no number",
    body({"image_bytes": pixels()}): 'instance 1: image_bytes must be {"b64": "…"}, an image file',
    body({"image_bytes": "iVBO"}): 'instance 1: image_bytes must be {"b64": "…"}, an image file',
    body({"image_bytes": {"b64": 7}}): 'instance 1: image_bytes must be {"b64": "…"}',
    body({"image_bytes": {"b64": "iVB*"}}): "instance 1: image_bytes is not valid base64 (",
    body({"image_bytes": {"b64": "iVBOR"}}): "instance 1: image_bytes is not valid base64 (",
    body({"image_bytes": b64(b"")}): "instance 1: it is not an image",
    body({"image_bytes": b64(b"text")}): "instance 1: it is not an image; save it as PNG or JPEG",
    body(
        {"image_bytes": b64(bomb("PNG", 9000, 9000))}
    ): "instance 1: it has 9000 x 9000 pixels, more than",
    body({"image_bytes": b64(DAMAGED)}): (
        "instance 1: it is a damaged image; save it again as PNG or JPEG"
    ),
    body({"image": pixels()}, signature_name="predict"): "signature_name is 'predict'; the model",
    body({"image": pixels()}, signature_name=7): "signature_name is '7'; the model has",
    body({"image": pixels()}, signature_name="serving_bytes"): (
        'instance 0: expected the key "image_bytes", found "image"'
    ),
}


@pytest.mark.parametrize("content", MALFORMED, ids=range(len(MALFORMED)))
def test_a_bad_request_is_400_and_one_line_that_names_the_instance(
    server: Server, content: bytes
) -> None:
    answer = server.ask(content)
    assert answer.status_code == 400
    (line,) = answer.json().values()
    assert answer.json().keys() == {"error"}
    assert MALFORMED[content] in line
    assert "\n" not in line
    assert len(line) < 200


def test_what_is_too_large_or_elsewhere_is_refused(server: Server) -> None:
    answer = server.ask(b" " * (32 * 2**20 + 1))
    assert answer.status_code == 413
    assert answer.json()["error"] == (
        "the body has 33,554,433 bytes, and at most 33,554,432 are taken"
    )
    assert server.ask({}, "/elsewhere").status_code == 404
    assert server.ask({}, "/health").status_code == 405
    assert server.ask({"instances": []}).status_code == 200


def test_sixteen_clients_at_once_get_their_own_answers(server: Server) -> None:
    def client(number: int) -> list[list[int]]:
        order = [number >> bit & 1 for bit in range(4)]
        asked = {"instances": [{"image": pixels(each)} for each in order]}
        return [order, classes(server.ask(asked))]

    with ThreadPoolExecutor(16) as clients:
        for order, answered in clients.map(client, [*range(16)] * 3):
            assert answered == order


def test_each_request_is_a_line_in_the_log_without_its_content(server: Server) -> None:
    before = len(server.log.read_text())
    server.ask({"instances": [{"image": pixels()}] * 3})
    server.ask({"instances": [{"secret": 1}]})
    server.health()
    lines = server.log.read_text()[before:].splitlines()
    assert [re.sub(r"^\S+ \S+ |[\d.]+$", "", line) for line in lines] == [
        "POST /predict 200 instances=3 ms=",
        "POST /predict 400 instances=- ms=",
    ]


@pytest.mark.parametrize("key", ["image", "image_bytes"])
def test_googles_client_asks_as_it_asks_the_service(
    key: str, classifier: Path, tmp_path: Path
) -> None:
    route = f"/v1/{ENDPOINT}:predict"
    routes = {"AIP_PREDICT_ROUTE": route, "AIP_HEALTH_ROUTE": "/a"}
    with serving(tmp_path, classifier, environment=routes) as server:
        server.wait_until_ready("/a")
        client = PredictionServiceClient(
            credentials=AnonymousCredentials(),
            transport="rest",
            client_options={"api_endpoint": server.url},
        )
        value = pixels(1) if key == "image" else photo(1)
        answer = client.predict(
            endpoint=ENDPOINT, instances=[json_format.ParseDict({key: value}, Value())] * 2
        )
    assert [each["label"] for each in answer.predictions] == [NAMES[1]] * 2


def test_curl_asks_as_the_document_says(server: Server, tmp_path: Path) -> None:
    (tmp_path / "boot.png").write_bytes(base64.b64decode(photo(1)["b64"]))
    text = (PROJECT / "docs" / "serving.md").read_text()
    blocks = [block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "curl" in block]
    assert blocks
    for block in blocks:
        script = block.replace("http://127.0.0.1:8080", server.url)
        done = subprocess.run(
            ["sh", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        (*_, answer) = done.stdout.splitlines()
        assert json.loads(answer).keys() <= {"predictions", "status"}, answer
