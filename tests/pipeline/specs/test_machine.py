"""Machines are checked against what Vertex AI has."""

from typing import Any

import pytest

from pipeline.errors import UsageError
from pipeline.specs.machine import Machine, requested


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"machine_type": ""}, "give one as in n1-standard-8"),
        ({"machine_type": 'n1-standard-8", "x": "'}, "give one as in n1-standard-8"),
        ({"replicas": 0}, "0 replicas: give 1 or more"),
        ({"accelerator_type": "TPU_V3", "accelerator_count": 8}, "choose one of NVIDIA_A100_80GB"),
        ({"accelerator_type": "NVIDIA_L4"}, "0 accelerators: a machine has 1, 2, 4, 8"),
        ({"accelerator_count": 1}, "1 accelerators without a type"),
    ],
)
def test_machines_that_do_not_exist_are_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Machine(**fields)


@pytest.mark.parametrize(
    ("accelerator", "machine_type", "machine"),
    [
        ("nvidia-tesla-t4:2", None, Machine("n1-standard-16", "NVIDIA_TESLA_T4", 2)),
        ("NVIDIA_L4", "g2-standard-16", Machine("g2-standard-16", "NVIDIA_L4", 1)),
        ("NVIDIA_B200:8", "a4-highgpu-8g", Machine("a4-highgpu-8g", "NVIDIA_B200", 8)),
        (None, "n1-standard-4", Machine("n1-standard-4")),
    ],
)
def test_an_accelerator_has_a_default_machine_type(
    accelerator: str | None, machine_type: str | None, machine: Machine
) -> None:
    assert requested(accelerator, machine_type, None, spot=False) == machine


def test_an_accelerator_without_a_default_needs_its_machine_type() -> None:
    with pytest.raises(UsageError, match="give the --machine-type that has it"):
        requested("NVIDIA_B200:8", None, None, spot=False)


def test_without_options_no_machine_is_requested() -> None:
    assert requested(None, None, None, spot=False) is None
