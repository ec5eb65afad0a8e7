"""Starts a step whose code came as an artifact; see ``pipeline.specs.shared_code``.

It needs nothing but Python: the step's packages are not installed yet.
"""

import base64
import io
import json
import os
import tarfile


def start(files: dict[str, str], label: str, *arguments: str) -> None:
    """Becomes the command that KFP wrote for a step, with the step's own files in it.

    Args:
        files: The content of the artifact: text by name.
        label: The step's executor.
        arguments: The command's own.
    """
    step = json.loads(files["steps.json"])[label]
    own = {name: files[f"files/{name}"] for name in step["files"]}
    *before, after = files[f"steps/{label}.py"].partition("ARCHIVE_B64 = '")
    command = [*step["command"], "".join([*before, packed(own), after])]
    os.execvp(command[0], [*command, *map(without_code, arguments)])  # noqa: S606


def packed(files: dict[str, str]) -> str:
    """The embedded archive of files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            info, content = tarfile.TarInfo(name), text.encode()
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return base64.b64encode(buffer.getvalue()).decode()


def without_code(argument: str) -> str:
    """The executor input without the artifact that the step's function does not know."""
    if not argument.startswith("{"):
        return argument
    given = json.loads(argument)
    del given["inputs"]["artifacts"]["code"]
    return json.dumps(given)
