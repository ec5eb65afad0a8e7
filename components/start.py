"""Starts a step whose code came as an artifact; see ``pipeline.specs.shared_code``.

It needs nothing but Python: the step's packages are not installed yet.
"""

import base64
import io
import json
import os
import sys
import tarfile
from pathlib import Path


def main(code: Path, label: str, *arguments: str) -> None:
    """Becomes the command that KFP wrote for a step, with the step's own files in it.

    Args:
        code: The folder of the unpacked artifact.
        label: The step's executor.
        arguments: Those of the command.
    """
    step = json.loads((code / "steps.json").read_text())[label]
    module = (code / "steps" / f"{label}.py").read_text()
    *before, after = module.partition("ARCHIVE_B64 = '")
    command = [*step["command"], "".join([*before, packed(code / "files", step["files"]), after])]
    os.execvp(command[0], [*command, *map(without_code, arguments)])  # noqa: S606


def packed(folder: Path, names: list[str]) -> str:
    """The embedded archive of some of a folder's files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in names:
            tar.add(folder / name, name)
    return base64.b64encode(buffer.getvalue()).decode()


def without_code(argument: str) -> str:
    """The executor input without the artifact that the step's function does not know."""
    if not argument.startswith("{"):
        return argument
    given = json.loads(argument)
    del given["inputs"]["artifacts"]["code"]
    return json.dumps(given)


if __name__ == "__main__":
    main(Path(__file__).parent, *sys.argv[1:])
