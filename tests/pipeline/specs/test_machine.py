"""Machines are checked against what Vertex AI has."""

import pytest

from pipeline.errors import UsageError
from pipeline.specs.machine import Machine, requested


@pytest.mark.parametrize(
    ("accelerator", "machine_type", "reason"),
    [
        (None, 'n1-standard-8", "x": "', "give one as in n1-standard-8"),
        ("TPU_V3:8", None, "choose one of NVIDIA_A100_80GB"),
        ("NVIDIA_TESLA_T4:3", None, "a machine has 1, 2, 4 of NVIDIA_TESLA_T4"),
        ("NVIDIA_TESLA_T4:", None, "give TYPE or TYPE:N"),
        ("NVIDIA_L4", "n1-standard-8", "has no 1 NVIDIA_L4; give g2-standard-8"),
        ("NVIDIA_L4:2", "g2-standard-8", "has no 2 NVIDIA_L4; give g2-standard-24"),
        ("NVIDIA_TESLA_A100", "a2-highgpu-2g", "give a2-highgpu-1g"),
        ("NVIDIA_TESLA_T4", "g2-standard-8", "give n1-standard-8"),
        ("NVIDIA_B200:8", None, "give the --machine-type that has it"),
    ],
)
def test_machines_that_do_not_exist_are_refused(
    accelerator: str | None, machine_type: str | None, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        requested(accelerator, machine_type, None, spot=False)


@pytest.mark.parametrize(
    ("accelerator", "machine_type", "machine"),
    [
        ("nvidia-tesla-t4:2", None, Machine("n1-standard-16", "NVIDIA_TESLA_T4", 2)),
        ("NVIDIA_TESLA_T4:2", "n1-highmem-4", Machine("n1-highmem-4", "NVIDIA_TESLA_T4", 2)),
        ("NVIDIA_L4", "g2-standard-16", Machine("g2-standard-16", "NVIDIA_L4", 1)),
        ("NVIDIA_B200:8", "a4-highgpu-8g", Machine("a4-highgpu-8g", "NVIDIA_B200", 8)),
        (None, "n1-standard-4", Machine("n1-standard-4")),
        (None, None, None),
    ],
)
def test_an_accelerator_has_a_default_machine_type(
    accelerator: str | None, machine_type: str | None, machine: Machine | None
) -> None:
    assert requested(accelerator, machine_type, None, spot=False) == machine
