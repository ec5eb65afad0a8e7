"""The command that lists the runs on this machine."""

import datetime
from typing import Annotated

import typer

from pipeline.cli.console import AsJson, next_steps, print_json, print_table, say
from pipeline.cli.options import ROOT, RootFolder, root_option
from pipeline.program import command


def runs(
    root: RootFolder = ROOT,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the runs on this machine, the newest first."""
    from pipeline.duration import age, duration
    from pipeline.runs.finding import listed
    from pipeline.runs.root import Root

    found = listed(Root(root))[:count]
    if as_json:
        print_json([run.as_line() for run in found])
        return
    if not found:
        say(f"no runs in {root}: `{command('run')}` makes one")
        return
    now = datetime.datetime.now(tz=datetime.UTC)
    rows = [
        (
            run.id,
            age((now - run.started).total_seconds()) if run.started else "",
            run.state,
            "" if run.accuracy is None else f"{run.accuracy:.4f}",
            run.version,
            duration(run.seconds) if run.seconds else "",
        )
        for run in found
    ]
    print_table(("Run", "Age", "State", "Accuracy", "Version", "Time"), rows, whole="Run")
    next_steps({command(f"predict --run RUN PHOTO{root_option(root)}"): "asks its model"})
