"""The commands that take a version to an endpoint on Vertex AI and away again."""

import contextlib
import shlex
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.console import (
    Output,
    is_plain,
    next_steps,
    print_json,
    say,
    say_aside,
    styled,
    waiting,
)
from pipeline.cli.options import WHERE, AsJson, Every, Project, Region, option
from pipeline.errors import UsageError
from pipeline.specs.machine import MACHINE_TYPE
from pipeline.text import command

if TYPE_CHECKING:
    from pipeline.vertex.plan import Plan
    from pipeline.vertex.target import Target

MACHINES: Final = "What it runs on"

EndpointName = Annotated[
    str | None,
    option("Name or number of the endpoint; else the model's name.", "--endpoint", panel=WHERE),
]


def deploy(
    version: Annotated[
        str | None,
        typer.Argument(
            help="Number or alias in the Model Registry, NAME@VERSION, or a full name; "
            "else `default`.",
            show_default=False,
        ),
    ] = None,
    endpoint: EndpointName = None,
    project: Project = None,
    region: Region = None,
    machine_type: Annotated[
        str | None,
        option(
            "Machine type, such as e2-standard-2; default: n1-standard-2.",
            panel=MACHINES,
            show_default=False,
        ),
    ] = None,
    min_replicas: Annotated[
        int | None, option("Machines that always run; else 1.", panel=MACHINES, min=1)
    ] = None,
    max_replicas: Annotated[
        int | None,
        option("Most machines under load; default: the minimum.", panel=MACHINES, min=1),
    ] = None,
    keep: Annotated[
        bool, option("Leave earlier versions deployed, without traffic.", "--keep")
    ] = False,
    dry_run: Annotated[
        bool, option("Print what would be sent, and change nothing.", "--dry-run")
    ] = False,
    every: Every = 5.0,
    as_json: AsJson = False,
) -> None:
    """Serve a registered version on an endpoint of Vertex AI.

    The endpoint is made if it is missing. The traffic moves when the version answers; then the
    earlier versions are undeployed. It costs money until `undeploy`. Ctrl-C leaves the deployment
    running; the same command follows it again.

    Examples:
        deploy --dry-run  # what it costs, and what would be sent
        deploy  # the champion, on an endpoint called as its model
        deploy 2 --keep  # version 2; the version before stays, without traffic
        deploy 3 --machine-type e2-standard-2 --max-replicas 3  # cheaper machines, more under load
    """
    from pipeline.vertex import deployment, endpoints, registered
    from pipeline.vertex import plan as plans
    from pipeline.vertex.operations import Following

    machines = _machines(machine_type, min_replicas, max_replicas)
    if endpoint is not None:
        endpoints.check_name(endpoint)
    target, name, number = registered.named(version, project, region)
    with _asking(target):
        model = registered.find(target, name, number)
        place = model.display_name if endpoint is None else endpoint
        plan = plans.plan(target, model, place, plans.Machines(*machines), keep=keep)
    note = say_aside if as_json or dry_run else say
    if plan.is_done:
        note(f"{registered.title(model)} is deployed there already and has all traffic")
    else:
        for line in _announced(plan):
            note(line)
    if dry_run:
        print_json(plans.as_requests(plan))
        return
    if not plan.is_done:
        options = (("--machine-type", "--min-replicas", "--max-replicas"), machines)
        given = [f"{word}={value}" for word, value in zip(*options, strict=True) if value]
        words = ["deploy", f"{name}@{number}", "--endpoint", place, *given, *["--keep"] * keep]
        again = command(f"{shlex.join(words)} {target.flags}")
        away = _undeploy_command(place, target)
        with _progress(again, away, as_json=as_json) as progress:
            plan = deployment.deploy(plan, Following(target, progress, every, again))
    if as_json:
        print_json(plans.as_json(plan))
    else:
        _show(plan)


