"""The commands."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from pipeline.commands import Command, Commands
from pipeline.console import AsJson, console, next_steps, print_json, print_table, say
from pipeline.errors import CommandError, GateRefused, UsageError
from pipeline.examples import examples
from pipeline.models_command import models
from pipeline.options import ROOT, RootFolder
from pipeline.predict_command import predict
from pipeline.runs_command import runs
from pipeline.vertex import follow_commands, schedule_commands, submit_command

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


@app.callback(epilog="`fashion-mnist COMMAND --help` has examples.")
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


@app.command("compile", cls=Command, epilog=examples("compile"), rich_help_panel=SPEC)
def compile_command(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 when a committed file is stale.")
    ] = False,
    image: Annotated[
        str, typer.Option(help="Image that holds the dependencies, as URI@sha256:…")
    ] = "",
    output: Annotated[
        Path | None, typer.Option(help="Directory to write to, instead of `compiled/`.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compile the pipeline and its components to YAML."""
    from pipeline import compiler
    from pipeline.watchers import shown

    if check:
        _check(as_json)
        return
    written = compiler.write(output or compiler.COMPILED, image)
    if as_json:
        print_json({"written": written})
        return
    for path in written:
        say(shown(path))
    if output and image:
        spec = shown(output / compiler.PIPELINE)
        next_steps({f"fashion-mnist submit --bucket BUCKET --spec {spec}": "runs it on Vertex AI"})
    else:
        next_steps({"fashion-mnist run": "runs it here"})


def _check(as_json: bool) -> None:
    from pipeline import compiler

    try:
        compiler.check()
    except CommandError as error:
        if as_json:
            print_json({"up_to_date": False, "reason": str(error)})
        raise CommandError(str(error)) from error
    if as_json:
        print_json({"up_to_date": True, "reason": ""})
    else:
        say("compiled/ is up to date")


@app.command(cls=Command, epilog=examples("run"), rich_help_panel=HERE)
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
            help="Where the four raw files are: a directory, http(s):// or gs://.",
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
    from pipeline import compiler, local, parameters
    from pipeline import spec as specs
    from pipeline.summary import as_json as summary
    from pipeline.watchers import stopped_by_signals, tell, watch_on

    if spec is None:
        compiler.check()
    elif replicas:
        raise UsageError("--replicas compiles a spec of its own: leave out --spec or --replicas")
    elif not spec.is_file():
        raise UsageError(f"--spec {spec}: there is no such file")
    place = local.Root(root)
    compiled = spec or local.committed_spec(replicas, place)
    loaded = specs.load(compiled)
    given = [*(parameter or []), *([] if source is None else [f"source={source}"])]
    values = {
        "bucket_uri": local.BUCKET_URI,
        "git_revision": local.git_revision(),
        **parameters.of_preset(preset),
        **parameters.parse(given, loaded),
    }
    values["source"] = local.check_source(values.get("source", ""))
    with stopped_by_signals():
        result = local.run(
            compiled,
            parameters.complete(values, loaded),
            place,
            watch_on(sys.stderr if as_json else sys.stdout),
            use_cache=not no_cache,
            hermetic=hermetic,
        )
    if as_json:
        print_json(summary(result))
    else:
        tell(result, place.registry, console())
    if require_upload and not result.version:
        raise GateRefused("no version was uploaded, and --require-upload was given")


@app.command("parameters", cls=Command, epilog=examples("parameters"), rich_help_panel=SPEC)
def parameters_command(
    spec: Annotated[
        Path | None, typer.Option(help="Compiled pipeline, instead of the committed one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the pipeline's parameters: name, default, what it is."""
    from pipeline import compiler, parameters
    from pipeline import spec as specs

    if spec is not None and not spec.is_file():
        raise UsageError(f"--spec {spec}: there is no such file")
    known = parameters.describe(specs.load(spec or compiler.COMPILED / compiler.PIPELINE))
    if as_json:
        print_json([one.as_json() for one in known])
        return
    rows = [(one.name, one.text, one.description) for one in known]
    print_table(("Parameter", "Default", ""), rows)
    next_steps({"fashion-mnist run -p NAME=VALUE": "runs the pipeline with another value"})


for command in (runs, models, predict):
    app.command(cls=Command, epilog=examples(command.__name__), rich_help_panel=HERE)(command)
for command in (
    submit_command.submit,
    follow_commands.watch,
    follow_commands.jobs,
    follow_commands.cancel,
):
    app.command(cls=Command, epilog=examples(command.__name__), rich_help_panel=CLOUD)(command)
app.add_typer(
    schedule_commands.schedules,
    name="schedules",
    epilog=examples("schedules"),
    rich_help_panel=CLOUD,
)
