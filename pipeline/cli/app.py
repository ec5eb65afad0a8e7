"""The commands."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from pipeline.cli import spec_commands
from pipeline.cli import vertex_follow as follow_commands
from pipeline.cli import vertex_schedules as schedule_commands
from pipeline.cli import vertex_submit as submit_command
from pipeline.cli.commands import Command, Commands
from pipeline.cli.console import AsJson, console, print_json, say, say_aside, waiting
from pipeline.cli.examples import examples
from pipeline.cli.models_command import models
from pipeline.cli.options import ROOT, RootFolder
from pipeline.cli.predict_command import predict
from pipeline.cli.report_command import report
from pipeline.cli.runs_command import runs
from pipeline.errors import GateRefused, UsageError
from pipeline.program import command

HERE: Final = "On this machine"
CLOUD: Final = "On Vertex AI"
SPEC: Final = "The compiled pipeline"
WHAT: Final = "What to run"
HOW: Final = "How to run it"

app = typer.Typer(
    name="fashion-mnist",
    cls=Commands,
    help="FashionMNIST on Vertex AI Pipelines: one compiled spec, here and in the cloud.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def show_version(asked: bool) -> None:
    """Prints the version of the package, and ends the command."""
    if asked:
        from importlib.metadata import version

        say(f"fashion-mnist {version('fashion-mnist-pipeline')}")
        raise typer.Exit


@app.callback(epilog=f"`{command('COMMAND --help')}` has examples.")
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
    """FashionMNIST on Vertex AI Pipelines: one compiled spec, here and in the cloud."""


def run(
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--parameter",
            metavar="NAME=VALUE",
            help="A pipeline parameter; as often as needed.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="Where the four raw files are: a directory or http(s)://.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="Hyperparameters to start from: tutorial, fast or best; -p wins.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    root: RootFolder = ROOT,
    spec: Annotated[
        Path | None,
        typer.Option(help="Compiled pipeline, instead of the committed one.", rich_help_panel=WHAT),
    ] = None,
    replicas: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Run the distributed pipeline, its training as N processes that share each batch.",
            rich_help_panel=HOW,
        ),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Run every step again.", rich_help_panel=HOW)
    ] = False,
    hermetic: Annotated[
        bool,
        typer.Option(
            "--hermetic",
            help="A fresh environment for each step, with its pins alone.",
            rich_help_panel=HOW,
        ),
    ] = False,
    require_upload: Annotated[
        bool, typer.Option("--require-upload", help="Exit 3 when no version was uploaded.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the whole pipeline on this machine.

    It runs the compiled file, with the storage emulator as its bucket and a folder as its model
    registry. Steps whose code and inputs have not changed are answered from the cache.
    """
    from pipeline import compiler
    from pipeline.checkout import git_revision
    from pipeline.cli.first_run import note
    from pipeline.cli.watchers import stopped_by_signals, tell, watch_on
    from pipeline.local import run as local
    from pipeline.runs.root import Root
    from pipeline.specs import parameters
    from pipeline.specs import spec as specs

    if spec is None:
        with waiting("comparing compiled/ with its source"):
            compiler.check()
    elif replicas:
        raise UsageError("--replicas compiles a spec of its own: leave out --spec or --replicas")
    elif not spec.is_file():
        raise UsageError(f"--spec {spec}: there is no such file")
    place = Root(root)
    loaded = specs.load(spec or local.committed_spec(replicas, place))
    given = [*(parameter or []), *([] if source is None else [f"source={source}"])]
    typed = parameters.parse(given, loaded)
    if "source" in typed:
        typed["source"] = local.check_source(typed["source"])
    own = {"bucket_uri": local.BUCKET_URI, "git_revision": git_revision()}
    values = parameters.resolve(loaded, typed, preset=preset, own=own)
    if hint := note(parameters.changed(values, loaded), place):
        say_aside(hint)
    with stopped_by_signals():
        result = local.run(
            loaded,
            values,
            place,
            watch_on(sys.stderr if as_json else sys.stdout),
            local.Options(
                use_cache=not no_cache,
                hermetic=hermetic,
                ended=lambda run: print_json(run.as_json()) if as_json else None,
            ),
        )
    if not as_json:
        tell(result, place, console())
    if require_upload and not result.version:
        raise GateRefused("no version was uploaded, and --require-upload was given")


def register(function: Callable[..., None], panel: str) -> None:
    """Makes a command of a function, under its name and with its examples."""
    name = function.__name__.removesuffix("_command")
    app.command(name, cls=Command, epilog=examples(name), rich_help_panel=panel)(function)


register(run, HERE)
register(runs, HERE)
register(models, HERE)
register(report, HERE)
register(predict, HERE)
register(spec_commands.parameters_command, SPEC)
register(spec_commands.compile_command, SPEC)
register(submit_command.submit, CLOUD)
register(follow_commands.watch, CLOUD)
register(follow_commands.jobs, CLOUD)
register(follow_commands.cancel, CLOUD)
app.add_typer(
    schedule_commands.schedules,
    name="schedules",
    epilog=examples("schedules"),
    rich_help_panel=CLOUD,
)
