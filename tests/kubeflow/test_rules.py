"""What KFP's driver and launcher refuse is refused by the harness, so that it can fail."""

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from kfp import dsl
from kfp.dsl import Artifact, Input, Output

from components.embedding import BASE_IMAGE
from pipeline import compiler
from pipeline.specs import spec as specs
from tests.fakes.storage import serve_storage
from tests.idx_files import write_idx_set
from tests.kubeflow.backend import Backend
from tests.kubeflow.store import Bucket, LauncherError, Store


@dsl.component(base_image=BASE_IMAGE)
def make(out: Output[Artifact], what: str = "file", text: str = "a text") -> bool:
    from pathlib import Path

    if what == "elsewhere":
        out.uri = "minio://mlpipeline/elsewhere/out"
    if what == "web":
        out.uri = "https://example.com/out"
    if what != "nothing":
        Path(out.path).parent.mkdir(parents=True, exist_ok=True)
        Path(out.path).write_text(text)
    out.metadata = {"flag": True, "rows": [1, 2], "names": {"a": "b"}, "whole": 3.0}
    if what == "null":
        out.metadata["none"] = None
    if what == "once" and not Path("/tmp").joinpath(text).exists():
        Path("/tmp").joinpath(text).touch()
        raise SystemExit(1)
    return what != "no"


@dsl.component(base_image=BASE_IMAGE)
def read(given: Input[Artifact], out: Output[Artifact], number: int = 7) -> None:
    import json
    from pathlib import Path

    text = Path(given.path).read_text()
    said = {"text": text, "uri": given.uri, "metadata": given.metadata, "number": number}
    Path(out.path).write_text(json.dumps(said))


@dsl.pipeline(name="small")
def small(what: str = "file", text: str = "a text") -> None:
    made = make(what=what, text=text).set_retry(1)
    read(given=made.outputs["out"])
    with dsl.If(made.outputs["Output"] == True):  # noqa: E712
        read(given=made.outputs["out"], number=8)


@dsl.pipeline(name="placeholder")
def placeholder() -> None:
    make(text="{{$.pipeline_google_cloud_location}}")


def spec_of(pipeline: Any) -> specs.Spec:
    return specs.canonical(json_format.MessageToDict(pipeline.pipeline_spec))


@pytest.fixture
def backend(store: Store, tmp_path: Path) -> Backend:
    return Backend(store, tmp_path)


def test_metadata_and_files_arrive_as_the_backend_hands_them_on(backend: Backend) -> None:
    run = backend.run(spec_of(small), {})
    made = run["make"].artifacts["out"]
    assert made.uri.startswith("minio://mlpipeline/v2/artifacts/small/")
    properties = {name: made.properties[name] for name in ("flag", "rows", "names", "whole")}
    assert properties == {
        "flag": 1,
        "rows": {"list": [1, 2]},
        "names": {"struct": {"a": "b"}},
        "whole": 3,
    }
    assert made.properties["display_name"] == "out"
    assert '"endpoint"' in made.properties["store_session_info"]
    said = backend.read_json(run["read"].artifacts["out"])
    assert said["text"] == "a text"
    assert said["uri"] == made.uri
    assert said["metadata"]["rows"] == {"list": [1, 2]}
    assert said["number"] == 7
    assert backend.read_json(run["read-2"].artifacts["out"])["number"] == 8


@pytest.mark.parametrize(
    ("what", "refused"),
    [
        ("elsewhere", "does not have expected bucket prefix"),
        ("web", "does not have expected bucket prefix"),
        ("null", "NullValue"),
        ("nothing", "the output out was not written"),
    ],
)
def test_what_the_launcher_refuses_is_refused(backend: Backend, what: str, refused: str) -> None:
    with pytest.raises(LauncherError, match=refused):
        backend.run(spec_of(small), {"what": what})


def test_an_input_on_the_web_is_refused_and_one_of_another_run_is_not() -> None:
    with pytest.raises(LauncherError, match="unsupported Cloud bucket"):
        Bucket.of("https://example.com/model", whole=True)
    other = "minio://mlpipeline/v2/artifacts/small/another-run/model"
    assert Bucket.of(other, whole=True).key(other) == "v2/artifacts/small/another-run/model"
    with pytest.raises(LauncherError, match="expected bucket prefix"):
        Bucket.of("minio://mlpipeline/v2/artifacts/small/this-run").key(other)


def test_a_google_placeholder_stays_unfilled(backend: Backend) -> None:
    with pytest.raises(LauncherError, match="the driver does not fill"):
        backend.run(spec_of(placeholder), {})


def test_a_condition_that_is_false_skips_its_tasks(backend: Backend) -> None:
    run = backend.run(spec_of(small), {"what": "no"})
    assert run["condition-1"].state == "NOT_TRIGGERED"
    assert "read-2" not in run


def test_a_failed_container_is_started_again_and_the_same_inputs_come_from_the_cache(
    backend: Backend, tmp_path: Path
) -> None:
    text = tmp_path.name
    flag = Path("/tmp") / text
    try:
        first = backend.run(spec_of(small), {"what": "once", "text": text})
    finally:
        flag.unlink(missing_ok=True)
    assert first["make"].attempts == 2
    again = backend.run(spec_of(small), {"what": "once", "text": text})
    assert again["make"].state == again["read"].state == "CACHED"
    assert again["make"].artifacts == first["make"].artifacts


def test_ingest_into_a_bucket_of_its_own_fails_after_its_work(
    backend: Backend, tmp_path: Path
) -> None:
    """The reason why the pipeline on Kubeflow has no ``bucket_uri``."""
    write_idx_set(tmp_path / "source", train_per_class=2, test_per_class=1)
    spec = specs.load(compiler.COMPILED / "components" / "ingest.yaml")
    given = {"source": str(tmp_path / "source"), "bucket_uri": "gs://bucket"}
    with serve_storage() as bucket:
        backend.environment = {"STORAGE_EMULATOR_HOST": bucket.host}
        with pytest.raises(LauncherError, match=r'"gs://bucket/raw/.*expected bucket prefix'):
            backend.run(spec, given)
        assert [name for name in bucket.objects if name.endswith("dataset.json")]
