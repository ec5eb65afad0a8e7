"""Runs a compiled spec under the rules of KFP's driver, with a memory for artifacts and cache.

Read from ``backend/src/v2/driver`` (``driver.go``, ``container.go``, ``dag.go``,
``root_dag.go``) of KFP's backend 2.17.0. Real processes run the steps' commands, one after the
other, in this environment: the ``pip install`` before them is dropped.
"""

import graphlib
import json
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.specs import shared_code
from pipeline.specs import spec as specs
from tests.kubeflow import driver, launcher, metadata
from tests.kubeflow.metadata import Artifact
from tests.kubeflow.store import Bucket, LauncherError, Store

DEFAULT_ROOT = "minio://mlpipeline/v2/artifacts"
GOOGLE = "{{$.pipeline_google_cloud"


@dataclass
class Execution:
    """A task of a run: its state as ML Metadata has it, and what it made."""

    state: str
    executor_input: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    attempts: int = 0


@dataclass
class Backend:
    """What stays between runs, where the steps' folders are, and their variables."""

    store: Store
    directory: Path
    root: str = DEFAULT_ROOT
    environment: Mapping[str, str] = field(default_factory=dict)
    artifacts: list[Artifact] = field(default_factory=list)
    cache: dict[str, Execution] = field(default_factory=dict)

    def run(self, spec: specs.Spec, parameters: Mapping[str, Any]) -> dict[str, Execution]:
        """The tasks of a run by name.

        Raises:
            LauncherError: A task failed, or a rule was broken.
        """
        declared = specs.declared(spec)
        if unknown := parameters.keys() - declared.keys():
            raise LauncherError(f"unknown parameters: {sorted(unknown)}")
        values = {name: one.get("defaultValue") for name, one in declared.items()}
        run = _Run(self, _bare(spec), f"{uuid.uuid4()}")
        run.dag(spec["root"] if "dag" in spec["root"] else {}, {**values, **parameters}, {})
        return run.executions

    def read(self, artifact: Artifact) -> bytes:
        """The bytes of an artifact that is one file."""
        bucket = Bucket.of(artifact.uri, whole=True)
        found = self.store.client.get_object(Bucket=bucket.name, Key=bucket.key(artifact.uri))
        content: bytes = found["Body"].read()
        return content

    def read_json(self, artifact: Artifact) -> Any:
        """The content of an artifact that is JSON."""
        return json.loads(self.read(artifact))


