"""Runs a compiled pipeline on this machine, with stand-ins for Google Cloud's services."""

import contextlib
import mimetypes
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from components.dataset.description import NAME, Description
from components.dataset.errors import DataError
from components.dataset.facts import TRAIN_IMAGES
from components.dataset.raw import find_file
from components.dataset.startup import PREDICTIONS, direct_loopback
from components.upload.registry_lookup import NO_ALIAS
from pipeline import compiler, files
from pipeline.checkout import git_revision
from pipeline.compiler import COMPILED, PIPELINE, PROJECT
from pipeline.errors import UsageError
from pipeline.local import emulator, run_folder
from pipeline.local.execution import Execution
from pipeline.local.localization import localize
from pipeline.runs.record import TRACKING, Run
from pipeline.runs.registry import Registry, Version
from pipeline.runs.root import Root, default_root
from pipeline.runs.table import Table, Watch
from pipeline.runs.version_record import RegistryError
from pipeline.specs import checks, parameters
from pipeline.specs.machine import Machine
from pipeline.specs.spec import Spec, has_all_steps
from pipeline.text import command, printable

DEFAULT_SPEC: Final = COMPILED / PIPELINE
LOOKED_AT: Final = 1000
"""Files of a source that are looked at."""
BUCKET_URI: Final = f"gs://{emulator.LOCAL_BUCKET}"
UNWANTED: Final = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""Variables that would let this environment's modules into a step's."""


@dataclass(frozen=True)
class Options:
    """How to run a spec.

    Attributes:
        use_cache: Answer a step from an earlier run if nothing it depends on has changed.
        hermetic: Run each step in a fresh environment that has only its own pins.
        ended: Is called with the run at its end, even if it failed.
        earlier: Id of the run whose outputs the spec's steps read; such a run neither reads nor
            changes the cache. Empty: a run of the whole pipeline.
        parameters: The pipeline's parameters to record; None: the arguments.
    """

    use_cache: bool = True
    hermetic: bool = False
    ended: Callable[[Run], object] = lambda run: None
    earlier: str = ""
    parameters: Mapping[str, Any] | None = None


def run(
    spec: Spec, arguments: dict[str, Any], root: Root, watch: Watch, options: Options | None = None
) -> Run:
    """Runs a compiled spec, of the whole pipeline or of a part of it, from start to end.

    ``arguments`` has a value for each parameter of the spec.

    Returns:
        The run; the same is in ``runs/<id>/summary.json``.

    Raises:
        StepFailed: A step failed; ``summary.json`` says so too.
        DiskError: The disk that holds the root is full.
    """
    from pipeline.local.cache import StepCache

    options = options or Options()
    checks.check_texts({"root": str(root.path.resolve())})  # It is a part of artifacts' addresses.
    with emulator.alone(root.bucket):
        run_folder.clear(root)
        recorded = arguments if options.parameters is None else options.parameters
        result = run_folder.begin(spec, recorded, root, options.earlier)
        table = Table(spec)
        result.steps = table.rows
        try:
            changed, stand_ins = localize(spec, result.id, keep_preamble=options.hermetic)
            scratch = result.directory / run_folder.SCRATCH
            with (
                emulator.started(root.bucket) as served,
                watch(list(table.rows.values())) as table.watcher,
            ):
                environment = step_environment(served.host, scratch, root, result.spec_digest)
                if options.use_cache and not options.hermetic:
                    environment[PREDICTIONS] = str(root.predictions.resolve())
                cache = StepCache(root.cache.resolve(), served.checksums, answers=options.use_cache)
                execution = Execution(
                    table=table,
                    run_directory=result.directory,
                    cache=None if options.earlier else cache,
                    scratch=scratch,
                    environment=environment,
                    hermetic=options.hermetic,
                    stand_ins=stand_ins,
                )
                execution.run(changed, arguments)
            result.state = "done"
        except (KeyboardInterrupt, SystemExit):  # The second: nobody reads what it prints.
            result.state = "interrupted"
            raise
        except BaseException as error:
            result.state, result.error = "failed", str(error)
            raise
        finally:
            run_folder.end(result)
            options.ended(result)
    return result


def step_environment(host: str, scratch: Path, root: Root, spec_digest: str) -> dict[str, str]:
    """The environment of a run's steps; ``host`` is the bucket's ``STORAGE_EMULATOR_HOST``."""
    inherited = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    return inherited | {
        **direct_loopback(inherited),
        "STORAGE_EMULATOR_HOST": host,
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(scratch),
        "FASHION_MNIST_DATA": str(PROJECT / "data"),
        "FASHION_MNIST_PROGRESS": "1",
        "FASHION_MNIST_REGISTRY": str(root.registry.resolve()),
        "FASHION_MNIST_SPEC_DIGEST": spec_digest,
    }


@contextlib.contextmanager
def bucket(root: Path | None = None) -> Iterator[str]:
    """Serves the local bucket while the block runs, for notebooks and tests.

    Yields:
        The bucket's URI; the variables that lead a client to it are set while the block runs.
    """
    before = dict(os.environ)
    with emulator.serve(Root(root or default_root()).bucket) as host:
        os.environ.update(direct_loopback(before), STORAGE_EMULATOR_HOST=host)
        try:
            yield BUCKET_URI
        finally:
            os.environ.clear()
            os.environ.update(before)


def committed_spec(replicas: int | None, root: Root) -> Path:
    """The compiled pipeline, or the one that trains on several machines.

    A spec for another number of machines than the committed one's is written to the root.
    """
    if replicas is None:
        return DEFAULT_SPEC
    if replicas == compiler.DISTRIBUTED.replicas:
        return COMPILED / compiler.DISTRIBUTED_PIPELINE
    path = root.path / f"pipeline-{replicas}-replicas.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write(path, compiler.build_distributed(Machine(replicas=replicas)))
    return path


def checked_arguments(
    spec: Spec, given: Mapping[str, Any], preset: str | None = None, root: Root | None = None
) -> dict[str, Any]:
    """A checked value for each parameter of a spec that runs here; see ``parameters.resolve``.

    Raises:
        UsageError: Also where a value names a bucket, a directory, a model or a version that is
            not on this machine.
    """
    uri = given.get("bucket_uri", BUCKET_URI)
    if isinstance(uri, str) and not f"{uri}/".startswith(f"{BUCKET_URI}/"):
        raise UsageError(
            f"bucket_uri={uri}: a run on this machine has only its own bucket, {BUCKET_URI}; leave "
            "bucket_uri out, or run on Vertex AI (submit --bucket)"
        )
    arguments = parameters.resolve(spec, given, preset=preset, own=own_parameters())
    reads_source = has_all_steps(spec) or spec["pipelineInfo"]["name"] == "ingest"
    if reads_source and arguments.get("source"):
        arguments["source"] = check_source(arguments["source"])
    if has_all_steps(spec) and TRACKING not in arguments:
        _check_champion(Registry((root or Root(default_root())).registry), arguments)
    return arguments


def _check_champion(registry: Registry, arguments: Mapping[str, Any]) -> None:
    """Refuses a name that no model can have here, and an alias that the model's versions lack."""
    name, alias = arguments.get("model_name"), arguments.get("champion_alias", NO_ALIAS)
    try:
        if name and registry.versions(name) and alias != NO_ALIAS:
            _check_classes(registry.resolve(name, alias), arguments.get("dataset"))
    except RegistryError as error:
        raise UsageError(str(error)) from error


