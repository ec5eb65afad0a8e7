import pytest

from components.dataset.errors import ParameterError
from components.upload.containers import CONTAINERS, PREBUILT, container_of

OWN = "europe-west4-docker.pkg.dev/project/images/serving@sha256:0"


@pytest.mark.parametrize(
    "image", [PREBUILT, "europe-docker.pkg.dev/vertex-ai/prediction/tf2-gpu.2-15:latest"]
)
def test_of_a_prebuilt_image_the_service_knows_port_and_routes(image: str) -> None:
    assert container_of(image).spec(image) == {"imageUri": image}


def test_of_an_image_of_ones_own_the_model_tells_port_and_routes() -> None:
    assert container_of(OWN).spec(OWN) == {
        "imageUri": OWN,
        "ports": [{"containerPort": 8080}],
        "predictRoute": "/v1/models/fashion-mnist:predict",
        "healthRoute": "/v1/models/fashion-mnist",
    }


def test_every_name_of_an_image_has_a_kind_and_nothing_else_has() -> None:
    assert container_of("x") is CONTAINERS[-1]
    with pytest.raises(ParameterError, match="serving_image is '', which names no image"):
        container_of("")
