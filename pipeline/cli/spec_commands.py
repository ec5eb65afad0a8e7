"""The commands about the compiled pipeline: compile it, list its parameters."""

import shlex
from pathlib import Path
from typing import Annotated

from pipeline.cli.console import next_steps, print_json, print_list, say, waiting
from pipeline.cli.options import AsJson, Spec, option, write_to
from pipeline.errors import CommandError
from pipeline.text import command, shown


def compile_command(
    check: Annotated[
        bool, option("Write nothing; exit 1 if a committed file is stale.", "--check")
    ] = False,
    image: Annotated[str, option("Image that holds the dependencies, as URI@sha256:…")] = "",
    output: Annotated[
        Path | None,
        option("Directory to write to instead of `compiled/`.", parser=write_to("--output")),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compile the pipeline and its components to YAML.

    Examples:
        compile  # writes `compiled/` from the source
        compile --check  # exit code 1 and a short diff if it is stale
        compile --image IMAGE@sha256:0123 --output built  # steps that install nothing
    """
    from pipeline import compiler

    if check:
        _check(as_json)
        return
    with waiting("compiling"):
        written = compiler.write(output or compiler.COMPILED, image)
    if as_json:
        print_json({"written": written})
        return
    for path in written:
        say(shown(path))
    if output and image:
        spec = shlex.quote(shown(output / compiler.PIPELINE))
        next_steps({command(f"submit --bucket BUCKET --spec {spec}"): "runs it on Vertex AI"})
    else:
        next_steps({command("run"): "runs it here"})


def _check(as_json: bool) -> None:
    from pipeline import compiler

    try:
        with waiting("compiling"):
            compiler.check()
    except CommandError as error:
        if as_json:
            print_json({"up_to_date": False, "reason": str(error)})
        raise CommandError(str(error)) from error
    if as_json:
        print_json({"up_to_date": True, "reason": ""})
    else:
        say("compiled/ is up to date")


def parameters(spec: Spec = None, as_json: AsJson = False) -> None:
    """List the pipeline's parameters: name, default, description.

    Examples:
        parameters  # all of them, with their defaults
        parameters --json  # the same with their types, for a program
    """
    from pipeline import compiler
    from pipeline.specs.parameters import describe
    from pipeline.specs.spec import load

    known = describe(load(spec or compiler.COMPILED / compiler.PIPELINE))
    given = f" --spec {shlex.quote(shown(spec))}" if spec else ""
    print_list(
        as_json,
        [one.as_json() for one in known],
        ("Parameter", "Default", "Description"),
        [(one.name, one.text, one.description.split(". ")[0]) for one in known],
        nothing="no parameters",
        wraps=True,
        then={command(f"run{given} -p NAME=VALUE"): "runs the pipeline with another value"},
    )
