"""The machine flags of the command line, checked before anything is compiled or sent."""

import re
from collections.abc import Mapping
from typing import Any, Final

from pipeline.errors import UsageError
from pipeline.specs.machine import Machine

MACHINE_TYPE: Final = re.compile(r"[a-z][a-z0-9]*-[a-z0-9]+(?:-[a-z0-9]+)*")
IMAGE: Final = re.compile(r"[a-z0-9.-]+(?::\d+)?/[\w./-]+(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?")
N1: Final = {1: "n1-standard-8", 2: "n1-standard-16", 4: "n1-standard-32"}

ACCELERATORS: Final[Mapping[str, Mapping[int, str]]] = {
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
        1: "a2-highgpu-1g",
        2: "a2-highgpu-2g",
        4: "a2-highgpu-4g",
        8: "a2-highgpu-8g",
        16: "a2-megagpu-16g",
    },
    "NVIDIA_A100_80GB": {
        1: "a2-ultragpu-1g",
        2: "a2-ultragpu-2g",
        4: "a2-ultragpu-4g",
        8: "a2-ultragpu-8g",
    },
    "NVIDIA_H100_80GB": {
        1: "a3-highgpu-1g",
        2: "a3-highgpu-2g",
        4: "a3-highgpu-4g",
        8: "a3-highgpu-8g",
    },
}
"""How many of each a machine may have, and the machine type that goes with them by default."""


def parse(
    accelerator: str | None, machine_type: str | None, replicas: int | None, *, spot: bool
) -> Machine | None:
    """The machine that the flags ask for; None where none of them was given.

    Args:
        accelerator: ``TYPE`` or ``TYPE:N``.
        machine_type: Compute Engine's name of the machine type.
        replicas: Machines.
        spot: Whether spot capacity will do.

    Raises:
        UsageError: A flag's value is none that Vertex AI has, or two of them do not go together.
    """
    if accelerator is None and machine_type is None and replicas is None and not spot:
        return None
    if machine_type is not None and not MACHINE_TYPE.fullmatch(machine_type):
        raise UsageError(f"--machine-type {machine_type}: give one as in n1-standard-8")
    if replicas is not None and replicas < 1:
        raise UsageError(f"--replicas {replicas}: give 1 or more")
    kind, count = _accelerator(accelerator) if accelerator is not None else ("", 0)
    chosen = machine_type or (ACCELERATORS[kind][count] if kind else Machine().machine_type)
    if kind:
        _check_family(kind, count, chosen)
    return Machine(chosen, kind, count, replicas or 1, spot)


def check_image(image: str) -> None:
    """Refuses what cannot be an image's URI.

    Raises:
        UsageError: It has no registry, or characters that none has.
    """
    if image and not IMAGE.fullmatch(image):
        raise UsageError(
            f"--image {image}: give the image with its registry, "
            "as in europe-docker.pkg.dev/PROJECT/REPOSITORY/NAME@sha256:…"
        )


def check_batch(machine: Machine | None, values: Mapping[str, Any]) -> None:
    """Refuses a batch that the machines cannot share evenly.

    Raises:
        UsageError: ``batch_size`` is no multiple of the replicas.
    """
    size = values.get("batch_size")
    if machine and isinstance(size, int) and size % machine.replicas:
        raise UsageError(
            f"--replicas {machine.replicas}: batch_size is {size}, and must be a multiple of it"
        )


def _accelerator(text: str) -> tuple[str, int]:
    name, colon, number = text.partition(":")
    kind = name.upper().replace("-", "_")
    if kind not in ACCELERATORS:
        known = ", ".join(sorted(ACCELERATORS))
        raise UsageError(f"--accelerator {text}: there is no {name!r}; there are {known}")
    counts = ACCELERATORS[kind]
    if colon and number not in map(str, counts):
        possible = ", ".join(str(count) for count in counts)
        raise UsageError(f"--accelerator {text}: a machine has {possible} of {kind}")
    return kind, int(number) if colon else 1


def _check_family(kind: str, count: int, machine_type: str) -> None:
    usual = ACCELERATORS[kind][count]
    # Only the machines of the first generation take accelerators to choose from.
    fits = machine_type.startswith("n1-") if usual.startswith("n1-") else machine_type == usual
    if kind == "NVIDIA_L4" and count == 1:
        fits = machine_type in {f"g2-standard-{cores}" for cores in (4, 8, 12, 16, 32)}
    if not fits:
        raise UsageError(
            f"--machine-type {machine_type} has no {count} {kind}; give {usual}, "
            "or leave --machine-type out"
        )
