"""The numerical set-up of a process that trains or predicts: backend, threads, seed, determinism.

Import this module before keras, so that the output of its backend is suppressed.
"""

import gc
import os
import platform
from contextlib import suppress
from pathlib import Path

from emotion.core.quiet import quiet

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # errors are raised; users need no other messages

# Keras and TensorFlow stay loaded until the process ends. With the garbage collector off, they load in less than two
# thirds of the time (docs/log.md).
gc.disable()
try:
    # TensorFlow logs its build options before its log level is read.
    with quiet():
        import keras
    gc.freeze()
finally:
    gc.enable()


def set_up(threads: int, seed: int) -> None:
    """Set the number of threads, every random seed and deterministic operations.

    The bits of a result depend on all three. Call this once, before the first tensor is made. Backends other than
    TensorFlow use the seed only.

    Args:
        threads: processor threads that TensorFlow uses, at least 1.
        seed: for Python, NumPy and Keras, 0 to 2**32 - 1.
    """
    with quiet():  # on other backends this loads TensorFlow, where it is installed
        keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        tf.config.experimental.enable_op_determinism()


def backend() -> str:
    """Return the name of Keras' backend: tensorflow, jax or torch."""
    name: str = keras.backend.backend()
    return name


def accelerator() -> str | None:
    """Return the name of the GPU or TPU that the backend uses; None where it uses the processor."""
    if backend() == "jax":
        import jax

        device = jax.devices()[0]
        return None if device.platform == "cpu" else str(device.device_kind)
    if backend() == "tensorflow":
        import tensorflow as tf

        for card in tf.config.list_physical_devices("GPU"):
            return str(tf.config.experimental.get_device_details(card).get("device_name", card.name))
    return None


def processor() -> str:
    """Return the name of this machine's processor."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
