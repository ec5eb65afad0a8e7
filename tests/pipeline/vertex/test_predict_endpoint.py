"""Photos that are sent to an endpoint, and what comes back."""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from PIL import Image
from rich.console import Console

from pipeline.cli.photo_view import show_prediction
from pipeline.photos.predictions import Likely, Photo
from pipeline.vertex import target
from serving.instances import parse
from serving.model import Model
from serving.photos import DAMAGED
from tests.fakes.cloud import Cloud
from tests.fakes.storage import FakeBucket, serve_storage
from tests.fakes.vertex_endpoints import BOOT, LARGEST
from tests.fakes.wire import Fault, Refusal
from tests.idx_files import FASHION
from tests.photographs import encoded
from tests.pipeline.vertex.conftest import Command
from tests.pipeline.vertex.served import WHERE, serving
from tests.saved_models import COLOURED, make_classifier

ASK = ("predict", "--endpoint", "fashion-mnist")
NOTHING = {"probabilities": [0.1] * 10, "class_id": -1, "label": ""}


@pytest.fixture(autouse=True)
def endpoint(
    cloud: Cloud, versions: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """The endpoint, which serves version 3; the working directory is empty."""
    monkeypatch.chdir(tmp_path)
    return serving(cloud, versions[2])


@pytest.fixture
def files(versions: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBucket]:
    """The bucket with the files of version 3, which say what it was trained on."""
    with serve_storage() as fake:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake.host)
        versions[2].artifact_uri = "gs://bucket/job/model/"
        fake.put("job/model/dataset.json", FASHION.text().encode())
        yield fake


def photo(name: str, row: int = 9) -> str:
    pixels = np.zeros((28, 28), np.uint8)
    pixels[row] = 255
    Path(name).write_bytes(encoded(Image.fromarray(pixels)))
    return name


def noise(name: str, edge: int) -> str:
    pixels = np.random.default_rng(0).integers(256, size=(edge, edge, 3), dtype=np.uint8)
    Path(name).write_bytes(encoded(Image.fromarray(pixels)))
    return name


def test_the_same_model_gives_the_same_answers_as_here(
    cloud: Cloud, command: Command, files: FakeBucket
) -> None:
    del files
    model = Model(make_classifier(Path("model"), FASHION.classes))

    def server(pictures: list[bytes]) -> Any:
        instances = [{"image_bytes": {"b64": base64.b64encode(one).decode()}} for one in pictures]
        request = {"signature_name": "serving_bytes", "instances": instances}
        predictions = model.answer(parse(json.dumps(request).encode()))
        text = orjson.dumps({"predictions": predictions}, option=orjson.OPT_SERIALIZE_NUMPY)
        return json.loads(text)

    cloud.endpoints.server = server
    photos = [photo(f"{row}.png", row) for row in (0, 3, 9)]
    here, there = command("predict", "--model", "model", *photos), command(*ASK, *photos)
    assert (there.code, there.out) == (0, here.out)
    assert "3.png: Dress 9" in there.out
    assert there.error == "asked fashion-mnist version 3 on the endpoint fashion-mnist\n"


BOOTS = "boot.png: Ankle boot 82.0 %, class 0 2.0 %, class 1 2.0 %\n"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (FASHION.text(), "boot.png: Ankle boot 82.0 %, T-shirt/top 2.0 %, Trouser 2.0 %\n"),
        (COLOURED.text(), BOOTS),
        (FASHION.text().replace("Ankle boot", "Boot"), BOOTS),
        ("{", BOOTS),
        (None, BOOTS),
    ],
    ids=["its own", "other classes", "other names", "damaged", "none"],
)
def test_all_classes_have_names_if_the_models_files_say_so(
    content: str | None, line: str, command: Command, files: FakeBucket
) -> None:
    files.objects.pop("job/model/dataset.json")
    if content is not None:
        files.put("job/model/dataset.json", content.encode())
    done = command(*ASK, photo("boot.png"))
    assert (done.code, done.out) == (0, line)


@pytest.mark.parametrize("refused", ["registry", "bucket"])
def test_files_that_cannot_be_read_are_no_error(
    refused: str, cloud: Cloud, command: Command, files: FakeBucket
) -> None:
    files.refuse = refused == "bucket"
    if refused == "registry":
        cloud.wire.fail("GetModel", Fault(403))
    done = command(*ASK, photo("boot.png"))
    assert (done.code, done.out) == (0, BOOTS)
    assert done.error == "asked fashion-mnist version 3 on the endpoint fashion-mnist\n"


def test_json_and_csv_name_the_endpoint_and_the_version(
    command: Command, endpoint: Any, cloud: Cloud
) -> None:
    photo("boot.png")
    (answer,) = json.loads(command(*ASK, "--json", "boot.png").out)
    assert answer["model"] == {"endpoint": endpoint.name, "versions": ["3"]}
    assert answer["predictions"][0] == {
        **{"class": "Ankle boot", "class_id": 9},
        "probability": 0.82,
    }
    done = command(*ASK, "--csv", "answers.csv", "boot.png")
    assert done.code == 0, done.error
    assert (
        "fashion-mnist version 3 on the endpoint fashion-mnist" in Path("answers.csv").read_text()
    )
    asked = len(cloud.endpoints.asked)
    assert command(*ASK, "--csv", "answers.csv", "boot.png").code == 0
    assert len(cloud.endpoints.asked) == asked, "what has a row is not asked about again"


def test_a_picture_in_which_nothing_stands_out_has_no_class(cloud: Cloud, command: Command) -> None:
    cloud.endpoints.server = lambda _: {"predictions": [NOTHING, BOOT]}
    done = command(*ASK, photo("wall.png"), photo("boot.png"))
    assert done.code == 1
    assert done.out.startswith("boot.png: Ankle boot 82.0 %, ")
    assert "error: wall.png: no subject stands out from the background" in done.error