def undeploy(
    endpoint: EndpointName = None,
    project: Project = None,
    region: Region = None,
    delete: Annotated[bool, option("Delete the endpoint too.", "--delete")] = False,
    every: Every = 5.0,
    as_json: AsJson = False,
) -> None:
    """Take everything away from an endpoint, so that it costs nothing.

    The endpoint stays, with its address, unless `--delete` is given. Without `--endpoint` it is
    the one called `fashion-mnist`.

    Examples:
        undeploy  # nothing is served any more, and nothing costs
        undeploy --endpoint shop --delete  # the endpoint is deleted too
    """
    from pipeline.runs.chosen_model import MODEL
    from pipeline.vertex import deployment, endpoints
    from pipeline.vertex.operations import Following
    from pipeline.vertex.plan import facts
    from pipeline.vertex.target import resolve

    place = MODEL if endpoint is None else endpoint
    endpoints.check_name(place)
    target = resolve(project, region)
    with _asking(target):
        found = endpoints.existing(target, place)
    again = _undeploy_command(place, target, *["--delete"] * delete)
    with _progress(again, again, as_json=as_json) as progress:
        following = Following(target, progress, every, again)
        gone = deployment.undeploy(found, following)
        if delete:
            deployment.delete(found, following)
    if as_json:
        undeployed = [facts(one, 0) for one in gone]
        about = {"endpoint": found.display_name, "name": found.name}
        print_json({**about, "undeployed": undeployed, "deleted": delete})
        return
    names = ", ".join(endpoints.title(one) for one in gone)
    say(f"undeployed {names}" if gone else f"nothing was deployed on the endpoint {place}")
    stays = f"the endpoint {place} stays, and costs nothing; `{again} --delete` deletes it"
    say(f"the endpoint {place} is deleted" if delete else stays)


def _machines(
    machine_type: str | None, least: int | None, most: int | None
) -> tuple[str, int, int]:
    """What was given, checked; empty or 0 where nothing was."""
    if machine_type is not None and not MACHINE_TYPE.fullmatch(machine_type):
        raise UsageError(f"--machine-type {machine_type!r}: give one as in n1-standard-2")
    if most is not None and most < (least or 1):
        raise UsageError(f"--max-replicas {most} is less than --min-replicas {least}")
    return machine_type or "", least or 0, most or 0


def _announced(plan: "Plan") -> Iterator[str]:
    """What will happen and what it costs, before anything starts."""
    from components.upload.containers import LAST_DAYS
    from pipeline.vertex import plan as plans
    from pipeline.vertex import registered

    where = "goes to the new endpoint" if plan.endpoint is None else "goes to the endpoint"
    where = "is on the endpoint" if plan.there else where
    yield f"{registered.title(plan.model)} {where} {plan.name} ({plan.target})"
    yield plans.cost(plan.request().deployed_model if plan.there is None else plan.there)
    if until := LAST_DAYS.get(image := plan.model.container_spec.image_uri):
        yield f"warning: its image {image} can be deployed until {until:%-d %B %Y}"
    if plan.others and plan.keep:
        yield f"{_listed(plan)} stays deployed without traffic, and costs as before"
    elif plan.others:
        yield f"when it answers, {_listed(plan)} is undeployed"


def _listed(plan: "Plan") -> str:
    from pipeline.vertex.endpoints import title

    return ", ".join(map(title, plan.others))


def _show(plan: "Plan") -> None:
    """Prints what an endpoint serves, what else costs, and what can be done next."""
    from pipeline.vertex import endpoints, registered
    from pipeline.vertex import plan as plans

    say(f"{registered.title(plan.model)} is served by the endpoint {plan.name}")
    say(f"{'Page':<10} {endpoints.page(plan.target, plan.endpoint)}")
    for one in (plan.there, *plan.others):
        traffic = "" if one is plan.there else " without traffic"
        say(f"{'Costs':<10} {endpoints.title(one)}{traffic}, {plans.cost(one)}")
    name = shlex.quote(plan.name)
    next_steps(
        {
            command(f"predict --endpoint {name} {plan.target.flags} PHOTO"): "asks it",
            _undeploy_command(plan.name, plan.target): "stops the costs",
        }
    )


def _undeploy_command(name: str, target: "Target", *more: str) -> str:
    words = shlex.join(["undeploy", "--endpoint", name, *more])
    return command(f"{words} {target.flags}")


def _asking(target: "Target") -> contextlib.AbstractContextManager[None]:
    return waiting(f"asking Vertex AI ({target})")


@contextlib.contextmanager
def _progress(again: str, away: str, *, as_json: bool) -> Iterator[Callable[[str], None]]:
    """What prints a line while something lasts; Ctrl-C says how it continues."""
    from pipeline.cli.watchers import stopped_by_signals

    output = Output(sys.stderr if as_json else sys.stdout, soft_wrap=True)
    spinner = "line" if is_plain(output) else "dots"
    status = output.status(styled("waiting for Vertex AI"), spinner=spinner)
    takes_away = "" if again == away else f", `{away}` takes it away"
    stopped = (
        "you stopped watching; what was started continues, and what is deployed costs money: "
        f"`{again}` follows it again{takes_away}"
    )
    with stopped_by_signals(stopped), status if output.is_terminal else contextlib.nullcontext():
        yield output.print
