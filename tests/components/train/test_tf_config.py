import json
from typing import Any

import pytest

from components.train.trainer import tf_config
from components.train.trainer.tf_config import ClusterError

ONE = {"worker": ["a:1"]}
TWO = {"chief": ["a:1"], "worker": ["b:1"]}


def config(cluster: Any, kind: str = "worker", index: int = 0) -> dict[str, str]:
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})}


def written(**values: Any) -> dict[str, str]:
    return {"TF_CONFIG": json.dumps(values)}


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"TF_CONFIG": ""},
        written(cluster={}, task={}),
        written(cluster=ONE, task=None),
        config({**ONE, "ps": []}),
        config({"chief": ["a:1"], "evaluator": ["b:1"]}, "chief"),
    ],
)
def test_without_other_workers_there_is_one_and_no_tf_config(environment: Any) -> None:
    assert tf_config.clean(environment) == 1
    assert not environment.get("TF_CONFIG")


def test_only_workers_are_left_and_a_master_is_a_chief() -> None:
    cluster = {"master": ["a:1"], "worker": ["b:1"], "ps": [], "evaluator": ["c:1"]}
    environment = config(cluster, "master")
    assert tf_config.clean(environment) == 2
    assert json.loads(environment["TF_CONFIG"]) == {
        "cluster": TWO,
        "task": {"type": "chief", "index": 0},
    }


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, False), (config(TWO), False), (config(ONE, "evaluator"), True)],
)
def test_the_evaluator_is_known(environment: dict[str, str], expected: bool) -> None:
    assert tf_config.is_evaluator(environment) is expected


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        *[({"TF_CONFIG": text}, "does not describe a cluster") for text in ("{", "[]", "3")],
        (written(cluster={"worker": "a:1"}), "does not describe a cluster"),
        (written(cluster=TWO, task="worker"), "does not describe a cluster"),
        (written(cluster=TWO, task=None), "the task {}, which is none of its cluster's workers"),
        (config(ONE, "worker", 1), '"index": 1}, which is none of'),
        (config(ONE, "ps"), '"ps", "index": 0}, which is none of'),
        (config(ONE, "evaluator"), '"evaluator", "index": 0}, which is none of'),
        (config({}, "worker"), "the task .* none of its cluster.s workers {}; correct it"),
        (config({**TWO, "ps": ["c:1"]}), r"servers.*--parameter-server-count 0"),
    ],
)
def test_a_cluster_or_task_that_is_not_one_is_refused(
    environment: dict[str, str], said: str
) -> None:
    with pytest.raises(ClusterError, match=said):
        tf_config.clean(environment)
