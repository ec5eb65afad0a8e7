"""How large the workflow of a run becomes, as KFP's backend makes it and Argo keeps it.

Read from the sources of KFP's backend 2.17.0 (``backend/src/v2/compiler/argocompiler``, and the
pod-spec-patch of ``backend/src/v2/driver/driver.go``) and of Argo 4.0 (``workflow/packer``: above
1 MiB it compresses what the nodes hold, and refuses what is still larger; ``operator.go``: a node
keeps its inputs).

A container's command is in the workflow five times: as an argument of the workflow, as input of
its driver, within the driver's output, and as input of the executor's two nodes. A retry policy
adds a node, and so does each further attempt.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.specs import spec as specs

LIMIT = 1_048_576
"""Argo's ``MAX_WORKFLOW_SIZE``, unless an administrator changes it."""
HASH = "0" * 64
ROOT = "minio://mlpipeline/v2/artifacts/fashion-mnist/8c1f2ab0-5c9a-4bb5-9d6b-3c1b6f6a2f5e"
SESSION = {
    "Provider": "minio",
    "Params": {
        "accessKeyKey": "accesskey",
        "disableSSL": "true",
        "endpoint": "seaweedfs.kubeflow:9000",
        "fromEnv": "false",
        "maxRetries": "5",
        "region": "minio",
        "secretKeyKey": "secretkey",
        "secretName": "mlpipeline-minio-artifact",
    },
}
"""How the backend describes the store to which the default root leads."""
METADATA = {
    "display_name": "model",
    "store_session_info": json.dumps(SESSION, separators=(",", ":")),
    "digest": HASH,
    "facts": "x" * 150,
}
"""What an input artifact brings along in the executor input."""
FIXED_TEMPLATES = 10_300
"""Bytes of the five templates that are the same for every pipeline, from the backend's samples."""
OTHER = 8_000
"""Bytes of the workflow's names, labels, annotations, conditions and managed fields."""
NODE_ID = f"fashion-mnist-abcde-{'0' * 10}"
NODE = {
    "id": NODE_ID,
    "name": "fashion-mnist-abcde.root.condition-1.find-champion.executor(0)",
    "displayName": "find-champion-driver",
    "type": "Container",
    "templateName": "retry-system-container-executor",
    "templateScope": "local/fashion-mnist-abcde",
    "phase": "Succeeded",
    "boundaryID": NODE_ID,
    "startedAt": "2026-08-22T12:00:00Z",
    "finishedAt": "2026-08-22T12:00:00Z",
    "progress": "1/1",
    "resourcesDuration": {"cpu": 100, "memory": 10000},
    "children": [NODE_ID] * 3,
    "outboundNodes": [NODE_ID] * 3,
    "hostNodeName": "gke-cluster-default-pool-00000000-0000",
    "taskResultSynced": True,
}
"""What a node says besides its inputs and outputs."""
RETRY = {
    "retry-max-count": "2",
    "retry-backoff-duration": "10",
    "retry-backoff-factor": "2",
    "retry-backoff-max-duration": "3600",
}
LAUNCHER = (
    "/kfp-launcher/launch --executor_type container --pipeline_name fashion-mnist --run_id "
    f"{HASH[:36]} --execution_id 1000 --pod_name $(KFP_POD_NAME) --pod_uid $(KFP_POD_UID) "
    "--ml_pipeline_server_address ml-pipeline.kubeflow.svc.cluster.local "
    "--ml_pipeline_server_port 8887 --mlmd_server_address "
    "metadata-grpc-service.kubeflow.svc.cluster.local --mlmd_server_port 8080 --publish_logs true "
    "--ml_pipeline_tls_enabled=false --metadata_tls_enabled=false --ca_cert_path  "
    "--cache_disabled=false --log_level 1 --"
)

ExecutorInputs = Mapping[str, dict[str, Any]]
"""The executor input of each task by the task's name."""


