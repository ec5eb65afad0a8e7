import logging
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform_v1 import Model

from components.upload import registry_lookup
from components.upload.refusals import ChampionError
from components.upload.registry_lookup import Champion, Found
from tests.fakes.model_service import PARENT, ModelService
from tests.fakes.storage import FakeBucket

DIGEST = "0123456789abcdef0123456789abcdef01234567"
CONNECT = registry_lookup.connect


def look_up(alias: str = "default", *, name: str = "fashion-mnist") -> Found:
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
    return registry.add(Model({**facts, **values}), parent)


def test_an_empty_registry_has_no_champion(registry: ModelService) -> None:
    assert look_up() == Found(parent="", champion=None)
    assert [request.method for request in registry.requests] == ["ListModels"]


def test_the_champion_is_the_version_with_the_alias(
    registry: ModelService, bucket: FakeBucket
) -> None:
    first = add(registry, bucket, "default", "stable")
    add(registry, bucket, "default", parent=first.name)
    champion = Champion(f"{first.name}@1", "1", "gs://bucket/model-1", DIGEST)
    assert look_up("stable") == Found(parent=first.name, champion=champion)


def test_the_default_moves_with_the_versions(registry: ModelService, bucket: FakeBucket) -> None:
    first = add(registry, bucket, "default")
    add(registry, bucket, "default", parent=first.name, labels={"model_digest": "feed"})
    champion = Champion(f"{first.name}@2", "2", "gs://bucket/model-2", "feed")
    assert look_up().champion == champion


def test_a_number_stands_for_a_version_too(registry: ModelService, bucket: FakeBucket) -> None:
    first = add(registry, bucket, "default")
    add(registry, bucket, "default", parent=first.name)
    found = look_up("1").champion
    assert found is not None
    assert found.uri == "gs://bucket/model-1"
    assert registry.requests[-1].path.endswith("%401")


def test_a_version_without_the_label_has_an_empty_digest(
    registry: ModelService, bucket: FakeBucket
) -> None:
    add(registry, bucket, labels={})
    found = look_up().champion
    assert found is not None
    assert found.digest == ""


def test_the_alias_none_finds_the_parent_and_compares_with_nothing(registry: ModelService) -> None:
    model = registry.add(Model(display_name="fashion-mnist", artifact_uri="gs://gone/model"))
    assert look_up("none") == Found(parent=model.name, champion=None)


def test_the_alias_none_in_an_empty_registry_finds_nothing(registry: ModelService) -> None:
    assert look_up("none") == Found(parent="", champion=None)


def test_only_models_of_the_name_are_asked_for_and_taken(
    registry: ModelService, bucket: FakeBucket
) -> None:
    registry.add(Model(display_name="fashion-mnist-2"))
    own = add(registry, bucket)
    registry.add(Model(display_name="Fashion-MNIST"))
    assert look_up().parent == own.name
    assert registry.requests[0].query["filter"] == 'display_name="fashion-mnist"'


def test_a_filter_that_lets_more_through_makes_no_champion(registry: ModelService) -> None:
    registry.add(Model(display_name="another"))
    registry.filters = False
    assert look_up() == Found(parent="", champion=None)


def test_all_pages_of_the_registry_are_read(registry: ModelService, bucket: FakeBucket) -> None:
    registry.page_size = 1
    first = add(registry, bucket, "old")
    for _ in range(2):
        add(registry, bucket, "default", parent=first.name)
    found = look_up("old").champion
    assert found is not None
    assert found.version == "1"
    found = look_up("default").champion
    assert found is not None
    assert found.version == "3"


def test_two_models_of_one_name_are_refused_with_their_ids(
    registry: ModelService, bucket: FakeBucket
) -> None:
    registry.page_size = 1
    add(registry, bucket)
    add(registry, bucket)
    for alias in ("default", "none"):
        text = refused(alias)
        assert "2 models named 'fashion-mnist' (ids 1000, 1001)" in text
        assert PARENT in text
        assert "-p model_name=" in text


def test_a_missing_alias_lists_those_that_exist(registry: ModelService, bucket: FakeBucket) -> None:
    first = add(registry, bucket, "stable")
    add(registry, bucket, "default", parent=first.name)
    text = refused("production")
    assert "no version with alias 'production'" in text
    assert "default (2), stable (1)" in text
    assert "champion_alias=none" in text


@pytest.mark.parametrize("method", ["ListModels", "ListModelVersions", "GetModel"])
def test_a_missing_role_is_named_with_the_project(
    registry: ModelService, bucket: FakeBucket, method: str
) -> None:
    add(registry, bucket)
    registry.fail(method, 403, reason="IAM_PERMISSION_DENIED")
    text = refused()
    assert "roles/aiplatform.viewer" in text
    assert "project 'my-project' in europe-west4" in text


