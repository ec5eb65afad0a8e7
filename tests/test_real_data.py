"""One run on the real FashionMNIST, with few steps."""

from pathlib import Path

import pytest

from components.dataset.facts import DIGESTS
from tests.command import fashion_mnist, summary, versions


@pytest.mark.real_data
def test_the_real_data_goes_from_its_source_to_the_registry(tmp_path: Path) -> None:
    root = tmp_path / "root"
    done = fashion_mnist(
        *("run", "--root", str(root), "-p", "train_steps=40", "-p", "min_accuracy=0.5"),
        *("-p", "filters=[16, 32]"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert versions(root) == ["1"]
    steps = {step["name"]: step for step in summary(root)["steps"]}
    raw = steps["ingest"]["outputs"]["raw"]["metadata"]
    assert raw["digests"] == DIGESTS
    assert raw["verified"] is True
    assert steps["decode"]["figure"] == "55,000 + 5,000 + 10,000 records"
    assert summary(root)["metrics"]["accuracy"] > 0.5
