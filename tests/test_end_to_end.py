"""The whole pipeline from the command line, on a small dataset that the tests make.

The runs share one root and build on each other, as a person's would: the tests look at the
registry's folder, not at logs.
"""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.models.verification import sound, verify
from tests import planted
from tests.command import fashion_mnist, states, summary, versions
from tests.fakes.mirror import serve_redirect
from tests.idx_files import write_idx_set

SMALL = ("validation_examples=50", "shards=2", "batch_size=32", "filters=[16, 32]", "epochs=6")

UNTRAINED = ("-p", "train_steps=1", "-p", "min_accuracy=0.9")


class Project:
    """A root and a small source, and a run on them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = path / "root"
        self.digests = write_idx_set(path / "source", train_per_class=100, test_per_class=20)

    def run(self, *options: str, root: Path | None = None) -> "subprocess.CompletedProcess[str]":
        key = planted.service_account(self.path.with_suffix(".json"))
        return fashion_mnist(
            *("run", *self.arguments(*options, root=root)),
            cwd=self.path,
            GOOGLE_APPLICATION_CREDENTIALS=str(key),
            **planted.ENVIRONMENT,
        )

    def arguments(self, *options: str, root: Path | None = None) -> list[str]:
        parameters = [*SMALL, f"digests={json.dumps(self.digests)}", "min_accuracy=0.5"]
        given = [argument for parameter in parameters for argument in ("-p", parameter)]
        return ["--root", str(root or self.root), "--source", "source", *given, *options]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose first run has uploaded version 1."""
    project = Project(tmp_path_factory.mktemp("project"))
    done = project.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert not planted.told(done.stdout + done.stderr)
    return project


@pytest.fixture
def copy(project: Project, tmp_path: Path) -> Path:
    """The root after the first run, to be changed as a test likes; its cache still answers."""
    root = tmp_path / "root"
    shutil.copytree(project.root, root)
    return root


def test_a_model_that_passes_the_gate_is_uploaded(copy: Path) -> None:
    assert versions(copy) == ["1"]
    assert (copy / "registry" / "fashion-mnist" / "1" / "saved_model.pb").is_file()
    evaluation = json.loads((copy / "registry/fashion-mnist/1/evaluation.json").read_text())
    told = summary(copy)
    figures = evaluation["confidenceMetrics"][0]
    assert figures["recall"] == pytest.approx(told["metrics"]["accuracy"])
    assert told["state"] == "done"
    assert told["verdict"]["passed"] is True
    assert told["model"]["version"] == "1"
    assert told["metrics"]["accuracy"] >= 0.5
    page = Path(told["report"]).read_text()
    assert page.startswith("<!doctype html>")
    assert f"{told['run']} · " in page
    assert "<dd>version 1<small>of fashion-mnist, the champion now</small></dd>" in page
    assert "registry/fashion-mnist/1 model" in page


def test_the_steps_ran_in_the_order_of_the_diagram(copy: Path) -> None:
    assert states(copy) == {
        "ingest": "done",
        "decode": "done",
        "train": "done",
        "find-champion": "done",
        "evaluate": "done",
        "package-model": "done",
        "model-upload": "skipped",
        "model-evaluation-import": "skipped",
        "model-upload-2": "done",
        "model-evaluation-import-2": "done",
    }


def test_what_a_run_leaves_tells_no_credentials_of_its_machine(project: Project) -> None:
    assert len(list(project.root.rglob("*"))) > 50
    assert planted.files_that_tell(project.path) == []


def test_the_version_is_as_recorded(copy: Path) -> None:
    path = copy / "registry" / "fashion-mnist" / "1"
    findings = verify(path)
    assert {finding.check for finding in findings if finding.state != "ok"} == {"data"}, findings
    assert sound(findings)
    (trained,) = copy.glob("runs/*/steps/train/model")
    assert sound(verify(trained))


def test_a_run_leaves_no_scratch(copy: Path) -> None:
    assert not list(copy.glob("runs/*/scratch"))


def test_an_unchanged_run_uploads_nothing_and_says_which_version_it_is(
    project: Project, copy: Path
) -> None:
    done = project.run(root=copy)
    assert done.returncode == 0, done.stderr
    assert versions(copy) == ["1"]
    ran = states(copy)
    assert {ran[name] for name in ("ingest", "decode", "train")} == {"cached"}
    assert "already version 1" in done.stdout
    page = Path(summary(copy)["report"]).read_text()
    assert page.count('<td class="left">from the cache</td>') == 3
    assert "<dd>version 1<small>of fashion-mnist, the champion now</small></dd>" in page
    assert f"predict --run {summary(copy)['run'][-4:]} PHOTO" in done.stderr


def test_json_is_the_summary_and_progress_goes_to_standard_error(
    project: Project, copy: Path
) -> None:
    done = project.run("--json", root=copy)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == summary(copy)
    assert "Train: from the cache" in done.stderr


