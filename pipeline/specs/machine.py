"""The machines that the training runs on, when it is not one step's own container."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Machine:
    """What a distributed training is asked to run on.

    Attributes:
        machine_type: Type of each machine, as Compute Engine names it.
        accelerator_type: As Vertex AI names it, ``NVIDIA_TESLA_T4``; empty: none.
        accelerator_count: Accelerators of each machine; 0 without a type.
        replicas: Machines, 1 or more, the first of them among them.
        spot: Whether the machines may be taken away; the training then starts again.
    """

    machine_type: str = "n1-standard-8"
    accelerator_type: str = ""
    accelerator_count: int = 0
    replicas: int = 1
    spot: bool = False
