"""Where convolutions by products of matrices are faster than TensorFlow's own: `acceleration.winograd` against those.

    python -m benchmarks.winograd

For maps and channels as networks have them, in float32 and bfloat16: how long a convolution takes, forwards and both
gradients, and how many times as long by products of matrices. Compared is what trains otherwise: in bfloat16, on
small maps, with kernel gradients as convolutions. Both take turns. Nothing else should run on the machine.
benchmarks/results/winograd.json gets the figures, which `training_network.products_are_faster` rests on.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.training_speed import check_options, spread, versions
from emotion.core.errors import run_command
from emotion.core.files import write_json
from emotion.model_files import keras_setup
from emotion.model_files.keras_setup import processor
from emotion.training.acceleration import training_network, winograd
from emotion.training.precision import has_bfloat16

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks/results/winograd.json"

CASES = [(4, 192), (6, 96), (6, 192), (6, 384), (8, 96), (12, 48), (12, 64), (12, 96), (12, 192)]
CASES += [(24, 48), (24, 64), (24, 96), (48, 32), (48, 64)]
"""Height and width of maps, and how many channels go in and come out."""

SEED = 2013
WARM_UP, CALLS = 3, 5

Arrays = list[np.ndarray]
Convolution = Callable[[Any, Any], Any]


def arrays(size: int, channels: int, batch_size: int) -> Arrays:
    """Return random maps, a kernel, and the gradient of the outputs."""
    generator = np.random.default_rng(SEED)
    maps = (batch_size, size, size, channels)
    return [generator.standard_normal(shape, np.float32) for shape in (maps, (3, 3, channels, channels), maps)]


def convolutions(size: int, dtype: str) -> dict[str, Convolution]:
    """Return what convolves otherwise, and by products of matrices."""
    import tensorflow as tf

    own_gradient = (
        dtype == "bfloat16" and size <= training_network.LARGEST_MAP and training_network._computes_in_bfloat16()
    )
    plain = training_network._convolve if own_gradient else lambda maps, kernel: tf.nn.conv2d(maps, kernel, 1, "SAME")
    return {"plain": plain, "products": lambda maps, kernel: winograd.convolve(maps, kernel, padding=1)}


class Step:
    """A convolution with both gradients, as one TensorFlow function."""

    def __init__(self, convolve: Convolution, values: Arrays, dtype: str) -> None:
        import tensorflow as tf

        self._values = [tf.cast(value, dtype) for value in values]
        self._function = tf.function(lambda *values: self._compute(convolve, *values))
        self.seconds(WARM_UP)

    @staticmethod
    def _compute(convolve, maps, kernel, upstream):
        """Return a number that needs all of the outputs and of both gradients to be made."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch([maps, kernel])
            outputs = convolve(maps, kernel)
        gradients = tape.gradient(outputs, [maps, kernel], upstream)
        return sum(tf.cast(tf.reshape(value, [-1])[0], "float32") for value in (outputs, *gradients))

    def seconds(self, calls: int = CALLS) -> float:
        """Return how long a call takes, on average over `calls`."""
        start = time.perf_counter()
        for _ in range(calls):
            float(self._function(*self._values))
        return (time.perf_counter() - start) / calls


def compare(size: int, channels: int, dtype: str, batch_size: int, repetitions: int) -> dict[str, Any]:
    """Return what the result file holds of a case."""
    values = arrays(size, channels, batch_size)
    steps = {name: Step(function, values, dtype) for name, function in convolutions(size, dtype).items()}
    runs = [{name: step.seconds() for name, step in steps.items()} for _ in range(repetitions)]
    return {
        "size": size,
        "channels": channels,
        "dtype": dtype,
        "milliseconds": {name: spread([1e3 * run[name] for run in runs]) for name in steps},
        "ratio": spread([run["products"] / run["plain"] for run in runs]),
        "taken": taken(size, channels, dtype),
    }


def taken(size: int, channels: int, dtype: str) -> bool:
    """Return whether networks train by products of matrices in this case, on a processor like this one."""
    import keras

    return training_network.products_are_faster(
        keras.KerasTensor((None, size, size, channels), dtype), channels, padding=1
    )


def line(case: dict[str, Any]) -> str:
    ratio, plain = case["ratio"], case["milliseconds"]["plain"]["median"]
    name = f"{case['size']}x{case['size']}, {case['channels']} channels, {case['dtype']}"
    spread_ = f"{ratio['median']:.2f}  ({ratio['low']:.2f} to {ratio['high']:.2f})"
    return f"  {name:34}{plain:7.1f} ms  x {spread_}{'  taken' if case['taken'] else ''}"


def measure(options: argparse.Namespace) -> None:
    """Measure all cases, write the result file and print it.

    Raises:
        InputError: a number would leave nothing to measure.
    """
    check_options(options)
    keras_setup.set_up(options.threads, seed=SEED)
    dtypes = ["float32", "bfloat16"] if has_bfloat16() else ["float32"]
    work = [(size, channels, dtype) for dtype in dtypes for size, channels in CASES]
    cases = [
        compare(size, channels, dtype, options.batch_size, options.repetitions)
        for size, channels, dtype in tqdm(work, disable=None)
    ]
    settings = {"threads": options.threads, "batch_size": options.batch_size, "repetitions": options.repetitions}
    write_json(options.output, {"machine": processor(), "versions": versions(), **settings, "cases": cases})
    for case in cases:
        print(line(case))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--batch-size", type=int, default=128, help="maps a step (128)")
    parser.add_argument("--repetitions", type=int, default=9, help="times that each case is measured (9)")
    parser.add_argument("--threads", type=int, default=2, help="threads of both ways (2)")
    parser.add_argument("--output", type=Path, default=RESULT, help="the result file")
    options = parser.parse_args()
    run_command(lambda: measure(options))


if __name__ == "__main__":
    main()
