"""The commands."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from pipeline.commands import Commands
from pipeline.errors import CommandError, GateRefused, UsageError
from pipeline.vertex import follow_commands, schedule_commands, submit_command

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


@app.callback()
def options(
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show the traceback of an error.")
    ] = False,
) -> None:
    """FashionMNIST on Vertex AI Pipelines: one compiled spec, here and in the cloud."""


@app.command("compile")
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
) -> None:
    """Compile the pipeline and its components to YAML."""
    from pipeline import compiler
    from pipeline.watchers import shown

    if check:
        try:
            compiler.check()
        except CommandError as error:
            raise CommandError(str(error)) from error
        out().print("compiled/ is up to date")
        return
    for path in compiler.write(output or compiler.COMPILED, image):
        out().print(shown(path), highlight=False)


@app.command()
def run(
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="A pipeline parameter."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="Where the four raw files are: a directory, http(s):// or gs://."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="Hyperparameters to start from: tutorial, fast or best; -p wins."),
    ] = None,
    root: Annotated[Path, typer.Option(help="Folder for all that is local.")] = Path(
        ".fashion-mnist"
    ),
    spec: Annotated[
        Path | None, typer.Option(help="Compiled pipeline, instead of the committed one.")
    ] = None,
    replicas: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Run the distributed pipeline, its training as N processes that share each batch.",
        ),
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Run every step again.")] = False,
    hermetic: Annotated[
        bool,
        typer.Option("--hermetic", help="A fresh environment for each step, with its pins alone."),
    ] = False,
    require_upload: Annotated[
        bool, typer.Option("--require-upload", help="Exit 3 when no version was uploaded.")
    ] = False,
) -> None:
    """Run the whole pipeline on this machine.

    It runs the compiled file, with the storage emulator as its bucket and a folder as its model
    registry. Steps whose code and inputs have not changed are answered from the cache.
    """
    from pipeline import compiler, local, parameters
    from pipeline import spec as specs
    from pipeline.root import Root
    from pipeline.watchers import stopped_by_signals, tell, watch

    if spec is None:
        compiler.check()
    elif replicas:
        raise UsageError("--replicas compiles a spec of its own: leave out --spec or --replicas")
    elif not spec.is_file():
        raise UsageError(f"--spec {spec}: there is no such file")
    place = Root(root)
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
            watch,
            use_cache=not no_cache,
            hermetic=hermetic,
        )
    tell(result, place.registry, out())
    if require_upload and not result.version:
        raise GateRefused("no version was uploaded, and --require-upload was given")


@app.command("parameters")
def parameters_command(
    spec: Annotated[
        Path | None, typer.Option(help="Compiled pipeline, instead of the committed one.")
    ] = None,
) -> None:
    """List the pipeline's parameters: name, default, what it is."""
    from rich.table import Table

    from pipeline import compiler, parameters
    from pipeline import spec as specs

    table = Table("Parameter", "Default", "", box=None, pad_edge=False)
    for known in parameters.describe(specs.load(spec or compiler.COMPILED / compiler.PIPELINE)):
        default = "(required)" if known.default is None else known.default
        table.add_row(escape(known.name), escape(default), escape(known.description))
    out().print(table)


for command in (
    submit_command.submit,
    follow_commands.watch,
    follow_commands.jobs,
    follow_commands.cancel,
):
    app.command()(command)
app.add_typer(schedule_commands.schedules, name="schedules")


def out() -> Console:
    """The console for what a command has to say."""
    return Console(file=sys.stdout, soft_wrap=True)
