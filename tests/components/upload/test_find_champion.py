"""The look-up of the champion with Google's own clients against a registry on loopback."""

import logging
from pathlib import Path
from typing import Any

import pytest
from google.cloud.aiplatform_v1 import Model as Version
from google_cloud_pipeline_components.types.artifact_types import VertexModel
from kfp.dsl import Model

from components.dataset import bucket
from components.upload import registry_lookup
from components.upload.find_champion import find_champion
from components.upload.registry_lookup import Champion, ChampionError
from tests.fakes import refusals
from tests.fakes.storage import FakeBucket
from tests.fakes.vertex import ModelService
from tests.fakes.wire import PARENT

DIGEST = "0123456789abcdef0123456789abcdef01234567"
CONNECT = registry_lookup.connect


def look_up(alias: str = "default", *, name: str = "fashion-mnist") -> tuple[str, Champion | None]:
    return registry_lookup.look_up(name, alias, "my-project", "europe-west4")


def refused(alias: str = "default", *, name: str = "fashion-mnist") -> str:
    """The text of the error that the look-up ends with."""
    with pytest.raises(ChampionError) as caught:
        look_up(alias, name=name)
    text = str(caught.value)
    assert "\n" not in text
    return text


def add(
    registry: ModelService, bucket: FakeBucket, *aliases: str, parent: str = "", **values: Any
) -> Any:
    """Adds a version of fashion-mnist with its files in the bucket."""
    number = len(registry.versions) + 1
    bucket.put(f"model-{number}/saved_model.pb", b"graph")
    facts: dict[str, Any] = {
        "display_name": "fashion-mnist",
        "version_aliases": aliases,
        "labels": {"model_digest": DIGEST},
        "artifact_uri": f"gs://bucket/model-{number}",
    }
    return registry.add(Version({**facts, **values}), parent)


def test_without_a_champion_there_is_at_most_a_parent(registry: ModelService) -> None:
    assert look_up() == look_up("none") == ("", None)
    assert {request.method for request in registry.requests} == {"ListModels"}
    model = registry.add(Version(display_name="fashion-mnist", artifact_uri="gs://gone/model"))
    assert look_up("none") == (model.name, None)


def test_the_champion_is_the_version_with_the_alias_or_of_the_number(
    registry: ModelService, bucket: FakeBucket
) -> None:
    first = add(registry, bucket, "default", "stable")
    add(registry, bucket, "default", parent=first.name, labels={})
    champion = Champion(f"{first.name}@1", "1", "gs://bucket/model-1", DIGEST)
    assert look_up("stable") == look_up("1") == (first.name, champion)
    newest = Champion(f"{first.name}@2", "2", "gs://bucket/model-2", "")
    assert look_up() == (first.name, newest)


@pytest.mark.parametrize("filters", [True, False])
def test_only_a_model_of_the_very_name_is_taken(
    registry: ModelService, bucket: FakeBucket, filters: bool
) -> None:
    registry.filters = filters
    registry.add(Version(display_name="fashion-mnist-2"))
    registry.add(Version(display_name="Fashion-MNIST"))
    assert look_up() == ("", None)
    own = add(registry, bucket)
    assert look_up()[0] == own.name
    assert 'display_name="fashion-mnist"' in registry.requests[0].query["filter"][0]


def test_two_models_of_one_name_are_refused_with_their_ids(
    registry: ModelService, bucket: FakeBucket
) -> None:
    registry.page_size = 1  # All pages are read.
    add(registry, bucket)
    add(registry, bucket)
    for alias in ("default", "none"):
        text = refused(alias)
        assert f"{PARENT} has 2 models named 'fashion-mnist' (ids 1000, 1001)" in text
        assert "-p model_name=" in text


def test_a_missing_alias_lists_those_that_exist(registry: ModelService, bucket: FakeBucket) -> None:
    registry.page_size = 1
    first = add(registry, bucket, "stable")
    add(registry, bucket, "default", parent=first.name)
    text = refused("production")
    assert "no version with alias 'production'" in text
    assert "default (2), stable (1)" in text
    assert "champion_alias=none" in text