def test_a_different_run_becomes_the_second_version(project: Project, copy: Path) -> None:
    done = project.run("-p", "seed=1", "-p", "min_improvement=-1", root=copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert versions(copy) == ["1", "2"]
    told = summary(copy)
    first = json.loads((copy / "registry/fashion-mnist/1/version.json").read_text())
    assert told["metrics"]["champion_accuracy"] == first["metrics"]["accuracy"]
    aliases = json.loads((copy / "registry/fashion-mnist/aliases.json").read_text())
    assert aliases["default"] == 2
    ran = states(copy)
    assert ran["ingest"] == "cached"
    assert ran["decode"] == "done"
    assert ran["model-upload"] == "done"
    assert ran["model-upload-2"] == "skipped"


def test_a_model_below_min_accuracy_leaves_the_registry_as_it_was(
    project: Project, copy: Path
) -> None:
    shutil.rmtree(copy / "registry")
    done = project.run(*UNTRAINED, root=copy)
    assert done.returncode == 0, done.stderr
    assert versions(copy) == []
    told = summary(copy)
    assert told["verdict"]["passed"] is False
    assert "<dd>none<small>not uploaded</small></dd>" in Path(told["report"]).read_text()
    assert "min_accuracy" in told["verdict"]["reason"]
    assert told["verdict"]["reason"] in done.stdout


def test_a_refused_model_is_exit_code_3_where_an_upload_is_required(
    project: Project, copy: Path
) -> None:
    shutil.rmtree(copy / "registry")
    done = project.run(*UNTRAINED, "--require-upload", root=copy)
    assert done.returncode == 3
    assert versions(copy) == []


def test_a_model_that_does_not_beat_the_champion_is_not_uploaded(
    project: Project, copy: Path
) -> None:
    done = project.run("-p", "train_steps=20", "-p", "min_improvement=0.9", root=copy)
    assert done.returncode == 0, done.stderr
    assert versions(copy) == ["1"]
    assert "min_improvement" in summary(copy)["verdict"]["reason"]


def test_a_bucket_that_was_emptied_is_filled_again_and_nothing_else_done(
    project: Project, copy: Path
) -> None:
    shutil.rmtree(copy / "bucket")
    done = project.run(root=copy)
    assert done.returncode == 0, done.stderr
    ran = states(copy)
    assert (ran["ingest"], ran["decode"], ran["train"]) == ("done", "cached", "cached")
    assert len(list((copy / "bucket").rglob("raw/*/*.gz"))) == 4


def test_what_ran_without_the_cache_is_what_the_next_run_is_answered_with(
    project: Project, copy: Path
) -> None:
    done = project.run(*UNTRAINED, "--no-cache", root=copy)
    assert done.returncode == 0, done.stderr
    anew = max(copy.glob("runs/*/steps/decode"), key=lambda path: path.stat().st_mtime)
    done = project.run(*UNTRAINED, root=copy)
    assert done.returncode == 0, done.stderr
    assert states(copy)["decode"] == "cached"
    steps = {step["name"]: step["outputs"] for step in summary(copy)["steps"]}
    assert Path(steps["decode"]["train_records"]["uri"]).parent == anew


class TestWhatGoesWrong:
    def told(self, project: Project, root: Path, *options: str) -> str:
        done = project.run("--no-cache", *options, root=root)
        assert done.returncode == 1, done.stdout + done.stderr
        assert summary(root)["state"] == "failed"
        assert "Traceback" not in done.stderr
        (line,) = done.stderr.strip().splitlines()
        return line

    def test_an_unreachable_source(self, project: Project, tmp_path: Path) -> None:
        line = self.told(project, tmp_path, "--source", "http://127.0.0.1:9/")
        assert "Ingest failed" in line
        assert "http://127.0.0.1:9/" in line

    def test_a_source_that_leads_to_a_signed_address(
        self, project: Project, tmp_path: Path
    ) -> None:
        place = f"http://somebody:{planted.SECRET}@127.0.0.1:9/a?sig={planted.SECRET}"
        with serve_redirect(place) as url:
            line = self.told(project, tmp_path / "root", "--source", url)
        assert "Ingest failed" in line
        assert not planted.told(line)
        assert planted.files_that_tell(tmp_path) == []

    @pytest.mark.parametrize("source", [planted.IN_ADDRESS, planted.SIGNED])
    def test_a_source_with_credentials(self, project: Project, tmp_path: Path, source: str) -> None:
        done = project.run("--source", source, "--verbose", root=tmp_path / "root")
        assert done.returncode == 2
        assert not planted.told(done.stdout + done.stderr)
        assert planted.files_that_tell(tmp_path) == []

    def test_a_corrupt_file(self, project: Project, tmp_path: Path) -> None:
        source = tmp_path / "corrupt"
        shutil.copytree(project.path / "source", source)
        file = source / "t10k-labels-idx1-ubyte.gz"
        file.write_bytes(file.read_bytes()[:-12])
        line = self.told(project, tmp_path / "root", "--source", str(source))
        assert "t10k-labels-idx1-ubyte" in line

    def test_a_bucket_that_does_not_exist(self, project: Project, tmp_path: Path) -> None:
        line = self.told(project, tmp_path, "-p", "bucket_uri=gs://no-such-bucket")
        assert "gs://no-such-bucket" in line

    def test_a_hyperparameter_out_of_range(self, project: Project, copy: Path) -> None:
        done = project.run("-p", "dropout=1.5", root=copy)
        assert done.returncode == 1
        assert "Train failed: dropout is 1.5" in done.stderr
        run = summary(copy)["run"]
        asked = fashion_mnist("report", run, "--root", str(copy), cwd=copy)
        assert asked.returncode == 1
        assert f"{run} has no evaluation: Train failed: dropout is 1.5" in asked.stderr
        assert versions(copy) == ["1"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_and_everything_it_started(
    how: signal.Signals, project: Project, tmp_path: Path
) -> None:
    # Started in the background by a shell, the tests ignore Ctrl-C, and so would the run.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command = [sys.executable, "-m", "pipeline", "run"]
    process = subprocess.Popen(
        [*command, *project.arguments(root=tmp_path)],
        cwd=project.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    for line in process.stdout:
        if "Train: started" in line:
            break
    time.sleep(0.5)
    process.send_signal(how)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130, error
    assert "interrupted" in error
    assert summary(tmp_path)["state"] == "interrupted"
    assert not list(tmp_path.glob("runs/*/scratch"))
    assert not processes_that_mention(str(tmp_path))


def processes_that_mention(text: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in command:
            found.append(command)
    return found
