"""The command ``fashion-mnist``, also ``python -m pipeline``."""

import atexit
import os
import sys

from pipeline.cli.app import app


def main() -> None:
    """Runs the command line and exits."""
    try:
        app()
    except SystemExit as ended:
        if "tensorflow" not in sys.modules or not isinstance(ended.code, int):
            raise
        # TensorFlow's own clean-up takes most of a second.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended.code)


if __name__ == "__main__":
    main()
