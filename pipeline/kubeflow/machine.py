"""What the training runs on: its CPUs, its memory and its accelerators."""

import dataclasses
import re
from typing import Any, Final

from kfp import dsl

from components.train.component import train, train_on_accelerators
from components.train.trainer.hardware import ACCELERATORS
from pipeline import places
from pipeline.errors import UsageError
from pipeline.places import KUBEFLOW, Place

GPU: Final = re.compile(r"([1-9]\d?)(?::(nvidia\.com/[\w.-]+))?")
NVIDIA: Final = "nvidia.com/gpu"
"""The packages of a training on accelerators are for NVIDIA's alone."""
CPUS: Final = r"(?=.*[1-9])\d+(\.\d+|m)?"
BYTES: Final = r"[1-9]\d*([MGTPE]i?|Ki)"
DRIVER: Final = {
    "LD_LIBRARY_PATH": "/usr/local/nvidia/lib64:/usr/local/nvidia/lib",
    "NVIDIA_DRIVER_CAPABILITIES": "compute,utility",
}
"""How the driver of the node is found: NVIDIA's own images set it, Python's does not."""


@dataclasses.dataclass(frozen=True)
class Gpus:
    """Accelerators of a container, by the name of their resource."""

    count: int
    resource: str


def gpus(text: str | None) -> Gpus | None:
    """The accelerators of ``--gpu N[:RESOURCE]``; None: not given.

    Raises:
        UsageError: It is something else.
    """
    if text is None:
        return None
    if not (found := GPU.fullmatch(text)):
        raise UsageError(
            f"--gpu {text or repr(text)}: give N, or N:RESOURCE of NVIDIA's, as in 1:{NVIDIA}"
        )
    return Gpus(int(found[1]), found[2] or NVIDIA)


def place(wanted: Gpus | None, cpu: str | None, memory: str | None) -> Place | None:
    """Kubeflow with such machines for the training; None: it is as it was compiled."""
    if wanted is None and cpu is None and memory is None:
        return None
    component = train_on_accelerators() if wanted else train

    def train_step(*, own: places.Own, **inputs: Any) -> dsl.PipelineTask:
        del own
        task: dsl.PipelineTask = component(**inputs)
        task.set_cpu_request(cpu or places.TRAIN_CPU)
        task.set_memory_request(memory or places.TRAIN_MEMORY)
        if cpu:
            task.set_cpu_limit(cpu)
        if memory:
            task.set_memory_limit(memory)
        if wanted:
            task.set_accelerator_type(wanted.resource).set_accelerator_limit(wanted.count)
            variables = {ACCELERATORS: f"{wanted.count} {wanted.resource}", **DRIVER}
            for name, value in variables.items():
                task.set_env_variable(name, value)
        return task

    return KUBEFLOW._replace(train=train_step)
