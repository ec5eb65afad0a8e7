"""The commands that follow, list and stop runs on Kubeflow."""

import contextlib
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.console import console, print_json, print_list, say, say_aside, waiting
from pipeline.cli.kubeflow_options import CaCert, CookieFile, Host, Namespace, TokenFile
from pipeline.cli.options import WHERE, AsJson, Count, Every, RequireUpload, option
from pipeline.errors import GateRefused
from pipeline.text import command, duration

if TYPE_CHECKING:
    from pipeline.kubeflow.target import Target

RunReference = Annotated[
    str, typer.Argument(metavar="RUN", help="The run's name, its id, or its page.")
]


def watch(
    run: RunReference,
    host: Host = None,
    namespace: Namespace = None,
    token_file: TokenFile = None,
    cookie_file: CookieFile = None,
    ca_cert: CaCert = None,
    every: Every = 5.0,
    require_upload: RequireUpload = False,
    as_json: AsJson = False,
) -> None:
    """Follow a run until it ends; Ctrl-C leaves it running.

    Examples:
        kubeflow watch fashion-mnist-20261123-153000-ab12  # its steps until it ends
        kubeflow watch fashion-mnist-20261123-153000-ab12 --json  # its result, for a program
    """
    target, run_id = _found(run, host, namespace, token_file, cookie_file, ca_cert)
    follow(target, run_id, every, require_upload=require_upload, as_json=as_json)


def runs(
    host: Host = None,
    namespace: Namespace = None,
    experiment: Annotated[str | None, option("Those of an experiment alone.", panel=WHERE)] = None,
    token_file: TokenFile = None,
    cookie_file: CookieFile = None,
    ca_cert: CaCert = None,
    count: Count = 20,
    as_json: AsJson = False,
) -> None:
    """List the newest runs.

    Examples:
        kubeflow runs  # the newest 20
        kubeflow runs --experiment fashion-mnist --count 5 --json  # for a program
    """
    from pipeline.kubeflow import run as all_runs
    from pipeline.kubeflow.target import resolve

    target = resolve(host, namespace, token_file, cookie_file, ca_cert)
    with asking(target):
        found = all_runs.newest(target, count, experiment)
    rows = [
        (
            run.display_name,
            all_runs.state(run),
            f"{run.created_at:%Y-%m-%d %H:%M}",
            duration(all_runs.seconds(run.created_at, run.finished_at)),
            run.run_id,
        )
        for run in found
    ]
    print_list(
        as_json,
        [all_runs.as_json(run, target) for run in found],
        ("Run", "State", "Created", "Time", "Id"),
        rows,
        nothing=f"no runs ({target}): `{command(f'kubeflow submit {target.flags}')}` makes one",
    )


def cancel(
    run: RunReference,
    host: Host = None,
    namespace: Namespace = None,
    token_file: TokenFile = None,
    cookie_file: CookieFile = None,
    ca_cert: CaCert = None,
    as_json: AsJson = False,
) -> None:
    """Stop a run; finished steps stay in the cache.

    Examples:
        kubeflow cancel fashion-mnist-20261123-153000-ab12  # stops its running steps
        kubeflow cancel fashion-mnist-20261123-153000-ab12 --json  # and the run for a program
    """
    from pipeline.kubeflow import run as all_runs

    target, run_id = _found(run, host, namespace, token_file, cookie_file, ca_cert)
    with asking(target):
        before = all_runs.cancel(target, run_id)
    name, ended = before.display_name, before.state in all_runs.ENDED
    if as_json:
        print_json(all_runs.as_json(before, target) | ({} if ended else {"state": "cancelling"}))
    elif ended:
        say(f"{name} had ended already: {all_runs.state(before)}")
    else:
        again = all_runs.watch_command(target, name)
        say(f"{name} is being cancelled; `{again}` shows its end")


def follow(
    target: "Target", run_id: str, every: float, *, require_upload: bool, as_json: bool
) -> None:
    """Shows a run until it ends, and ends as it did; Ctrl-C leaves the run running."""
    from pipeline.cli.watchers import show_result, stopped_by_signals, watch_on
    from pipeline.kubeflow import follow as following
    from pipeline.kubeflow import run as all_runs

    stopped = (
        f"you stopped watching; {run_id} is still running: "
        f"`{all_runs.watch_command(target, run_id)}` follows it again, "
        f"`{command(f'kubeflow cancel {run_id} {target.flags}')}` stops it"
    )
    watch = watch_on(sys.stderr if as_json else sys.stdout)
    with stopped_by_signals(stopped):
        run, record = following.follow(target, run_id, watch, say_aside if as_json else say, every)
    values, uploaded = all_runs.as_json(run, target), following.uploaded(record)
    if as_json:
        print_json(
            {
                **values,
                "uploaded": uploaded,
                "steps": [task.as_json() for task in record.steps.values()],
            }
        )
    following.check(run, target, record)
    if not as_json:
        show_result(record, console(), {**_model(record, uploaded), "Page": values["page"]})
    if require_upload and not uploaded:
        raise GateRefused("no version was uploaded, and --require-upload was given")


def _model(record: Any, uploaded: bool) -> dict[str, str]:
    """Where the model is; the API does not give the figures of the steps."""
    tracking = record.parameters.get("tracking_uri")
    if not uploaded:
        return {"Model": "not uploaded: the gate refused it; the report on the page says why"}
    if tracking:
        return {"Model": f"a new version of {record.model_name} in MLflow: {tracking}"}
    return {"Model": "an artifact of the step Upload, without a registry"}


def asking(target: "Target") -> contextlib.AbstractContextManager[None]:
    """Shows what the block is waiting for."""
    return waiting(f"asking Kubeflow Pipelines ({target})")


def _found(reference: str, *connection: Any) -> "tuple[Target, str]":
    """The target and the id of a run; the address of its page names its host."""
    from pipeline.kubeflow import run as all_runs
    from pipeline.kubeflow.target import resolve

    target = resolve(*connection, of_page=all_runs.address_in(reference)[0])
    with asking(target):
        return target, all_runs.identify(target, reference)
