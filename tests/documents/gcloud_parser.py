"""Parses gcloud commands with gcloud's own parser and runs none of them.

It runs in an interpreter of its own, since gcloud brings other versions of its libraries: the
folder of gcloud is its argument, a JSON list of commands its input, and one of errors its output,
each empty where the command is right.
"""

import contextlib
import io
import json
import sys

if __name__ == "__main__":
    root = sys.argv[1]
    sys.path[:0] = [f"{root}/lib", f"{root}/lib/third_party"]
    from googlecloudsdk import gcloud_main

    cli = gcloud_main.CreateCLI([])
    parser = cli._TopElement()._parser
    errors = []
    for words in json.load(sys.stdin):
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            try:
                parser.parse_args(words)
            except SystemExit:
                errors.append(said.getvalue().strip() or "refused")
            else:
                errors.append("")
    json.dump(errors, sys.stdout)
