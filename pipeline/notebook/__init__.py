"""The pipeline in a notebook: earlier runs, their artifacts, each step by itself.

::

    run = last_run(or_start="fast")
    tried = rerun(run, "train", learning_rate=0.05)
    tried.artifact("model").path
"""

from pipeline.notebook.artifacts import Artifact, ArtifactError, artifact
from pipeline.notebook.examples import ask, describe_records, read_raw, read_split, signatures
from pipeline.notebook.running import last_run, rerun, run_pipeline
from pipeline.notebook.runs import job_run, load_run, promote
from pipeline.notebook.show import (
    show_answer,
    show_curves,
    show_images,
    show_report,
    show_versions,
)
from pipeline.runs.record import Run, RunError
from pipeline.text import command

__all__ = [
    "Artifact",
    "ArtifactError",
    "Run",
    "RunError",
    "artifact",
    "ask",
    "command",
    "describe_records",
    "job_run",
    "last_run",
    "load_run",
    "promote",
    "read_raw",
    "read_split",
    "rerun",
    "run_pipeline",
    "show_answer",
    "show_curves",
    "show_images",
    "show_report",
    "show_versions",
    "signatures",
]
