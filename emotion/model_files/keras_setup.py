"""The numerical set-up of a process that trains or predicts: backend, threads, seed, determinism.

Import this module before keras: what a backend says on being loaded is kept from the terminal here.
"""

import gc
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from emotion.core.quiet import quiet

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what is wrong is raised; the rest is no news to users


@contextmanager
def _kept() -> Iterator[None]:
    """Spare the garbage collector what the block loads, which is there to stay.

    Looking through TensorFlow's objects, while they are made and when the process ends, took as long as loading them.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()


@contextmanager
def _left_out(*names: str) -> Iterator[None]:
    """Have the block find no packages of these names, unless they are loaded already."""
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # which has Python raise ModuleNotFoundError
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


# TensorFlow logs its build options before its log level is read. Keras looks for two packages that it can do without:
# what they are for, keras.visualization and keras.wrappers, nothing here uses. Loading them took a third of the time.
with quiet(), _kept(), _left_out("matplotlib", "sklearn"):
    import keras


def set_up(threads: int, seed: int) -> None:
    """Fix what the bits of a result depend on: the number of threads, every seed, and the order of sums.

    Call it once, before the first tensor is made. Backends other than TensorFlow take the seed only.
    """
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        tf.config.experimental.enable_op_determinism()


def backend() -> str:
    """Return what Keras computes with: tensorflow, jax or torch."""
    return keras.backend.backend()


def accelerator() -> str | None:
    """Return what the GPU or TPU that the backend computes on calls itself; None where it computes on the processor."""
    if backend() == "jax":
        import jax

        device = jax.devices()[0]
        return None if device.platform == "cpu" else device.device_kind
    if backend() == "tensorflow":
        import tensorflow as tf

        for card in tf.config.list_physical_devices("GPU"):
            return tf.config.experimental.get_device_details(card).get("device_name", card.name)
    return None


def processor() -> str:
    """Return what this machine's processor calls itself."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
