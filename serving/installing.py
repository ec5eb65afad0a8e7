"""Lets an image of Python 3.10 serve: installs what the server needs, then starts it.

It needs the standard library alone. The image's own packages stay as they are and are not used.
Until the server starts, the port answers 503, since Vertex AI restarts a container whose port
stays closed.
"""

import os
import pkgutil
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, NoReturn

PINS: Final = "python310.txt"
INSTALL: Final = (
    *("-m", "pip", "install", "--require-hashes", "--no-deps", "--only-binary", ":all:"),
    *("--no-cache-dir", "--no-compile", "--disable-pip-version-check", "--progress-bar", "off"),
)


class Waiting(BaseHTTPRequestHandler):
    """Answers every request with 503."""

    def do_GET(self) -> None:
        """Says that nothing can be answered yet."""
        self.send_error(503, "the server is being installed")

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        """Leaves no line in the log."""


def main() -> NoReturn:
    """Installs the packages and replaces this process by the server."""
    folder = tempfile.mkdtemp(prefix="packages-")
    port = int(os.environ.get("AIP_HTTP_PORT") or 8080)
    with ThreadingHTTPServer(("0.0.0.0", port), Waiting) as waiting:  # noqa: S104 - a container
        threading.Thread(target=waiting.serve_forever, daemon=True).start()
        pins = Path(folder, PINS)
        pins.write_bytes(pkgutil.get_data("serving", PINS) or b"")
        command = (sys.executable, *INSTALL, "--target", folder, "--requirement", str(pins))
        if code := subprocess.run(command, check=False).returncode:  # noqa: S603
            sys.exit(code)
        waiting.shutdown()
    # Without -S the image's packages would be found too.
    os.execve(  # noqa: S606
        sys.executable,
        [sys.executable, "-S", "-m", "serving"],
        {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((sys.path[0], folder)),
            "SERVING_HOST": "0.0.0.0",  # noqa: S104
        },
    )


if __name__ == "__main__":
    main()
