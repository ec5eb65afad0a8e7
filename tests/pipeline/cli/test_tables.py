"""All tables of the commands, in terminals of several widths and in a pipe."""

import inspect
import json
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from pipeline.runs.registry import Registry
from tests.fakes.cloud import Cloud
from tests.fakes.kubeflow import Kubeflow
from tests.pipeline.cli.conftest import Call
from tests.pipeline.cli.test_app import COMMANDS
from tests.pipeline.kubeflow import workflows
from tests.pipeline.kubeflow.conftest import kubeflow, nothing_of_this_machine  # noqa: F401
from tests.pipeline.kubeflow.workflows import add_run as add_kubeflow_run
from tests.pipeline.local_registry import FIRST, SECOND, add_run
from tests.pipeline.recorded_version import register
from tests.pipeline.vertex.conftest import cloud  # noqa: F401
from tests.pipeline.vertex.jobs import JOB, add_job

STYLE = re.compile(r"\x1b\[[0-9;]*m")
TABLES = [
    *(
        names
        for names, one in COMMANDS.items()
        if "print_list" in inspect.unwrap(one.callback).__code__.co_names
    ),
    ("models", "--verify"),
]


@pytest.fixture(autouse=True)
def filled(
    nothing_of_this_machine: None,  # noqa: F811
    call: Call,
    cloud: Cloud,  # noqa: F811
    kubeflow: Kubeflow,  # noqa: F811
) -> None:
    """Something in every table."""
    root = Path(".fashion-mnist")
    add_run(root, FIRST, state="interrupted")
    add_run(root, SECOND)
    version = register(Registry(root / "registry"), Path("model"), run=FIRST)
    record = version.path / "version.json"
    long_ago = {**json.loads(record.read_text()), "created": "2026-01-01T00:00:00+00:00"}
    record.write_text(json.dumps(long_ago))  # Its age stays the same for some hours.
    add_job(cloud, "SUCCEEDED", JOB)
    done = call("submit", "--bucket", "my-bucket", "--schedule", "0 6 * * 1", "--max-runs", "3")
    assert done.exit_code == 0, done.stderr
    workflows.ended("SUCCEEDED")(add_kubeflow_run(kubeflow))
    done = call("kubeflow", "submit", "--schedule", "0 6 * * 1")
    assert done.exit_code == 0, done.stderr


def cells(line: str) -> list[str]:
    return re.split(" {2,}", line)


def test_the_tables_are_known() -> None:
    known = {"runs", "models", "parameters", "jobs", "schedules", "kubeflow"}
    assert {names[0] for names in TABLES} == known


@pytest.mark.parametrize("names", TABLES, ids=" ".join)
def test_no_table_cuts_what_names_a_row_or_is_copied(names: tuple[str, ...], call: Call) -> None:
    piped = call(*names).stdout.splitlines()
    assert piped == [line.rstrip() for line in piped]
    header, *rows = [cells(line) for line in piped if "  " in line]
    assert rows
    for width in (60, 80, 200):
        terminal = {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": str(width)}
        text = STYLE.sub("", call(*names, env=terminal).stdout)
        (shown,) = [cells(line) for line in text.splitlines() if line.startswith(header[0])]
        assert shown == header[: len(shown)], "the last columns are left out first"
        assert shown == header or width < 200
        squeezed = " ".join(text.split())
        for row in rows:
            assert all(cell in squeezed for cell in row[: len(shown)]), (width, row)
            assert re.search(f"^{re.escape(row[0])}(  |$)", text, re.MULTILINE), (width, row)
        wide = [line for line in text.splitlines() if cell_len(line) > width]
        assert all(len(cells(line)) == 2 for line in wide), "only a cell that is too wide itself"