def test_requests_stay_below_the_limit_and_answers_in_order(cloud: Cloud, command: Command) -> None:
    cloud.endpoints.server = lambda pictures: {"predictions": [_numbered(one) for one in pictures]}
    edges = (561, 28, 573, 1024, 65, 587)
    done = command(*ASK, "--json", *(noise(f"{edge}.png", edge) for edge in edges))
    assert done.code == 0, done.error
    found = [one["predictions"][0]["class_id"] for one in json.loads(done.out)]
    assert found == [1, 8, 3, 2, 5, 7], "1024 pixels become 512"
    sizes = [[len(one) for one in pictures] for _, pictures in cloud.endpoints.asked]
    assert [len(one) for one in sizes] == [2, 1, 2, 1]
    assert all(sum(one) * 4 / 3 < LARGEST for one in sizes)


def _numbered(picture: bytes) -> Any:
    """The class with the last digit of the picture's width."""
    with Image.open(io.BytesIO(picture)) as image:
        number = image.width % 10
    shares = [float(one == number) for one in range(10)]
    return {"probabilities": shares, "class_id": number, "label": FASHION.classes[number]}


def test_a_photo_that_the_server_refuses_is_a_line_and_the_others_are_answered(
    cloud: Cloud, command: Command
) -> None:
    bad = photo("bad.png", 1)
    content = Path(bad).read_bytes()

    def server(pictures: list[bytes]) -> Any:
        if content in pictures:
            fault = f"instance {pictures.index(content)}: {DAMAGED}"
            raise Refusal(400, json.dumps({"error": fault}))
        return {"predictions": [BOOT] * len(pictures)}

    cloud.endpoints.server = server
    done = command(*ASK, photo("a.png"), bad, photo("b.png"))
    assert done.code == 1
    assert [line[:17] for line in done.out.splitlines()] == [
        "a.png: Ankle boot",
        "b.png: Ankle boot",
    ]
    assert f"error: bad.png: {DAMAGED}" in done.error


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(400, body={"error": "no"}), "it was refused"),
        (Fault(403, message="Permission 'aiplatform.endpoints.predict' denied"), "you lack a role"),
        (Fault(404), "it does not exist"),
        (Fault(429), "a quota is used up; run again later"),
        (
            Fault(503, message='{"error": "the model is still loading"}'),
            "Vertex AI failed; run agai",
        ),
        (
            Fault(503, message='{"error": "the model is still loading"}'),
            "(the model is still loadi",
        ),
        (Fault(), "the connection broke"),
    ],
)
def test_what_the_endpoint_refuses_is_one_line(
    fault: Fault, said: str, cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "RETRY_SECONDS", 0.3)
    cloud.wire.fail("RawPredict", fault, times=30)
    done = command(*ASK, photo("boot.png"))
    assert (done.code, done.out, done.error.count("\n")) == (1, "", 1)
    assert "error: could not ask the endpoint fashion-mnist (project my-project in" in done.error
    assert said in done.error


@pytest.mark.parametrize("status", [0, 429, 503])
def test_asking_is_repeated(status: int, cloud: Cloud, command: Command) -> None:
    cloud.wire.fail("RawPredict", Fault(status))
    assert command(*ASK, photo("boot.png")).code == 0


@pytest.mark.parametrize(
    "answer",
    [
        {"predictions": [0.5]},
        {"predictions": []},
        {"predictions": [BOOT | {"class_id": 10}]},
        {"outputs": [BOOT]},
    ],
)
def test_an_endpoint_with_another_model_is_one_line(
    answer: Any, cloud: Cloud, command: Command
) -> None:
    cloud.endpoints.server = lambda _: answer
    done = command(*ASK, photo("boot.png"))
    assert (done.code, done.error.count("\n")) == (1, 1)
    assert "answered with something other than predictions of this model; deploy" in done.error


def test_an_endpoint_that_serves_nothing_says_how_to_deploy(cloud: Cloud, command: Command) -> None:
    cloud.endpoints.add("shop")
    done = command("predict", "--endpoint", "shop", "boot.png")
    assert done.code == 1
    assert f"`fashion-mnist deploy --endpoint 501 {WHERE}` deploys the champion" in done.error
    missing = command("predict", "--endpoint", "mall", "boot.png")
    assert missing.code == 1
    assert (
        "no endpoint 'mall' (project my-project in europe-west4); there are fashion-mnist, shop"
        in (missing.error)
    )


def test_a_terminal_shows_no_picture_that_is_not_known() -> None:
    file = io.StringIO()
    terminal = Console(file=file, force_terminal=True, color_system="truecolor")
    show_prediction(Photo("boot.png", ranking=[Likely("Ankle boot", 9, 0.82)]), "a boot", terminal)
    assert "▀" not in file.getvalue()
    assert "82.0 %" in file.getvalue()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*ASK, "--version", "2"), "--endpoint cannot be combined with --version"),
        (
            (*ASK, "--run", "last", "--save", "x"),
            "--endpoint cannot be combined with --run and --s",
        ),
        (("predict", "--endpoint", ""), "--endpoint '': give its name"),
        (("predict", "--region", "europe-west4"), "say where an --endpoint is: give that too"),
    ],
)
def test_wrong_use_asks_nothing(
    arguments: tuple[str, ...], said: str, cloud: Cloud, command: Command
) -> None:
    done = command(*arguments, "boot.png")
    assert (done.code, done.error.count("\n")) == (2, 1)
    assert said in done.error
    assert cloud.wire.calls == []