@pytest.mark.parametrize("method", ["ListModels", "ListModelVersions", "GetModel"])
@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        (403, "", r"may not be read \([^)]*\)$"),
        (403, "SERVICE_DISABLED", r"may not be read \(.*\); enable the API .* aiplatform\."),
        (401, "", "no valid credentials for the Model Registry"),
        (400, "", r"refused the look-up \(.*\); check project"),
        (500, "", r"did not answer \(.*\); run again"),
        (503, "", r"did not answer \(.*\); run again"),
    ],
)
def test_a_refusal_of_the_registry_is_explained_and_is_never_no_champion(
    registry: ModelService, bucket: FakeBucket, method: str, status: int, reason: str, said: str
) -> None:
    add(registry, bucket)
    registry.fail(method, status, reason=reason, times=9)
    with pytest.raises(ChampionError, match=said) as caught:
        look_up()
    assert "project 'my-project' in europe-west4" in str(caught.value)


def test_a_missing_permission_names_the_role(registry: ModelService) -> None:
    registry.wire.fail("ListModels", refusals.IAM_PERMISSION_DENIED)
    assert refused().endswith("; grant the pipeline's service account roles/aiplatform.viewer")


def test_a_service_that_cannot_be_reached_did_not_answer(registry: ModelService) -> None:
    registry.url = "http://127.0.0.1:1"
    assert "did not answer" in refused()


@pytest.mark.usefixtures("no_credentials")
def test_registry_and_bucket_need_credentials(
    registry: ModelService, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.add(Version(display_name="fashion-mnist", artifact_uri="gs://bucket/model-1"))
    bucket._client_for.cache_clear()
    assert "gs://bucket/model-1/saved_model.pb needs credentials" in refused()
    monkeypatch.setattr(registry_lookup, "connect", CONNECT)
    assert "no valid credentials for the Model Registry of project 'my-project'" in refused()


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("gs://bucket/gone", "gs://bucket/gone/saved_model.pb is gone"),
        ("gs://another/model", "gs://another/model/saved_model.pb is gone"),
        ("gs://bucket/model-1/", "roles/storage.objectViewer on gs://bucket"),
        ("", "no SavedModel of its own (artifact URI '')"),
        ("/models/1", "no SavedModel of its own (artifact URI '/models/1')"),
    ],
)
def test_files_that_cannot_be_read_are_named_with_their_version_and_the_way_out(
    registry: ModelService, bucket: FakeBucket, uri: str, said: str
) -> None:
    model = add(registry, bucket, artifact_uri=uri)
    assert uri != "gs://bucket/model-1/" or look_up()[1]
    bucket.refuse = "roles" in said
    text = refused()
    assert f"version 1 of 'fashion-mnist' ({model.name}@1)" in text
    assert said in text
    assert "champion_alias=none" in text


@pytest.mark.parametrize("name", ["", 'a"b', "a\\b", "a\nb", "x" * 129])
def test_a_name_that_the_registry_cannot_take_is_refused_without_a_request(
    registry: ModelService, name: str
) -> None:
    assert "model_name" in refused(name=name)
    assert not registry.requests


@pytest.mark.parametrize("alias", ["", "Default", "the best", "0"])
def test_an_alias_that_no_version_can_have_is_refused_before_there_is_a_model(
    alias: str, registry: ModelService
) -> None:
    assert f"champion_alias {alias!r} is neither an alias" in refused(alias)
    assert not registry.requests


def test_the_step_hands_on_the_champion_and_its_model_and_logs_them(
    registry: ModelService,
    bucket: FakeBucket,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def find(alias: str = "default") -> tuple[bool, Model, VertexModel, str]:
        champion, parent = Model(uri=str(tmp_path)), VertexModel(uri=str(tmp_path))
        with caplog.at_level(logging.INFO):
            found = find_champion.python_func(
                model_name="fashion-mnist",
                champion_alias=alias,
                project="my-project",
                location="europe-west4",
                champion=champion,
                parent=parent,
            )
        return found, champion, parent, caplog.messages[-1]

    found, champion, parent, said = find()
    assert (found, champion.metadata, parent.metadata) == (False, {}, {})
    assert said == "The registry has no model 'fashion-mnist' yet: there is no champion."
    name = add(registry, bucket).name
    found, champion, parent, said = find("none")
    assert (found, champion.metadata, parent.metadata) == (True, {}, {"resourceName": name})
    assert "no champion was asked for" in said
    found, champion, parent, said = find()
    assert found
    assert champion.uri == "gs://bucket/model-1"
    facts = {"resourceName": f"{name}@1", "version": "1", "digest": DIGEST}
    assert champion.metadata == facts
    assert parent.uri == f"https://europe-west4-aiplatform.googleapis.com/v1/{name}"
    assert said == "The champion is version 1 of 'fashion-mnist', at gs://bucket/model-1."
