"""The workflow that Argo stores of a run on Kubeflow is far from the size that Argo refuses."""

import pytest

from pipeline import compiler
from pipeline.specs import shared_code
from pipeline.specs import spec as specs
from tests.kubeflow import workflow


@pytest.fixture(scope="module")
def spec() -> specs.Spec:
    return specs.load(compiler.COMPILED / compiler.KUBEFLOW_PIPELINE)


def test_a_workflow_whose_steps_share_their_code_is_small_enough(spec: specs.Spec) -> None:
    size = sum(workflow.parts(spec, attempts=3).values())
    alone = sum(workflow.parts(shared_code.separate(spec), attempts=3).values())
    assert size < 0.65 * workflow.LIMIT < workflow.LIMIT < alone


def test_no_argument_of_a_pod_is_longer_than_linux_accepts(spec: specs.Spec) -> None:
    for executor in spec["deploymentSpec"]["executors"].values():
        # The driver's argument, and Argo's variable with the template of the executor.
        assert len(workflow.text_of(executor["container"]).encode()) < compiler.ARGUMENT_BYTES
        patch = workflow.pod_spec_patch(executor["container"], {}, {})
        assert len(workflow.text_of(patch).encode()) < compiler.ARGUMENT_BYTES
