from pathlib import Path
from types import SimpleNamespace

import pytest
import tensorflow as tf

from components.train.trainer import hardware


@pytest.mark.parametrize(
    ("content", "fast"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx2 avx512_bf16 sse\nbugs\t: spectre_v1\n", True),
        ("flags\t\t: fpu amx_tile amx_bf16\n", True),
        ("flags\t\t: fpu avx2 avx512f avx512_bf16x\n", False),
        ("processor\t: 0\nFeatures\t: fp asimd\n", False),
        (None, False),
    ],
)
def test_bfloat16_is_in_the_flags_of_the_cpu(
    content: str | None, fast: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(hardware.LIMIT, raising=False)
    if content:
        (tmp_path / "cpuinfo").write_text(content)
    assert hardware.cpu_has_bfloat16(tmp_path / "cpuinfo") is fast


@pytest.mark.parametrize(
    ("limit", "fast"),
    [
        ("AVX2", False),
        ("avx2_vnni", False),
        ("AVX512_CORE", False),
        ("AVX512_CORE_BF16", True),
        ("DEFAULT", True),
    ],
)
def test_a_library_that_may_not_use_them_has_no_bfloat16(
    limit: str, fast: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(hardware.LIMIT, limit)
    (tmp_path / "cpuinfo").write_text("flags : avx512_bf16\n")
    assert hardware.cpu_has_bfloat16(tmp_path / "cpuinfo") is fast


@pytest.mark.parametrize(
    ("capabilities", "cpu", "precision"),
    [
        ([(8, 0)], False, "bfloat16"),
        ([(9, 0), (7, 5)], True, "float32"),
        ([], True, "bfloat16"),
        ([], False, "float32"),
    ],
)
def test_auto_is_what_the_slowest_gpu_or_the_cpu_computes_in_hardware(
    capabilities: list[tuple[int, int]], cpu: bool, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind: capabilities)
    details = {"get_device_details": lambda gpu: {"compute_capability": gpu}}
    monkeypatch.setattr(tf.config, "experimental", SimpleNamespace(**details))
    monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda: cpu)
    assert hardware.resolve_precision("auto") == precision
    assert hardware.resolve_precision("float32") == "float32"


def test_accelerators_that_are_not_there_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind: ["gpu"])
    wanted = {hardware.ACCELERATORS: "2 NVIDIA_L4"}
    with pytest.raises(hardware.AcceleratorError, match=r"2 NVIDIA_L4 were requested .* sees 1"):
        hardware.require_accelerators(wanted)
    hardware.require_accelerators({hardware.ACCELERATORS: "1 NVIDIA_L4"})
    hardware.require_accelerators({})
