"""The numerical set-up of a process that trains or predicts: backend, threads, seed, determinism.

Import this module before keras: what a backend says on being loaded is kept from the terminal here.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what is wrong is raised; the rest is no news to users


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Hold back what native code writes to standard error, unless the block fails.

    TensorFlow logs its build options before its log level is read, so no setting silences them.
    """
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        except BaseException:
            held_back.seek(0)
            os.write(terminal, held_back.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


with _quiet_stderr():
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
