"""All the services that the commands for Vertex AI ask, on one loopback port."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.metadata_service import MetadataService
from tests.fakes.pipeline_service import PipelineService
from tests.fakes.project_services import Buckets, Iam, ServiceUsage, Tokens
from tests.fakes.schedule_service import ScheduleService
from tests.fakes.wire import Wire
from tests.fakes.wire_server import serve


@dataclass
class Cloud:
    """A project of its own: each service a room."""

    wire: Wire
    pipelines: PipelineService
    schedules: ScheduleService
    metadata: MetadataService
    usage: ServiceUsage
    iam: Iam
    buckets: Buckets
    tokens: Tokens

    def environment(self, home: Path) -> dict[str, str]:
        """Variables that lead a process here, as a machine of Google's that nothing is set on.

        Args:
            home: A directory for gcloud's configuration.
        """
        override = "CLOUDSDK_API_ENDPOINT_OVERRIDES_"
        host = self.wire.url.removeprefix("http://")
        return {
            f"{override}AIPLATFORM": self.wire.url,
            f"{override}SERVICEUSAGE": self.wire.url,
            f"{override}IAM": self.wire.url,
            "STORAGE_EMULATOR_HOST": self.wire.url,
            "CLOUDSDK_CONFIG": str(home),
            "GCE_METADATA_HOST": host,
            "GCE_METADATA_IP": host,
            "GOOGLE_CLOUD_PROJECT": "my-project",
            "GOOGLE_CLOUD_REGION": "europe-west4",
        }


@contextmanager
def serve_cloud() -> Iterator[Cloud]:
    """Serves a project with its APIs on and the bucket ``my-bucket``, while the block runs."""
    rooms = (
        PipelineService(),
        ScheduleService(),
        MetadataService(),
        ServiceUsage(),
        Iam(),
        Buckets(),
        Tokens(),
    )
    routes = [route for room in rooms for route in room.routes()]
    with serve(lambda url: Wire(url, routes, tokens=rooms[-1].valid)) as wire:
        yield Cloud(wire, *rooms)
