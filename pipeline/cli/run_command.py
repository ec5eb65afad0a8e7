"""The command that runs the pipeline on this machine."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from components.dataset.description import NAME
from pipeline.cli.console import console, next_steps, print_json, waiting
from pipeline.cli.options import (
    ROOT,
    WHAT,
    AsJson,
    Dataset,
    NoCache,
    Parameters,
    Preset,
    RequireUpload,
    RootFolder,
    Spec,
    option,
    root_option,
)
from pipeline.errors import GateRefused, UsageError
from pipeline.runs.root import Root
from pipeline.text import command, shown

if TYPE_CHECKING:
    from pipeline.runs.record import Run


def run(
    parameter: Parameters = None,
    source: Annotated[
        str | None,
        option("Where the four raw files are: a directory or http(s)://.", panel=WHAT),
    ] = None,
    dataset: Dataset = None,
    preset: Preset = None,
    spec: Spec = None,
    no_cache: NoCache = False,
    replicas: Annotated[
        int | None,
        option("Train as N processes that share each batch.", metavar="N", min=1),
    ] = None,
    hermetic: Annotated[
        bool, option("Run each step in a fresh environment of its pins.", "--hermetic")
    ] = False,
    root: RootFolder = ROOT,
    require_upload: RequireUpload = False,
    as_json: AsJson = False,
) -> None:
    """Run the whole pipeline on this machine.

    It runs the compiled file, with the storage emulator as its bucket and a folder as its model
    registry. Steps whose code and inputs have not changed are answered from the cache.

    Examples:
        run --preset accurate  # a larger network
        run --source DIR  # other data: what `pack` wrote, or IDX files and their dataset.json
        run -p epochs=3 -p 'filters=[16, 32]'  # other hyperparameters
        run --no-cache  # every step again, whatever has run before
        run --json > run.json  # the result, for a program
    """
    from pipeline.cli.watchers import stopped_by_signals, watch_on
    from pipeline.local import run as local
    from pipeline.specs import parameters
    from pipeline.specs.spec import load

    place = Root(root)
    loaded = load(_compiled(spec, replicas, place))
    given = parameters.from_options(parameter, source, dataset, loaded)
    arguments = local.checked_arguments(loaded, given, preset, place)
    options = local.Options(
        use_cache=not no_cache,
        hermetic=hermetic,
        ended=lambda run: print_json(run.as_json()) if as_json else None,
    )
    with stopped_by_signals():
        watch = watch_on(sys.stderr if as_json else sys.stdout)
        result = local.run(loaded, arguments, place, watch, options)
    if not as_json:
        _show(result, place)
    if require_upload and not result.uploaded:
        raise GateRefused("no version was uploaded, and --require-upload was given")


def _compiled(spec: Path | None, replicas: int | None, root: Root) -> Path:
    """The spec to run; the committed one is compared with its source first."""
    from pipeline import compiler
    from pipeline.local.run import committed_spec

    if spec is None:
        with waiting("comparing compiled/ with its source"):
            compiler.check_changed(root.compiled, compiler.check)
        return committed_spec(replicas, root)
    if replicas:
        raise UsageError("--replicas compiles its own spec: leave out --spec or --replicas")
    return spec


def _show(run: "Run", root: Root) -> None:
    from pipeline.cli.watchers import show_result
    from pipeline.runs.chosen_model import MODEL

    places = {}
    if run.uploaded:
        places["Model"] = _place(run, root)
    elif run.passed is False:
        hint = "; the gate's thresholds are parameters, as min_accuracy"
        places["Model"] = "not uploaded" + hint * (not run.reason.startswith("Unchanged"))
    if run.report:
        places["Report"] = shown(run.report)
    show_result(run, console(), places)
    if run.metrics:
        elsewhere = root_option(root.path)
        is_here = run.version and not run.is_for_kubeflow
        model = f" --model {run.model_name}" if is_here else f" --run {run.id[-4:]}"
        model = "" if is_here and run.model_name == MODEL else model
        where = "submit --bucket BUCKET", "Vertex AI"
        if run.is_for_kubeflow:
            where = "kubeflow submit --host ADDRESS", "Kubeflow"
        next_steps(
            {
                command(f"report{elsewhere}"): "opens the report",
                command(f"predict{model}{elsewhere} PHOTO"): "asks the model about a picture",
                command(f"{where[0]}{_data(run)}"): f"runs the same file on {where[1]}",
            }
        )


def _place(run: "Run", root: Root) -> str:
    """Which version was uploaded, and where it is."""
    if not run.version:
        return shown(Path(run.uploaded.uri))
    address = shown(root.registry / run.model_name / run.version)
    if run.is_for_kubeflow:
        server = run.tracking_uri.rstrip("/")
        address = f"{server}/#/models/{quote(run.model_name)}/versions/{run.version}"
    return f"{run.model_name} version {run.version}: {address}"


def _data(run: "Run") -> str:
    """The options that name a run's own data for a run elsewhere; empty for FashionMNIST."""
    if not run.parameters.get("dataset"):
        return ""
    beside = Path(run.parameters.get("source", ""), NAME)
    file = shlex.quote(shown(beside)) if beside.is_file() else "FILE.json"
    return f" --source gs://BUCKET/DATA --dataset {file}"
