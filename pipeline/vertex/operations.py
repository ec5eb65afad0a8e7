"""Follows what Vertex AI does to an endpoint until it is done."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

from pipeline.text import duration
from pipeline.vertex.outages import outlast
from pipeline.vertex.refusals import call, explained
from pipeline.vertex.target import Target


@dataclasses.dataclass(frozen=True)
class Following:
    """How the operations of a command are followed.

    Attributes:
        target: Where they are.
        say: Gets a line when something changes.
        every: Seconds between two looks.
        again: The command that continues where this one stopped.
    """

    target: Target
    say: Callable[[str], None]
    every: float
    again: str

    def end_of(self, name: str, doing: str, kind: Any = None) -> Any:
        """What an operation answers at its end, as a message of a ``kind``; None without one.

        ``doing`` is what the operation does: ``deploy version 3``.

        Raises:
            CloudError: It failed, or the service refused or stayed out of reach.
        """
        from google.api_core.exceptions import from_grpc_status

        begun, before = time.monotonic(), ""
        while True:
            operation = self._look(name, doing)
            stage = _stage(operation)
            if stage != before and not operation.done:
                self.say(f"  {stage} ({duration(time.monotonic() - begun)})")
                before = stage
            if operation.done:
                break
            time.sleep(self.every)
        if operation.HasField("error"):
            with explained(doing, self.target):
                raise from_grpc_status(operation.error.code, operation.error.message)
        return kind.deserialize(operation.response.value) if kind else None

    def _look(self, name: str, doing: str) -> Any:
        def ask(retry: Any) -> Any:
            return call(
                *(self.target, "Endpoint", "get_operation", f"see whether it could {doing}", retry),
                request={"name": name},
            )

        return outlast(
            *(ask, self.target, self.say, f"see how it goes ({doing})", "it continues"),
            again=self.again,
        )


def _stage(operation: Any) -> str:
    """How far a deployment is: ``starting model server``; empty if the service does not say."""
    from google.cloud.aiplatform_v1 import DeploymentStage, DeployModelOperationMetadata

    metadata = DeployModelOperationMetadata.pb(DeployModelOperationMetadata())
    if not operation.metadata.Unpack(metadata) or not metadata.deployment_stage:
        return ""
    name: str = DeploymentStage(metadata.deployment_stage).name
    return name.lower().replace("_", " ")
