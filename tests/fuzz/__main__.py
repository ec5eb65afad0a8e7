"""One input from standard input: ends with a traceback where a parser has a bug."""

import sys

from tests.fuzz.targets import TARGETS

if len(sys.argv) != 2 or sys.argv[1] not in TARGETS:
    sys.exit(f"usage: python -m tests.fuzz TARGET < input\ntargets: {', '.join(TARGETS)}")
TARGETS[sys.argv[1]](sys.stdin.buffer.read())
