"""Runs the compiled pipeline on this machine, with stand-ins at the far end of each wire."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from components.train.trainer.outputs import FINISHED
from pipeline import compiler
from pipeline import files as durable
from pipeline.compiler import COMPILED, PIPELINE, PROJECT
from pipeline.errors import UsageError
from pipeline.local import emulator, run_folder
from pipeline.local.execution import Workplace, execute
from pipeline.local.localization import localize
from pipeline.runs.record import Run, Task, Watcher
from pipeline.runs.root import DEFAULT_ROOT, Root
from pipeline.runs.table import Table
from pipeline.specs import spec as specs
from pipeline.specs.machine import Machine
from pipeline.specs.parameters import check_address
from pipeline.specs.spec import Spec

DEFAULT_SPEC: Final = COMPILED / PIPELINE
BUCKET_URI: Final = f"gs://{emulator.LOCAL_BUCKET}"

UNWANTED: Final = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""Variables that would let this environment's modules into a step's."""


@contextlib.contextmanager
def bucket(root: Path = DEFAULT_ROOT) -> Iterator[str]:
    """Serves the local bucket while the block runs, for notebooks and tests.

    Args:
        root: The folder that holds all that is local.

    Yields:
        The bucket's URI; ``STORAGE_EMULATOR_HOST`` is set while the block runs.
    """
    before = os.environ.get("STORAGE_EMULATOR_HOST")
    with emulator.serve(Root(root).bucket) as host:
        os.environ["STORAGE_EMULATOR_HOST"] = host
        try:
            yield BUCKET_URI
        finally:
            if before is None:
                del os.environ["STORAGE_EMULATOR_HOST"]
            else:
                os.environ["STORAGE_EMULATOR_HOST"] = before


def run(
    spec_path: Path,
    parameters: dict[str, Any],
    root: Root,
    watch: Callable[[list[Task]], contextlib.AbstractContextManager[Watcher]],
    *,
    ended: Callable[[Run], object] = lambda run: None,
    use_cache: bool = True,
    hermetic: bool = False,
) -> Run:
    """Runs a compiled pipeline from start to end.

    Args:
        spec_path: The compiled YAML.
        parameters: A value for each parameter of the pipeline.
        root: The folder that holds all that is local.
        watch: Opens what is told of the run while it lasts.
        ended: Is given the run at its end, also at a bad one.
        use_cache: Answer a step from an earlier run when nothing it depends on has changed.
        hermetic: Run each step in a fresh environment that holds nothing but its own pins.

    Returns:
        What came out; the same is in ``runs/<id>/summary.json``.

    Raises:
        StepFailed: A step failed; ``summary.json`` says so too.
    """
    return carry_out(
        specs.load(spec_path),
        parameters,
        root,
        watch,
        ended=ended,
        use_cache=use_cache,
        hermetic=hermetic,
    )


def carry_out(
    committed: Spec,
    arguments: dict[str, Any],
    root: Root,
    watch: Callable[[list[Task]], contextlib.AbstractContextManager[Watcher]],
    *,
    kept: dict[str, Any] | None = None,
    earlier: str = "",
    ended: Callable[[Run], object] = lambda run: None,
    use_cache: bool = True,
    hermetic: bool = False,
) -> Run:
    """Runs a spec, of the whole pipeline or of a part of it; see ``run``.

    Args:
        committed: The compiled spec.
        arguments: A value for each parameter of the spec.
        root: The folder that holds all that is local.
        watch: Opens what is told of the run while it lasts.
        kept: The pipeline's parameters, to be kept with the run; None: ``arguments``.
        earlier: Id of the run whose outputs the steps read, which leave the cache as it is; empty:
            they read nothing but their own.
        ended: See ``run``.
        use_cache: Answer a step from an earlier run when nothing it depends on has changed.
        hermetic: Run each step in a fresh environment that holds nothing but its own pins.

    Raises:
        StepFailed: A step failed; ``summary.json`` says so too.
    """
    from pipeline.local.cache import StepCache

    with emulator.alone(root.bucket):
        run_folder.clear(root)
        parameters = arguments if kept is None else kept
        result = run_folder.begin(committed, parameters, root.runs, earlier)
        table = Table(committed)
        result.steps = table.rows
        try:
            spec, at_home = localize(committed, result.id, keep_preamble=hermetic)
            scratch = result.directory / run_folder.SCRATCH
            with emulator.started(root.bucket) as bucket:
                cache = None
                if not earlier:
                    cache = StepCache(root.cache.resolve(), bucket.checksums, answers=use_cache)
                place = Workplace(
                    run_directory=result.directory,
                    cache=cache,
                    scratch=scratch,
                    environment=_environment(bucket.host, scratch, root, result.spec_digest),
                    hermetic=hermetic,
                    at_home=at_home,
                )
                with watch(list(result.steps.values())) as table.watcher:
                    execute(spec, arguments, table, place)
                _remove_finished(bucket)
            result.state = "done"
        except KeyboardInterrupt:
            result.state = "interrupted"
            raise
        except BaseException as error:
            result.state, result.error = "failed", str(error)
            raise
        finally:
            run_folder.end(result)
            ended(result)
    return result


def committed_spec(replicas: int | None, root: Root) -> Path:
    """The compiled pipeline, or the one that trains on so many machines.

    Args:
        replicas: How many; None: train in a step's own container.
        root: Where a spec for another number than the committed one's is written.
    """
    if replicas is None:
        return DEFAULT_SPEC
    if replicas == compiler.DISTRIBUTED.replicas:
        return COMPILED / compiler.DISTRIBUTED_PIPELINE
    path = root.path / f"pipeline-{replicas}-replicas.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.write(path, compiler.build_distributed(Machine(replicas=replicas)))
    return path


def check_source(source: str) -> str:
    """The source as a step can read it from another working directory.

    Raises:
        UsageError: It is meant as a directory of this machine and there is none, it is an address
            with credentials, or in a bucket that the emulator does not have.
    """
    check_address(source)
    if source.startswith("gs://") and not f"{source}/".startswith(f"{BUCKET_URI}/"):
        raise UsageError(
            f"source={source}: a run on this machine has no bucket but its own, {BUCKET_URI}; "
            f"`gcloud storage cp '{source.rstrip('/')}/*.gz' DIRECTORY`, and give --source "
            "DIRECTORY"
        )
    if not source or "://" in source:
        return source
    path = Path(source)
    with contextlib.suppress(RuntimeError):  # A user who does not exist.
        path = path.expanduser()
    if not path.is_dir():
        raise UsageError(f"source={source}: there is no such directory")
    return str(path.resolve())


def _remove_finished(bucket: emulator.Emulator) -> None:
    """Removes the checkpoints of trainings that are done, once what they came to is recorded."""
    for name in bucket.checksums(BUCKET_URI):
        if name.endswith(f"/{FINISHED}"):
            bucket.remove(f"{BUCKET_URI}/{name.removesuffix(f'/{FINISHED}')}")


def _environment(host: str, scratch: Path, root: Root, digest: str) -> Mapping[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    no_proxy = ",".join(filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1")))
    return inherited | {
        "STORAGE_EMULATOR_HOST": host,
        "NO_PROXY": no_proxy,
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(scratch),
        "FASHION_MNIST_DATA": str(PROJECT / "data"),
        "FASHION_MNIST_PROGRESS": "1",
        "FASHION_MNIST_REGISTRY": str(root.registry.resolve()),
        "FASHION_MNIST_SPEC_DIGEST": digest,
    }
