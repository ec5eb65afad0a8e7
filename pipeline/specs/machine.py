"""The machines of a distributed training, and the options that choose them."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Final

from pipeline.errors import UsageError

MACHINE_TYPE: Final = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)+")
N1: Final = {1: "n1-standard-8", 2: "n1-standard-16", 4: "n1-standard-32"}
MACHINE_TYPES: Final[Mapping[str, Mapping[int, str]]] = {
    "NVIDIA_TESLA_P4": N1,
    "NVIDIA_TESLA_P100": N1,
    "NVIDIA_TESLA_T4": N1,
    "NVIDIA_TESLA_V100": {**N1, 8: "n1-standard-64"},
    "NVIDIA_L4": {
        1: "g2-standard-8",
        2: "g2-standard-24",
        4: "g2-standard-48",
        8: "g2-standard-96",
    },
    "NVIDIA_TESLA_A100": {
        **{count: f"a2-highgpu-{count}g" for count in (1, 2, 4, 8)},
        16: "a2-megagpu-16g",
    },
    "NVIDIA_A100_80GB": {count: f"a2-ultragpu-{count}g" for count in (1, 2, 4, 8)},
    "NVIDIA_H100_80GB": {count: f"a3-highgpu-{count}g" for count in (1, 2, 4, 8)},
}
"""The default machine type by accelerator and number of accelerators.

Other accelerators of the API need ``--machine-type``.
"""


@dataclasses.dataclass(frozen=True)
class Machine:
    """What a distributed training runs on.

    Attributes:
        machine_type: Type of each machine, as Compute Engine names it.
        accelerator_type: As Vertex AI names it, ``NVIDIA_TESLA_T4``; empty: none.
        accelerator_count: Accelerators of each machine; 0 without a type.
        replicas: Machines, 1 or more, including the first.
        spot: Whether the machines may be preempted; the training then starts again.
    """

    machine_type: str = "n1-standard-8"
    accelerator_type: str = ""
    accelerator_count: int = 0
    replicas: int = 1
    spot: bool = False


def requested(
    accelerator: str | None, machine_type: str | None, replicas: int | None, *, spot: bool
) -> Machine | None:
    """The machine that the options of ``submit`` describe; None if none of them was given.

    Raises:
        UsageError: Vertex AI has no such machines.
    """
    if accelerator is None and machine_type is None and replicas is None and not spot:
        return None
    if machine_type is not None and not MACHINE_TYPE.fullmatch(machine_type):
        raise UsageError(f"--machine-type {machine_type}: give one as in n1-standard-8")
    if accelerator is None:
        return Machine(machine_type or Machine.machine_type, replicas=replicas or 1, spot=spot)
    kind, count = _accelerator(accelerator)
    usual = MACHINE_TYPES.get(kind, {}).get(count, "")
    chosen = machine_type or usual
    if not chosen:
        raise UsageError(f"--accelerator {accelerator}: give the --machine-type that has it")
    if usual and not _fits(chosen, kind, count):
        raise UsageError(
            f"--machine-type {chosen} has no {count} {kind}; give {usual}, "
            "or leave --machine-type out"
        )
    return Machine(chosen, kind, count, replicas or 1, spot)


def _accelerator(text: str) -> tuple[str, int]:
    """Type and count of ``TYPE:N``; refuses what Vertex AI does not have."""
    from google.cloud.aiplatform_v1.types import AcceleratorType

    name, colon, number = text.partition(":")
    kind = name.upper().replace("-", "_")
    known = [one.name for one in AcceleratorType if one.name.startswith("NVIDIA_")]
    if kind not in known:
        raise UsageError(
            f"there is no accelerator {kind!r} that this trainer runs on; "
            f"choose one of {', '.join(sorted(known))}"
        )
    if colon and not re.fullmatch("[1-9][0-9]?", number):
        raise UsageError(f"--accelerator {text}: give TYPE or TYPE:N, as in NVIDIA_L4:2")
    count = int(number or 1)
    usual = MACHINE_TYPES.get(kind, {count: ""})
    if count not in usual:
        possible = ", ".join(map(str, usual))
        raise UsageError(f"--accelerator {text}: a machine has {possible} of {kind}")
    return kind, count


def _fits(machine_type: str, kind: str, count: int) -> bool:
    usual = MACHINE_TYPES[kind][count]
    if usual.startswith("n1-"):
        # Only machines of the first generation take accelerators in any number.
        return machine_type.startswith("n1-")
    if (kind, count) == ("NVIDIA_L4", 1):
        return machine_type in {f"g2-standard-{cores}" for cores in (4, 8, 12, 16, 32)}
    return machine_type == usual
