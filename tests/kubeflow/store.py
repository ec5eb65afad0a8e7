"""An S3 server on loopback, and the launcher's rules for copying artifacts to and from it.

The rules are those of ``backend/src/v2/objectstore`` of KFP's backend 2.17.0.
"""

import contextlib
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

PATTERN = re.compile(r"(^[a-z][a-z0-9]+:///?)([^/?]+)(/[^?]*)?(\?.+)?$")
SCHEMES = ("gs://", "s3://", "minio://")
MOUNTS = {"gs://": "gcs", "s3://": "s3", "minio://": "minio"}
ACCOUNT = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests"}


class LauncherError(Exception):
    """The launcher or the driver refuses, in its own words."""


class Bucket(NamedTuple):
    """The bucket of a run: only what is below its prefix is in it."""

    scheme: str
    name: str
    prefix: str = ""

    @classmethod
    def of(cls, uri: str, *, whole: bool = False) -> "Bucket":
        """The bucket of a pipeline root, or without a prefix that of an artifact."""
        found = PATTERN.match(uri)
        if not found or found[1] not in SCHEMES:
            raise LauncherError(f'parse bucket config failed: unsupported Cloud bucket: "{uri}"')
        prefix = "" if whole else (found[3] or "").strip("/")
        return cls(found[1], found[2], f"{prefix}/" if prefix else "")

    def key(self, uri: str) -> str:
        """The object's name in the server's bucket."""
        expected = f"{self.scheme}{self.name}/{self.prefix}".rstrip("/")
        if not uri.startswith(expected):
            raise LauncherError(f'URI "{uri}" does not have expected bucket prefix "{expected}"')
        return uri.removeprefix(f"{self.scheme}{self.name}").lstrip("/")


def local_path(uri: str, root: Path) -> Path:
    """Where a step in a pod whose folders begin at ``root`` finds an artifact."""
    for scheme, mount in MOUNTS.items():
        if uri.startswith(scheme):
            return root / mount / uri.removeprefix(scheme)
    raise LauncherError(f"failed to generate local path for URI {uri}: unsupported storage scheme")


class Store(NamedTuple):
    """The server, and its client."""

    url: str
    client: Any

    @property
    def environment(self) -> dict[str, str]:
        """What a secret would put into a step's environment."""
        return {**ACCOUNT, "AWS_ENDPOINT_URL": self.url, "AWS_REGION": "minio"}

    def upload(self, path: Path, bucket: Bucket, uri: str) -> None:
        """Copies a file, or the files of a directory.

        Raises:
            FileNotFoundError: There is nothing at ``path``.
        """
        key = bucket.key(uri)
        if not path.exists():
            raise FileNotFoundError(path)
        files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
        for file in files:
            inner = file.relative_to(path).as_posix()
            name = key if file == path else f"{key}/{inner}"
            self.client.upload_file(str(file), bucket.name, name)

    def download(self, bucket: Bucket, uri: str, path: Path) -> None:
        """Copies the object of a URI, or those below it."""
        key = bucket.key(uri)
        for name in self.names(bucket.name, key):
            if name == key or name.startswith(f"{key}/"):
                file = path / name.removeprefix(key).lstrip("/") if name != key else path
                file.parent.mkdir(parents=True, exist_ok=True)
                self.client.download_file(bucket.name, name, str(file))

    def names(self, bucket: str, prefix: str = "") -> list[str]:
        """The names of the objects that begin so."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [one["Key"] for page in pages for one in page.get("Contents", [])]


@contextlib.contextmanager
def serve(directory: Path, *buckets: str) -> Iterator[Store]:
    """Serves S3 from a directory while the block runs."""
    services = ("s3", "master", "volume", "filer")
    names = [f"-{service}.port{kind}" for service in services for kind in ("", ".grpc")]
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    command = [
        str(Path(sys.executable).with_name("weed")),
        *("server", f"-dir={directory}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3"),
        *("-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
        *("-master.volumeSizeLimitMB=64", "-volume.max=60"),
        *(f"{name}={port}" for name, port in ports.items()),
    ]
    url = f"http://127.0.0.1:{ports['-s3.port']}"
    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="minio",
        aws_access_key_id=ACCOUNT["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ACCOUNT["AWS_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}),
    )
    with (directory / "weed.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory)
        try:
            errors = retry_if_exception_type((BotoCoreError, ClientError))
            for bucket in buckets:
                Retrying(retry=errors, stop=stop_after_delay(60), wait=wait_fixed(0.2))(
                    client.create_bucket, Bucket=bucket
                )
            yield Store(url, client)
        finally:
            process.kill()  # It takes its time with anything gentler.
            process.wait()


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
