"""The time of convolutions by products of matrices against TensorFlow's own, in float32.

    python -m benchmarks.winograd

For maps and channels as networks have them: how long a convolution takes, forward and both gradients, and how many
times as long by products of matrices. Both take turns. Nothing else should run on the machine.
results/winograd.json gets the figures, on which `emotion.training.acceleration.winograd.is_faster` is based.
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
from emotion.training.acceleration import winograd

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "results/winograd.json"

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


def convolutions() -> dict[str, Convolution]:
    """Return TensorFlow's own convolution, and the one by products of matrices."""
    import tensorflow as tf

    return {
        "plain": lambda maps, kernel: tf.nn.conv2d(maps, kernel, 1, "SAME"),
        "products": lambda maps, kernel: winograd.convolve_by_products(maps, kernel, padding=1),
    }


class Step:
    """A convolution with both gradients, as one TensorFlow function."""

    def __init__(self, convolve: Convolution, values: Arrays) -> None:
        import tensorflow as tf

        self._values = [tf.constant(value) for value in values]
        self._function = tf.function(lambda *values: self._compute(convolve, *values))
        self.seconds(WARM_UP)

    @staticmethod
    def _compute(convolve: Any, maps: Any, kernel: Any, upstream: Any) -> Any:
        """Return a number that needs all of the outputs and of both gradients to be made."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch([maps, kernel])
            outputs = convolve(maps, kernel)
        gradients = tape.gradient(outputs, [maps, kernel], upstream)
        return sum(tf.reshape(value, [-1])[0] for value in (outputs, *gradients))

    def seconds(self, calls: int = CALLS) -> float:
        """Return how long a call takes, on average over `calls`."""
        start = time.perf_counter()
        for _ in range(calls):
            float(self._function(*self._values))
        return (time.perf_counter() - start) / calls


def compare(size: int, channels: int, batch_size: int, repetitions: int) -> dict[str, Any]:
    """Return what the result file holds of a case."""
    values = arrays(size, channels, batch_size)
    steps = {name: Step(function, values) for name, function in convolutions().items()}
    runs = [{name: step.seconds() for name, step in steps.items()} for _ in range(repetitions)]
    return {
        "size": size,
        "channels": channels,
        "milliseconds": {name: spread([1e3 * run[name] for run in runs]) for name in steps},
        "ratio": spread([run["products"] / run["plain"] for run in runs]),
        "taken": winograd.is_faster((None, size, size, channels), channels),
    }


def line(case: dict[str, Any]) -> str:
    """Return the line that is printed for a case."""
    ratio, plain = case["ratio"], case["milliseconds"]["plain"]["median"]
    name = f"{case['size']}x{case['size']}, {case['channels']} channels"
    spread_ = f"{ratio['median']:.2f}  ({ratio['low']:.2f} to {ratio['high']:.2f})"
    return f"  {name:34}{plain:7.1f} ms  x {spread_}{'  taken' if case['taken'] else ''}"


def measure(options: argparse.Namespace) -> None:
    """Measure all cases, write the result file and print it.

    Raises:
        InputError: a number would leave nothing to measure.
    """
    check_options(options)
    keras_setup.set_up(options.threads, seed=SEED)
    cases = [
        compare(size, channels, options.batch_size, options.repetitions) for size, channels in tqdm(CASES, disable=None)
    ]
    settings = {"threads": options.threads, "batch_size": options.batch_size, "repetitions": options.repetitions}
    write_json(options.output, {"machine": processor(), "versions": versions(), **settings, "cases": cases})
    for case in cases:
        print(line(case))


def main() -> None:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--batch-size", type=int, default=128, help="maps a step (128)")
    parser.add_argument("--repetitions", type=int, default=9, help="times that each case is measured (9)")
    parser.add_argument("--threads", type=int, default=2, help="threads of both ways (2)")
    parser.add_argument("--output", type=Path, default=RESULT, help="the result file")
    options = parser.parse_args()
    run_command(lambda: measure(options))


if __name__ == "__main__":
    main()
