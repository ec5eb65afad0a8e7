import sys

import pytest

from benchmarks.process import BenchmarkError, run

MEBIBYTE = 2**20


MEASURE = """
import sys
from benchmarks.process import run
small = run([sys.executable, "-c", "pass"])
large = run([sys.executable, "-c", "import time; x = bytes(2**8) * 2**20; time.sleep(0.5)"])
print([large.seconds - small.seconds, large.peak - small.peak])
"""


def test_time_and_peak_memory_are_those_of_the_process() -> None:
    # From a small process: a child's peak begins with what its parent holds.
    seconds, peak = run([sys.executable, "-c", MEASURE]).result
    assert seconds > 0.4
    assert 250 * MEBIBYTE < peak < 300 * MEBIBYTE


def test_a_failure_is_an_error_with_the_last_lines() -> None:
    with pytest.raises(BenchmarkError, match=r"ended with 3:\nits own words"):
        run([sys.executable, "-c", "print('its own words'); raise SystemExit(3)"])