def _check_classes(champion: Version, dataset: Mapping[str, Any] | None) -> None:
    """Refuses, before a training, what the evaluation would: a champion of other data."""
    if not dataset or not (champion.path / NAME).is_file():
        return
    own, other = Description.of(dataset), Description.read(champion.path)
    if (own.shape, own.classes) != (other.shape, other.classes):
        differs = "size" if own.shape != other.shape else "classes"
        raise UsageError(
            f"the champion {champion.model} version {champion.number} is of data with another "
            f"{differs} ({other.name}): give -p model_name=NAME to begin another model, or "
            "-p champion_alias=none"
        )


def own_parameters() -> dict[str, Any]:
    """Parameters that belong to this machine and checkout."""
    return {"bucket_uri": BUCKET_URI, "git_revision": git_revision()}


def check_source(source: str) -> str:
    """The source as a step can read it from another working directory.

    Raises:
        UsageError: It is a directory that does not exist, or in a bucket that the emulator does
            not have.
    """
    if source.startswith("gs://") and not f"{source}/".startswith(f"{BUCKET_URI}/"):
        raise UsageError(
            f"source={source}: a run on this machine has only its own bucket, {BUCKET_URI}; "
            f"`gcloud storage cp {shlex.quote(source.rstrip('/') + '/*')} DIRECTORY`, and give "
            "--source DIRECTORY"
        )
    if not source or "://" in source:
        return source
    path = Path(source)
    with contextlib.suppress(RuntimeError):  # A user who does not exist.
        path = path.expanduser()
    if path.is_file():
        raise UsageError(
            f"source={printable(source)} is a file; give the directory of the four files, and "
            "unpack an archive before"
        )
    if not path.is_dir():
        raise UsageError(f"source={printable(source)}: there is no such directory")
    if _has_only_pictures(path):
        packed = command(f"pack {shlex.quote(source)} OUT")
        raise UsageError(
            f"source={printable(source)} has pictures and not IDX files: `{packed}` makes a data "
            "set of them"
        )
    return str(path.resolve())


def _has_only_pictures(folder: Path) -> bool:
    with contextlib.suppress(DataError):
        if find_file(folder, TRAIN_IMAGES) is None:
            kinds = (mimetypes.guess_type(each)[0] or "" for each in folder.rglob("*"))
            return any(kind.startswith("image/") for kind in islice(kinds, LOOKED_AT))
    return False