def test_a_service_that_is_not_enabled_is_named(registry: ModelService) -> None:
    registry.fail("ListModels", 403, reason="SERVICE_DISABLED")
    text = refused()
    assert "enable the API aiplatform.googleapis.com" in text
    assert "roles/" not in text


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("method", ["ListModels", "ListModelVersions", "GetModel"])
def test_a_service_that_is_down_is_no_missing_champion(
    registry: ModelService, bucket: FakeBucket, method: str, status: int
) -> None:
    add(registry, bucket)
    registry.fail(method, status, times=9)
    text = refused()
    assert "did not answer" in text
    assert "run again" in text


def test_a_service_that_cannot_be_reached_is_no_missing_champion(registry: ModelService) -> None:
    registry.url = "http://127.0.0.1:1"
    assert "did not answer" in refused()


def test_a_request_that_is_refused_is_not_called_an_outage(registry: ModelService) -> None:
    registry.fail("ListModels", 400)
    text = refused()
    assert "did not answer" not in text
    assert "refused the look-up" in text


@pytest.mark.usefixtures("no_credentials")
def test_a_machine_without_credentials_is_told_so() -> None:
    assert "no valid credentials for the Model Registry of project 'my-project'" in refused()


def test_credentials_that_are_not_accepted_are_called_that(registry: ModelService) -> None:
    registry.fail("ListModels", 401)
    assert "no valid credentials for the Model Registry" in refused()


@pytest.mark.usefixtures("no_credentials")
def test_the_bucket_needs_credentials_too(registry: ModelService) -> None:
    registry.add(Model(display_name="fashion-mnist", artifact_uri="gs://bucket/model-1"))
    text = refused()
    assert "no valid credentials" in text
    assert "gs://bucket/model-1/saved_model.pb" in text


def test_files_that_are_gone_are_named_with_their_version(
    registry: ModelService, bucket: FakeBucket
) -> None:
    model = add(registry, bucket)
    bucket.objects.clear()
    text = refused()
    assert "version 1 of 'fashion-mnist'" in text
    assert f"{model.name}@1" in text
    assert "gs://bucket/model-1/saved_model.pb is gone" in text
    assert "champion_alias=none" in text


def test_a_bucket_that_is_gone_is_files_that_are_gone(
    registry: ModelService, bucket: FakeBucket
) -> None:
    add(registry, bucket, artifact_uri="gs://another/model-1")
    assert "gs://another/model-1/saved_model.pb is gone" in refused()


def test_a_slash_at_the_end_of_the_uri_does_not_matter(
    registry: ModelService, bucket: FakeBucket
) -> None:
    add(registry, bucket, artifact_uri="gs://bucket/model-1/")
    assert look_up().champion is not None


def test_files_that_may_not_be_read_need_a_role_on_the_bucket(
    registry: ModelService, bucket: FakeBucket
) -> None:
    add(registry, bucket)
    bucket.refuse = True
    text = refused()
    assert "roles/storage.objectViewer" in text
    assert "gs://bucket/model-1/saved_model.pb of version 1" in text


@pytest.mark.parametrize("uri", ["", "/models/1", "https://example.com/model"])
def test_a_version_without_a_saved_model_in_a_bucket_is_no_champion(
    registry: ModelService, bucket: FakeBucket, uri: str
) -> None:
    add(registry, bucket, artifact_uri=uri)
    text = refused()
    assert f"artifact URI {uri!r}" in text
    assert "version 1 of 'fashion-mnist'" in text


@pytest.mark.parametrize("name", ["", 'a"b', "a\\b", "a\nb", "x" * 129])
def test_a_name_that_the_registry_cannot_take_is_refused_before_it_is_asked(
    registry: ModelService, name: str
) -> None:
    assert "model_name" in refused(name=name)
    assert not registry.requests


def test_the_client_is_that_of_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("google.auth.default", lambda **_: (AnonymousCredentials(), "elsewhere"))
    assert CONNECT("asia-east1").api_endpoint == "asia-east1-aiplatform.googleapis.com"


def test_the_log_has_a_sentence_for_every_outcome(
    registry: ModelService, bucket: FakeBucket, caplog: pytest.LogCaptureFixture
) -> None:
    assert "no model 'fashion-mnist' yet" in registry_lookup.summary(look_up(), "fashion-mnist")
    add(registry, bucket)
    assert "no champion was asked for" in registry_lookup.summary(look_up("none"), "fashion-mnist")
    with caplog.at_level(logging.INFO):
        found = look_up()
    assert registry_lookup.summary(found, "fashion-mnist") == (
        "The champion is version 1 of 'fashion-mnist', at gs://bucket/model-1."
    )
