"""What this machine has: accelerators, and bfloat16 in hardware."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from components.dataset.errors import StepError

CPU_INFO: Final = Path("/proc/cpuinfo")
BFLOAT16_FLAGS: Final = frozenset({"avx512_bf16", "amx_bf16"})
"""Without one of them a CPU emulates bfloat16, slower than float32."""
LIMIT: Final = "ONEDNN_MAX_CPU_ISA"
"""oneDNN's variable that limits the instructions it uses: with AVX2 there, it emulates bfloat16."""
AMPERE: Final = (8, 0)
"""The first compute capability of NVIDIA GPUs with bfloat16."""
ACCELERATORS: Final = "FASHION_MNIST_ACCELERATORS"
"""The variable with the accelerators that were requested for this machine, as ``2 NVIDIA_L4``."""


class AcceleratorError(StepError):
    """An accelerator that was requested and is not there."""


def require_accelerators(environment: Mapping[str, str] = os.environ) -> None:
    """Checks that TensorFlow sees the accelerators that were requested for this machine.

    Without the check it would train on the CPU, with the accelerators paid for.

    Raises:
        AcceleratorError: It sees fewer.
    """
    import tensorflow as tf

    wanted = environment.get(ACCELERATORS) or "0"
    found = len(tf.config.list_physical_devices("GPU"))
    if found < int(wanted.partition(" ")[0]):
        raise AcceleratorError(
            f"{wanted} were requested for this machine, and TensorFlow sees {found} GPUs; check "
            "the machine type, the driver in the image and the packages (tensorflow[and-cuda]), "
            "or request no accelerator"
        )


def resolve_precision(wanted: str) -> str:
    """``bfloat16`` or ``float32``: as wanted, or for ``auto`` what is faster here.

    Initializes TensorFlow's devices.
    """
    if wanted != "auto":
        return wanted
    import tensorflow as tf

    gpus = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
    capabilities = [tuple(gpu.get("compute_capability", (0, 0))) for gpu in gpus]
    fast = min(capabilities) >= AMPERE if capabilities else cpu_has_bfloat16()
    return "bfloat16" if fast else "float32"


def cpu_has_bfloat16(cpu_info: Path = CPU_INFO) -> bool:
    """Whether the CPU multiplies bfloat16 matrices in hardware, according to Linux and oneDNN."""
    limit = os.environ.get(LIMIT, "").upper()
    limited = re.fullmatch("SSE41|AVX2?|AVX2_VNNI(_2)?|AVX512_CORE(_VNNI)?", limit)
    if limited or not cpu_info.is_file():
        return False
    flags = [line for line in cpu_info.read_text().splitlines() if line.startswith("flags")]
    return bool(flags) and not BFLOAT16_FLAGS.isdisjoint(flags[0].split())
