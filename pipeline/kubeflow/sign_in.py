"""Tokens and cookies for a Kubeflow Pipelines installation: of files, the environment, a pod."""

import os
from pathlib import Path
from typing import Final

from pipeline.errors import UsageError

TOKEN: Final = "KF_PIPELINES_TOKEN"  # noqa: S105
COOKIE: Final = "KF_PIPELINES_COOKIE"
TOKEN_PATH: Final = "KF_PIPELINES_SA_TOKEN_PATH"  # noqa: S105
"""kfp's variable for the file of a service account's token."""
VARIABLES: Final = (TOKEN, COOKIE, TOKEN_PATH)
POD: Final = Path("/var/run/secrets")
"""Where a pod has a service account's token for the API, and its own namespace."""


def token(file: Path | None, *, in_pod: bool) -> tuple[str, Path | None, str]:
    """A token, or the file of one, and where it is from; empty without one."""
    if file is None and (text := os.environ.get(TOKEN)):
        return _checked(text, TOKEN).removeprefix("Bearer "), None, TOKEN
    origin, of_pod = "--token-file", POD / "kubeflow/pipelines/token"
    if file is None and (path := os.environ.get(TOKEN_PATH)):
        file, origin = Path(path), TOKEN_PATH
    elif file is None and in_pod and of_pod.is_file():
        file, origin = of_pod, "the pod's token"
    if file is None:
        return "", None, ""
    _checked(_content(file, origin), f"{origin} {file}")
    return "", file, f"{origin} {file}"


def cookie(file: Path | None) -> tuple[str, str]:
    """A session's cookie and where it is from; empty without one."""
    if file is not None:
        text, origin = _content(file, "--cookie-file"), f"--cookie-file {file}"
    elif not (text := os.environ.get(origin := COOKIE, "")):
        return "", ""
    found = _checked(text, origin)
    if "=" not in found:
        raise UsageError(
            f"{origin} holds no cookie: give NAME=VALUE, as in authservice_session=… or "
            "oauth2_proxy_kubeflow=…"
        )
    return found, origin


def pod_namespace() -> str:
    """The namespace of this pod; empty outside a cluster."""
    try:
        return (POD / "kubernetes.io/serviceaccount/namespace").read_text().strip()
    except OSError:
        return ""


def _checked(text: str, origin: str) -> str:
    """A token or cookie without the space around it."""
    found = text.strip()
    if not found:
        raise UsageError(f"{origin} is empty; write a new token or cookie to it")
    if not (found.isascii() and found.isprintable()):
        raise UsageError(
            f"{origin} holds more than one line of text; give the token or cookie alone"
        )
    return found


def _content(file: Path, option: str) -> str:
    try:
        return file.read_text()
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "strerror", None) or "it is not text").lower()
        raise UsageError(f"{option} {file}: {reason}") from error