@dataclass
class _Run:
    backend: Backend
    spec: specs.Spec
    run_id: str
    executions: dict[str, Execution] = field(default_factory=dict)

    @property
    def root(self) -> str:
        return f"{self.backend.root}/{self.spec['pipelineInfo']['name']}/{self.run_id}"

    def dag(
        self, component: specs.Spec, values: dict[str, Any], given: dict[str, Artifact]
    ) -> None:
        """Runs the tasks of a pipeline with its input parameters and artifacts."""
        tasks = component["dag"]["tasks"]
        done: dict[str, Execution] = {}
        for name in graphlib.TopologicalSorter(
            {n: driver.needed(t) for n, t in tasks.items()}
        ).static_order():
            if any(done[one].state == "NOT_TRIGGERED" for one in driver.needed(tasks[name])):
                continue
            done[name] = self.executions[name] = self.task(name, tasks[name], values, given, done)

    def task(
        self,
        name: str,
        task: specs.Spec,
        values: dict[str, Any],
        given: dict[str, Artifact],
        done: dict[str, Execution],
    ) -> Execution:
        component = self.spec["components"][task["componentRef"]["name"]]
        inputs = task.get("inputs", {})
        parameters = {}
        for key, one in inputs.get("parameters", {}).items():
            if (value := self.parameter(name, one, values, done)) is not None:
                parameters[key] = value
        driver.check(name, component, parameters)
        artifacts = {
            key: given[one["componentInputArtifact"]]
            if "componentInputArtifact" in one
            else done[one["taskOutputArtifact"]["producerTask"]].artifacts[
                one["taskOutputArtifact"]["outputArtifactKey"]
            ]
            for key, one in inputs.get("artifacts", {}).items()
        }
        if not driver.triggered(task, parameters):
            return Execution("NOT_TRIGGERED")
        if "dag" in component:
            self.dag(component, parameters, artifacts)
            return Execution("COMPLETE")
        return self.container(name, task, component, parameters, artifacts)

    def parameter(
        self, task: str, one: specs.Spec, values: dict[str, Any], done: dict[str, Execution]
    ) -> Any:
        if "componentInputParameter" in one:
            return values[one["componentInputParameter"]]
        if "taskOutputParameter" in one:
            output = one["taskOutputParameter"]
            return done[output["producerTask"]].parameters[output["outputParameterKey"]]
        constant = one["runtimeValue"]["constant"]
        if GOOGLE in str(constant):
            raise LauncherError(f"{task}: the driver does not fill {constant}")
        filled = {
            "{{$.pipeline_job_name}}": "a run's display name",
            "{{$.pipeline_job_resource_name}}": "fashion-mnist-abcde",
            "{{$.pipeline_job_uuid}}": self.run_id,
            "{{$.pipeline_task_name}}": task,
        }
        return filled.get(constant, constant) if isinstance(constant, str) else constant

    def container(
        self,
        name: str,
        task: specs.Spec,
        component: specs.Spec,
        parameters: dict[str, Any],
        artifacts: dict[str, Artifact],
    ) -> Execution:
        """What a task's container makes, or made in an earlier run under the same key."""
        container = self.spec["deploymentSpec"]["executors"][component["executorLabel"]][
            "container"
        ]
        lists = {key: {"artifacts": [one.runtime()]} for key, one in artifacts.items()}
        executor_input = {
            "inputs": {"parameterValues": parameters, "artifacts": lists},
            "outputs": self.outputs(name, component),
        }
        key = driver.fingerprint(container, component, executor_input)
        cached = task.get("cachingOptions", {}).get("enableCache")
        if cached and (made := self.backend.cache.get(key)):
            return Execution("CACHED", executor_input, made.parameters, made.artifacts)
        container = driver.resolved(container, parameters)
        execution = Execution("COMPLETE", executor_input)
        for attempt in range(1 + int(task.get("retryPolicy", {}).get("maxRetryCount", 0))):
            execution.attempts += 1
            try:
                self.launch(name, container, component, execution, attempt)
                break
            except launcher.StepFailed:
                if attempt == task.get("retryPolicy", {}).get("maxRetryCount", 0):
                    raise
        if cached:
            self.backend.cache[key] = execution
        return execution

    def launch(
        self,
        name: str,
        container: specs.Spec,
        component: specs.Spec,
        execution: Execution,
        attempt: int,
    ) -> None:
        """One attempt, in a new folder that is removed when it succeeded."""
        backend, bucket = self.backend, Bucket.of(self.root)
        pod = backend.directory / self.run_id / f"{name}-{attempt}"
        pod.mkdir(parents=True)
        execution.parameters, made = launcher.launch(
            container,
            component,
            execution.executor_input,
            bucket,
            backend.store,
            pod,
            backend.environment,
        )
        for output, runtime in made.items():
            artifact = metadata.record(len(backend.artifacts) + 1, output, runtime, bucket)
            backend.artifacts.append(artifact)
            execution.artifacts[output] = artifact
        shutil.rmtree(pod)

    def outputs(self, task: str, component: specs.Spec) -> dict[str, Any]:
        """Where a task's outputs go."""
        declared = component.get("outputDefinitions", {})
        root = f"{self.root}/{task}/{uuid.uuid4()}"
        logs = {launcher.LOGS: {"artifactType": {"schemaTitle": "system.Artifact"}}}
        artifacts = {
            name: {
                "artifacts": [
                    {
                        "name": name,
                        "uri": f"{root}/{name}",
                        "type": one["artifactType"],
                        **({"metadata": one["metadata"]} if "metadata" in one else {}),
                    }
                ]
            }
            for name, one in {**declared.get("artifacts", {}), **logs}.items()
        }
        scheme, _, rest = root.partition("://")
        return {
            "artifacts": artifacts,
            "parameters": {
                name: {"outputFile": f"/tmp/kfp/outputs/{name}"}
                for name in declared.get("parameters", {})
            },
            "outputFile": f"/{'gcs' if scheme == 'gs' else scheme}/{rest}/output_metadata.json",
        }


def _bare(spec: specs.Spec) -> specs.Spec:
    """The spec whose steps install nothing."""
    separate = shared_code.separate(spec)
    bare = specs.map_containers(separate, lambda _, container: specs.strip_preamble(container))
    return bare if separate is spec else shared_code.share(bare)