def text_of(value: Any) -> str:
    """JSON as Go's ``encoding/json`` writes it."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def parts(
    spec: specs.Spec, inputs: ExecutorInputs | None = None, attempts: int = 1
) -> dict[str, int]:
    """Bytes of the finished workflow's parts: arguments, templates, and the nodes of each task.

    Without the executor inputs of a run, they are assumed.
    """
    runtime = text_of(
        {"parameterValues": {k: v.get("defaultValue") for k, v in specs.declared(spec).items()}}
    )
    arguments = {"components-root": text_of(spec["root"])}
    templates = [{"component": "root", "runtime-config": runtime, "driver-type": "ROOT_DAG"}]
    nodes = {
        "root": [_node({"component": text_of(spec["root"]), "runtime-config": runtime}), _node()]
    }
    for name, task in tasks(spec, spec["root"]):
        component = spec["components"][task["componentRef"]["name"]]
        made = text_of(component)
        templates.append({"task": text_of(task), "component": HASH, "name": name * 5})
        given = {"component": made, "task": text_of(task), "task-name": name}
        if "dag" in component:
            arguments[f"components-{task['componentRef']['name']}"] = made
            nodes[name] = [_node(given, {"execution-id": "1000", "condition": "true"}), _node()]
            continue
        container = spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        key = hashlib.sha256(text_of(container).encode()).hexdigest()
        arguments |= {f"components-{key}": made, f"implementations-{key}": text_of(container)}
        own = (inputs or {}).get(name) or _assumed(component)
        patch = {"pod-spec-patch": pod_spec_patch(container, component, own)}
        retry = RETRY if "retryPolicy" in task else {}
        executor = [_node({**patch, "cached-decision": "false", **retry})]
        executor += [_node({**patch, **retry})] * (attempts + 1 if retry else 1)
        nodes[name] = [_node({**given, "container": text_of(container)}, patch), *executor]
    return {
        "other": OTHER,
        "arguments": len(text_of(_parameters(arguments))),
        "templates": FIXED_TEMPLATES + len(text_of(templates)) + 700 * len(templates),
        **{name: sum(len(text_of(one)) + 40 for one in found) for name, found in nodes.items()},
    }


def tasks(spec: specs.Spec, component: specs.Spec) -> Iterator[tuple[str, specs.Spec]]:
    """The tasks of a pipeline and of those within it."""
    for name, task in component["dag"]["tasks"].items():
        yield name, task
        inner = spec["components"][task["componentRef"]["name"]]
        if "dag" in inner:
            yield from tasks(spec, inner)


def pod_spec_patch(container: specs.Spec, component: specs.Spec, executor_input: Any) -> str:
    """The output of a task's driver, from which Argo makes the pod."""
    before, after = LAUNCHER.split(" --pod_name", 1)
    texts = ["--executor_input", text_of(executor_input), "--component_spec", text_of(component)]
    main = {
        "name": "main",
        "image": container["image"],
        "command": [*before.split(" "), *texts, *f"--pod_name{after}".split(" ")],
        "args": [*container.get("command", []), *container.get("args", [])],
        "resources": {"limits": {"cpu": "1", "memory": "2G"}, "requests": {"cpu": "1"}},
    }
    return text_of({"containers": [main]})


def _assumed(component: specs.Spec) -> dict[str, Any]:
    inputs, outputs = component.get("inputDefinitions", {}), component.get("outputDefinitions", {})

    def artifacts(names: Any, metadata: Any) -> dict[str, Any]:
        return {
            name: {
                "artifacts": [
                    {"name": name, "uri": f"{ROOT}/{name}/{HASH[:36]}/{name}", **metadata}
                ]
            }
            for name in names
        }

    values = {k: v.get("defaultValue", "x" * 60) for k, v in inputs.get("parameters", {}).items()}
    kind = {"type": {"schemaTitle": "system.Artifact", "schemaVersion": "0.0.1"}}
    return {
        "inputs": {
            "parameterValues": values,
            "artifacts": artifacts(inputs.get("artifacts", {}), {"metadata": METADATA}),
        },
        "outputs": {
            "artifacts": artifacts([*outputs.get("artifacts", {}), "executor-logs"], kind),
            "parameters": {
                name: {"outputFile": f"/tmp/kfp/outputs/{name}"}
                for name in outputs.get("parameters", {})
            },
            "outputFile": f"{ROOT}/output_metadata.json",
        },
    }


def _node(inputs: Mapping[str, str] | None = None, outputs: Mapping[str, str] | None = None) -> Any:
    fixed = {"parent-dag-id": "1000", "iteration-index": "-1", "kubernetes-config": ""}
    decided = {"cached-decision": "false", "condition": "true"}
    given = {"inputs": {"parameters": _parameters({**fixed, **(inputs or {})})}}
    made = {"outputs": {"parameters": _parameters({**decided, **(outputs or {})}), "exitCode": "0"}}
    return {**NODE, **given, **(made if outputs else {})}


def _parameters(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]
