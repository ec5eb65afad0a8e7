"""TensorBoard over the training runs of this machine: ``python -m pipeline.tensorboard``.

The logs are deep in the folders of the runs. Here each has a link with a name that tells what was
changed for the run, and the links are kept up to date, so that a run that trains now is shown.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from components.dataset.startup import quiet_start
from components.train.trainer.hyperparameters import Hyperparameters
from pipeline.errors import UsageError
from pipeline.runs.root import DEFAULT_ROOT, Root
from pipeline.specs.parameters import flat

LOGS: Final = "steps/train/logs"
"""Where a run's log is in its folder; a run whose training came from the cache has none."""
REFRESH_SECONDS: Final = 5.0


def link_logs(root: Root, folder: Path) -> int:
    """Makes ``folder`` hold a link to the log of each run, and nothing else.

    Returns:
        How many there are.
    """
    logs = {run_name(log.parents[2]): log.resolve() for log in root.runs.glob(f"*/{LOGS}")}
    for link in folder.iterdir():
        if link.name not in logs:
            link.unlink()
    for name, log in logs.items():
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(log, target_is_directory=True)
    return len(logs)


def run_name(directory: Path) -> str:
    """The name of a run: its id, and once it has ended the hyperparameters that it changed."""
    summary = directory / "summary.json"
    if not summary.is_file():
        return directory.name
    return " ".join([directory.name, *changed(flat(json.loads(summary.read_text())["parameters"]))])


def changed(parameters: Mapping[str, Any]) -> list[str]:
    """What differs from the trainer's defaults, as ``name=value``."""
    return [
        f"{name}={_shown(parameters[name])}"
        for name, default in {"seed": 0, **Hyperparameters().as_dict()}.items()
        if parameters.get(name, default) != default
    ]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def start(folder: Path, options: Sequence[str]) -> str:
    """Starts TensorBoard on ``folder``, in a thread of this process; returns its address."""
    with quiet_start():
        import tensorflow as tf
        from tensorboard import program

        # Its threads would be the first to call it, and to have its notes of the machine written.
        tf.config.list_physical_devices()
        board = program.TensorBoard()
        board.configure(("tensorboard", "--logdir", str(folder), *options))
        address: str = board.launch()
    return address


def main(argv: Sequence[str]) -> int:
    """Shows all runs until Ctrl-C; options that are not its own are TensorBoard's."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.tensorboard", description=__doc__)
    parser.add_argument("--root", type=Path, default=DEFAULT_ROOT, help="of all that is local")
    arguments, options = parser.parse_known_args(argv)
    root = Root(arguments.root)
    with tempfile.TemporaryDirectory(prefix="tensorboard-") as scratch:
        folder = Path(scratch)
        count = link_logs(root, folder)
        if not count:
            raise UsageError(f"{root.runs} has no run that has trained; start one with `make run`")
        address = start(folder, options)
        print(f"{count} runs at {address} (Ctrl-C ends it)", flush=True)  # noqa: T201
        try:
            while True:
                time.sleep(REFRESH_SECONDS)
                link_logs(root, folder)
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UsageError as error:
        sys.exit(f"error: {error}")
