"""Training as a CustomJob, on one or several machines of a chosen type."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from kfp import dsl

from components.train.component import train, train_on_accelerators
from components.train.trainer.hardware import ACCELERATORS
from pipeline.specs.machine import Machine

SERVICE_ACCOUNT: Final = "{{$.pipeline_service_account}}"
NETWORK: Final = "{{$.pipeline_network}}"
ENCRYPTION_KEY: Final = "{{$.pipeline_encryption_key_name}}"
"""The pipeline's own; a CustomJob does not inherit them."""
TIMEOUT: Final = "86400s"
DRIVER: Final = {
    "LD_LIBRARY_PATH": "/usr/local/nvidia/lib64:/usr/local/nvidia/lib",
    "NVIDIA_VISIBLE_DEVICES": "all",
    "NVIDIA_DRIVER_CAPABILITIES": "compute,utility",
}
"""What NVIDIA's own images set so that the machine's driver is found; Python's image does not."""


def train_on(machine: Machine) -> Callable[..., dsl.PipelineTask]:
    """The training on such machines; a restarted worker restarts the job from its checkpoint."""
    from google_cloud_pipeline_components.v1.custom_job import (
        create_custom_training_job_from_component,
    )

    wanted = f"{machine.accelerator_count} {machine.accelerator_type}"
    variables = {ACCELERATORS: wanted, **DRIVER} if machine.accelerator_type else {}
    job = create_custom_training_job_from_component(
        train_on_accelerators() if machine.accelerator_type else train,
        display_name="train",
        replica_count=machine.replicas,
        machine_type=machine.machine_type,
        accelerator_type=machine.accelerator_type,
        accelerator_count=machine.accelerator_count,
        # The service's own choice, since not every machine type takes every kind of disk.
        boot_disk_type="",
        timeout=TIMEOUT,
        restart_job_on_worker_restart=True,
        service_account=SERVICE_ACCOUNT,
        network=NETWORK,
        encryption_spec_key_name=ENCRYPTION_KEY,
        env=[{"name": name, "value": value} for name, value in variables.items()],
        # Without a value they would have none at all, and JSON has no word for that.
        labels={},
        reserved_ip_ranges=[],
        psc_interface_config={},
        strategy="SPOT" if machine.spot else "STANDARD",
    )

    def train_step(*, own: Mapping[str, Any], **inputs: Any) -> dsl.PipelineTask:
        task: dsl.PipelineTask = job(bucket_uri=own["bucket_uri"], **inputs)
        return task

    return train_step
