"""The command line: all commands in their groups."""

from typing import Annotated, Final

import typer

from pipeline.cli.commands import Command, Commands
from pipeline.cli.console import say
from pipeline.cli.kubeflow_schedules import kubeflow
from pipeline.cli.model_commands import models
from pipeline.cli.pack_command import pack
from pipeline.cli.predict_command import predict
from pipeline.cli.record_commands import report, runs
from pipeline.cli.run_command import run
from pipeline.cli.serve_command import serve
from pipeline.cli.spec_commands import compile_command, parameters
from pipeline.cli.vertex_endpoints import deploy, undeploy
from pipeline.cli.vertex_jobs import cancel, jobs, schedules, watch
from pipeline.cli.vertex_submit import submit
from pipeline.text import command

CLOUD: Final = "On Vertex AI"
PANELS: Final = {
    "On this machine": (run, runs, models, report, predict, serve, pack),
    "The compiled pipeline": (parameters, compile_command),
    CLOUD: (submit, watch, jobs, cancel, deploy, undeploy),
}

app = typer.Typer(
    name="fashion-mnist",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for panel, functions in PANELS.items():
    for function in functions:
        name = function.__name__.removesuffix("_command")
        app.command(name, cls=Command, rich_help_panel=panel)(function)
app.add_typer(schedules, name="schedules", rich_help_panel=CLOUD)
app.add_typer(kubeflow, name="kubeflow", rich_help_panel="On Kubeflow")


def show_version(wanted: bool) -> None:
    """Prints the version of the package and ends the command."""
    if wanted:
        from importlib.metadata import version

        say(f"fashion-mnist {version('fashion-mnist-pipeline')}")
        raise typer.Exit


@app.callback(epilog=f"`{command('COMMAND --help')}` shows examples.")
def options(
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show the traceback of an error.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """FashionMNIST on Vertex AI and Kubeflow Pipelines: one definition, here and in the cloud."""
