"""The time of a network for one face in TensorFlow Lite, on one thread, one image at a time.

Import `emotion.model_files.keras_setup` before the first call: it keeps TensorFlow quiet.
"""

import contextlib
import io
import statistics
import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # at run time it would load TensorFlow
    import keras

REPETITIONS = 15
CALLS = 200
"""Calls per repetition. Their mean counts: one call is too short for the clock."""

WARM_UP_SECONDS = 0.5


class LiteNetwork:
    """A TensorFlow Lite file on one thread, for one image at a time."""

    def __init__(self, content: bytes) -> None:
        self._interpreter = _interpreter(content)
        self._interpreter.allocate_tensors()
        details = self._interpreter.get_input_details()[0]
        self.shape: tuple[int, ...] = tuple(details["shape"].tolist())
        """Of what it takes: (1, height, width, channels)."""
        self.dtype: type[np.generic] = details["dtype"]
        self._input: int = details["index"]
        self._output: int = self._interpreter.get_output_details()[0]["index"]

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Return the outputs (1, classes) for `image`, which has the shape and the dtype of this network."""
        self._interpreter.set_tensor(self._input, image)
        self._interpreter.invoke()
        outputs: np.ndarray = self._interpreter.get_tensor(self._output)
        return outputs


def _interpreter(content: bytes) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        import tensorflow as tf

        Interpreter = tf.lite.Interpreter
    with warnings.catch_warnings():
        # TensorFlow warns that ai_edge_litert will replace its own.
        warnings.simplefilter("ignore")
        return Interpreter(model_content=content, num_threads=1)


def to_tflite(network: "keras.Model") -> bytes:
    """Return `network` as a float32 TensorFlow Lite file that takes one image at a time."""
    import keras
    import tensorflow as tf

    # With a fixed batch no shape is left to work out at run time.
    image = keras.Input(batch_shape=(1, *network.input_shape[1:]), dtype=network.inputs[0].dtype)
    fixed = keras.Model(image, network(image, training=False))
    with contextlib.redirect_stdout(io.StringIO()):  # Keras lists every variable
        content: bytes = tf.lite.TFLiteConverter.from_keras_model(fixed).convert()
    return content


def milliseconds_a_face(tflite_bytes: bytes, *, repetitions: int = REPETITIONS) -> float:
    """Return how long one image takes: the median over `repetitions` of the mean of CALLS calls, after a warm-up.

    A call is handing over the image, running the network and fetching its outputs, on one thread. Nothing else
    should run on the machine.
    """
    network = LiteNetwork(tflite_bytes)
    image = np.random.default_rng(2013).integers(0, 256, network.shape).astype(network.dtype)
    start = time.perf_counter()
    while time.perf_counter() - start < WARM_UP_SECONDS:
        network(image)
    return statistics.median(_milliseconds(network, image) for _ in range(repetitions))


def _milliseconds(network: LiteNetwork, image: np.ndarray) -> float:
    start = time.perf_counter()
    for _ in range(CALLS):
        network(image)
    return (time.perf_counter() - start) / CALLS * 1000
