"""The number format that a training computes in: bfloat16 only where the processor has instructions for it."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

from emotion.core.errors import InputError

BFLOAT16 = "mixed_bfloat16"
FLOAT32 = "float32"

CPU_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""The Linux kernel's names for bfloat16 instructions: on x86 the first two, on ARM the last."""

CPU_INFO = Path("/proc/cpuinfo")


def resolve_precision(name: str) -> str:
    """Return the Keras dtype policy that `train.precision` stands for on this machine: float32 or mixed_bfloat16.

    `auto` is mixed_bfloat16 where the device that trains computes in it, else float32. Without such instructions
    bfloat16 is emulated, slower than float32.

    Raises:
        InputError: `name` is mixed_bfloat16, and the device lacks it.
    """
    if name == FLOAT32:
        return FLOAT32
    if has_bfloat16():
        return BFLOAT16
    if name == BFLOAT16:
        raise InputError(
            f"train.precision: got {BFLOAT16}, but {_device()} has no bfloat16 instructions, so training would be "
            f"slower than in float32; expected float32, or auto, which looks at the machine"
        )
    return FLOAT32


@contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Let layers that are made in the block have the Keras dtype policy `name`."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def has_bfloat16() -> bool:
    """Return whether the device that the backend trains on has instructions for bfloat16."""
    if keras.backend.backend() == "jax":
        import jax

        device = jax.devices()[0]
        if device.platform != "cpu":
            return float(getattr(device, "compute_capability", 8)) >= 8  # a TPU has no such number, and bfloat16
    elif keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        cards = tf.config.list_physical_devices("GPU")
        if cards:
            details = tf.config.experimental.get_device_details(cards[0])
            return int(details.get("compute_capability", (0,))[0]) >= 8
    return bool(CPU_FLAGS & cpu_flags())


def cpu_flags() -> set[str]:
    """Return the processor's flags in /proc/cpuinfo; none where there is no such file (macOS, Windows)."""
    try:
        lines = CPU_INFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return {flag for line in lines if line.startswith(("flags", "Features")) for flag in line.partition(":")[2].split()}


def _device() -> str:
    return f"this machine's processor ({platform.machine()})"
