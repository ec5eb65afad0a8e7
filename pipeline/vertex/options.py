"""Options that several commands take."""

from typing import Annotated

import typer

Project = Annotated[
    str | None,
    typer.Option(
        help="Project id; else GOOGLE_CLOUD_PROJECT, CLOUDSDK_CORE_PROJECT or gcloud's own.",
        show_default=False,
    ),
]
Region = Annotated[
    str | None,
    typer.Option(
        help="As europe-west4; else GOOGLE_CLOUD_REGION, CLOUDSDK_AI_REGION or gcloud's own.",
        show_default=False,
    ),
]
Every = Annotated[
    float, typer.Option("--every", min=0.05, help="Seconds between two looks at the job.")
]
RequireUpload = Annotated[
    bool, typer.Option("--require-upload", help="Exit 3 when no version was uploaded.")
]
