import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import serving
from benchmarks.process import BenchmarkError
from benchmarks.settings import Settings
from tests.fakes.server import Handler, LoopbackServer


class Answering(Handler):
    """Answers every request with the status of its path."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(503 if self.path == "/failing/predict" else 200, {}, b"{}")


@pytest.fixture
def url() -> Iterator[str]:
    with LoopbackServer(Answering) as server:
        yield server.url


@pytest.mark.skipif(not shutil.which(serving.GENERATOR), reason="hey is missing")
def test_a_load_is_requests_a_second_and_the_slowest_twentieth(url: str, tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text("{}")
    rate, late = serving.load(url, body, 2, 0.5)
    assert rate > 10
    assert 0 < late < 0.5
    with pytest.raises(BenchmarkError, match="hey had errors"):
        serving.load(f"{url}/failing", body, 2, 0.2)


def test_without_the_load_generator_the_part_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Any] = []
    monkeypatch.setenv("PATH", str(tmp_path))
    settings = Settings(1, 1, True, tmp_path, tmp_path, said.append)
    assert serving.measure(settings) == []
    assert said == ["no server: hey is missing (apt-get install hey)"]
