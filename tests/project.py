"""A project whose runs are looked at: a small source, and credentials planted around it."""

import json
import subprocess
from pathlib import Path

from tests import planted
from tests.command import fashion_mnist
from tests.idx_files import write_idx_set

SMALL = ("validation_examples=50", "shards=2", "batch_size=32", "filters=[16, 32]", "epochs=6")
UNTRAINED = ("-p", "train_steps=1", "-p", "min_accuracy=0.9")


class Project:
    """A root and a small source, and a run on them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = path / "root"
        self.digests = write_idx_set(path / "source", train_per_class=100, test_per_class=20)

    def run(
        self, *options: str, root: Path | None = None, source: str = "source"
    ) -> "subprocess.CompletedProcess[str]":
        key = planted.service_account(self.path.with_suffix(".json"))
        return fashion_mnist(
            *("run", *self.arguments(*options, root=root, source=source)),
            cwd=self.path,
            GOOGLE_APPLICATION_CREDENTIALS=str(key),
            **planted.ENVIRONMENT,
        )

    def arguments(
        self, *options: str, root: Path | None = None, source: str = "source"
    ) -> list[str]:
        parameters = [*SMALL, f"digests={json.dumps(self.digests)}", "min_accuracy=0.5"]
        given = [argument for parameter in parameters for argument in ("-p", parameter)]
        data = ["--source", source] if source else []
        return ["--root", str(root or self.root), *data, *given, *options]
