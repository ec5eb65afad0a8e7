"""No input crashes a parser, and none takes more memory than the file is worth."""

import contextlib
import re
import resource
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.photos.decoding import FREE_PIXELS, MAX_PIXELS, PIXELS_PER_BYTE, PhotoError
from pipeline.photos.preparation import seen_by_network
from tests.fuzz.inputs import INPUTS, WORST
from tests.fuzz.targets import STREAMED, TARGETS
from tests.soak import FUZZ_EXAMPLES, SHORT_FUZZ_EXAMPLES

SLOW = {"trainer-records": 100}
"""By how much fewer inputs a target gets that is so much slower."""
CONSTANT = 1_000_000
"""Bytes that a streaming parser may take for itself."""
BYTES_PER_PIXEL = 16
"""What reading a photo may take."""
PREPARATION = 32 << 20
"""What may be taken for what a photo is reduced to, and for codecs and their threads."""
LONG = [pytest.mark.soak, pytest.mark.timeout(7200)]
PARAMETERS = [
    pytest.param(SHORT_FUZZ_EXAMPLES, id="short"),
    pytest.param(FUZZ_EXAMPLES, id="long", marks=LONG),
]
WATCHED = [
    pytest.param(SHORT_FUZZ_EXAMPLES, id="short"),
    pytest.param(max(FUZZ_EXAMPLES // 10, 1), id="long", marks=LONG),
]
"""A tenth of them where each allocation is looked at, which takes five times as long."""


def examples(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=count == SHORT_FUZZ_EXAMPLES,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("count", PARAMETERS)
@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_a_documented_error_comes_out(name: str, count: int) -> None:
    @examples(max(count // SLOW.get(name, 1), 10))
    @given(INPUTS[name])
    def feed(content: bytes) -> None:
        TARGETS[name](content)

    feed()


@pytest.mark.parametrize("content", WORST, ids=range(len(WORST)))
def test_the_worst_inputs_are_errors_too(content: bytes) -> None:
    for name, target in TARGETS.items():
        if name not in SLOW:
            target(content)


@pytest.mark.parametrize("count", WATCHED)
@pytest.mark.parametrize("name", STREAMED)
def test_memory_is_bounded_by_the_file_and_not_by_what_it_promises(name: str, count: int) -> None:
    @examples(count)
    @given(INPUTS[name])
    def feed(content: bytes) -> None:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        TARGETS[name](content)
        peak = tracemalloc.get_traced_memory()[1] - before
        assert peak < CONSTANT + 2 * len(content)

    tracemalloc.start()
    try:
        feed()
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("count", WATCHED)
def test_a_photo_takes_no_more_memory_than_pixels_of_it_are_allowed(count: int) -> None:
    @examples(count)
    @given(INPUTS["photo"])
    def feed(content: bytes) -> None:
        pixels = min(MAX_PIXELS, max(FREE_PIXELS, PIXELS_PER_BYTE * len(content)))
        with at_most(PREPARATION + BYTES_PER_PIXEL * pixels):
            said = answer(content)
        # Where memory ends, a decoder may say something else instead.
        assert said == answer(content)

    feed()


def answer(content: bytes) -> bytes | str:
    try:
        return seen_by_network(content).tobytes()
    except PhotoError as error:
        return str(error)


@contextlib.contextmanager
def at_most(size: int) -> Iterator[None]:
    """Lets this process allocate no more than so many bytes, whatever library asks for them."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    status = Path("/proc/self/status").read_text()
    used = int(re.findall(r"VmData:\s+(\d+) kB", status)[0]) << 10
    resource.setrlimit(resource.RLIMIT_DATA, (used + size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def test_every_target_has_its_inputs() -> None:
    assert INPUTS.keys() == TARGETS.keys()
    assert all(isinstance(inputs, st.SearchStrategy) for inputs in INPUTS.values())


@pytest.mark.parametrize(("content", "code"), [(b"junk", 0), (b"", 0)])
def test_a_fuzzer_can_give_an_input_to_a_process(content: bytes, code: int) -> None:
    command = [sys.executable, "-m", "tests.fuzz", "manifest"]
    assert subprocess.run(command, input=content, check=False).returncode == code
