"""Options that all commands for Kubeflow take: where the installation is, and how to sign in."""

from pathlib import Path
from typing import Annotated

from pipeline.cli.options import WHERE, option, read_from

Host = Annotated[
    str | None,
    option(
        "Address of Kubeflow Pipelines; else KF_PIPELINES_ENDPOINT, or the one of this cluster.",
        panel=WHERE,
        metavar="URL",
        show_default=False,
    ),
]
Namespace = Annotated[
    str | None,
    option("Your namespace, where there are several users.", panel=WHERE),
]
TokenFile = Annotated[
    Path | None,
    option(
        "File with a bearer token; else KF_PIPELINES_TOKEN, or a file KF_PIPELINES_SA_TOKEN_PATH.",
        panel=WHERE,
        parser=read_from("--token-file"),
        metavar="FILE",
        show_default=False,
    ),
]
CookieFile = Annotated[
    Path | None,
    option(
        "File with a session's cookie as NAME=VALUE; else KF_PIPELINES_COOKIE.",
        panel=WHERE,
        parser=read_from("--cookie-file"),
        metavar="FILE",
        show_default=False,
    ),
]
CaCert = Annotated[
    Path | None,
    option(
        "Certificate of the authority to trust (PEM).",
        panel=WHERE,
        parser=read_from("--ca-cert"),
        metavar="FILE",
    ),
]
