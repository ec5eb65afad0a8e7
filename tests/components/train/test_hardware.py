from pathlib import Path

import pytest

from components.train.trainer import hardware, job
from components.train.trainer.outputs import Folder, Outputs
from components.train.trainer.splits import Split
from components.train.trainer.util import Hyperparameters


@pytest.mark.parametrize(
    ("flags", "fast"),
    [
        ("fpu avx2 avx512f avx512_bf16 sse", True),
        ("fpu amx_tile amx_bf16", True),
        ("fpu avx2 avx512f avx512_bf16x", False),
    ],
)
def test_bfloat16_is_taken_from_the_flags_of_the_cpu(
    flags: str, fast: bool, tmp_path: Path
) -> None:
    cpu_info = tmp_path / "cpuinfo"
    cpu_info.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t: spectre_v1\n")
    assert hardware.cpu_has_bfloat16(cpu_info) is fast


def test_an_unknown_cpu_computes_in_float32(tmp_path: Path) -> None:
    assert not hardware.cpu_has_bfloat16(tmp_path / "missing")
    (tmp_path / "arm").write_text("processor\t: 0\nFeatures\t: fp asimd\n")
    assert not hardware.cpu_has_bfloat16(tmp_path / "arm")


def test_what_was_asked_for_is_what_is_used() -> None:
    assert hardware.resolve_precision("float32") == "float32"
    assert hardware.resolve_precision("bfloat16") == "bfloat16"


@pytest.mark.parametrize(
    ("capabilities", "precision"), [([(8, 0)], "bfloat16"), ([(9, 0), (7, 5)], "float32")]
)
def test_auto_asks_the_slowest_gpu_where_there_is_one(
    capabilities: list[tuple[int, int]], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "_gpu_capabilities", lambda: capabilities)
    assert hardware.resolve_precision("auto") == precision


def test_auto_asks_the_cpu_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "_gpu_capabilities", list)
    monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda: True)
    assert hardware.resolve_precision("auto") == "bfloat16"
    monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda: False)
    assert hardware.resolve_precision("auto") == "float32"


def test_accelerators_that_are_not_there_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind: ["gpu"])
    wanted = {hardware.ACCELERATORS: "2 NVIDIA_L4"}
    with pytest.raises(hardware.AcceleratorError, match="with 2 NVIDIA_L4, and TensorFlow sees 1"):
        hardware.require_accelerators(wanted)
    hardware.require_accelerators({hardware.ACCELERATORS: "1 NVIDIA_L4"})
    hardware.require_accelerators({})


def test_a_training_that_lacks_its_accelerators_does_not_begin(
    train: Split, validation: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(hardware.ACCELERATORS, "1 NVIDIA_TESLA_T4")
    with pytest.raises(hardware.AcceleratorError, match="NVIDIA_TESLA_T4"):
        job.run(train, validation, Hyperparameters(), Outputs(Folder(tmp_path)))
    assert not list(tmp_path.iterdir())
