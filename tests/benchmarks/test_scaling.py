import pytest

from benchmarks.scaling import memory_growth


def test_the_memory_of_a_further_example_is_measured_where_the_buffers_are_full() -> None:
    row = memory_growth([60.0], [80.0], [80.0 + 10.0], further=2**20)
    assert row.median == pytest.approx(10.0)
    assert row.met
    assert row.detail == "peak 60 MiB once, 80 MiB 10 times, 90 MiB 20 times"


def test_more_memory_than_the_contract_allows_is_a_missed_target() -> None:
    assert not memory_growth([60.0], [80.0], [80.0 + 17.0], further=2**20).met
