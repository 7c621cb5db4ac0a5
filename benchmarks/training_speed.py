"""The speed of training: this project's step against stock Keras, PyTorch, and the convolutions alone.

    python -m benchmarks.training_speed

For each architecture, in images a second, with the same images, batch, loss, SGD and threads:

- stock Keras: the same layers as they stand, `fit` on uint8 arrays, no augmentation, in float32 and mixed_bfloat16;
- PyTorch, where it is installed: its eager step, channels last, with the same layers, no augmentation, in float32 and
  by autocast in bfloat16;
- ours: the step of `emotion.training.loop` with the augmentation of presets/fer2013.yaml, in both; and without it, for
  its share of the step.

The limit is what the convolutions alone reach, forward, at the shapes that they have in the network: multiply-adds a
second. A training step counts as three times the multiply-adds of a forward pass.

All take turns in one process, so that a machine that slows down does so for all of them. The time runs from the end of
one batch to the end of another and leaves out the first ones: an autotuning thread of tf.data can hold up the end of
`fit` for seconds. All run with the deterministic operations of `emotion.model_files.keras_setup`. Nothing else should
run on the machine. results/training_speed.json gets the figures.
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from emotion.core.errors import InputError, run_command
from emotion.core.files import write_json
from emotion.core.params import Params, TrainParams, check_params, read_yaml
from emotion.model_files import keras_setup
from emotion.model_files.keras_setup import processor
from emotion.networks.cost import multiply_adds
from emotion.networks.registry import build
from emotion.training.build_networks import build_networks
from emotion.training.input_pipeline import ImageTable, epoch_dataset
from emotion.training.objective import compile_network
from emotion.training.precision import dtype_policy
from emotion.training.pretrained import NO_PRETRAINED
from emotion.training.student import Student
from emotion.training.targets import make_targets
from emotion.training.training_data import TrainingData

if TYPE_CHECKING:  # at run time `emotion.model_files.keras_setup` loads it first
    import keras

ROOT = Path(__file__).resolve().parent.parent
PRESET = ROOT / "presets/fer2013.yaml"
RESULT = ROOT / "results/training_speed.json"

CLASSES = 7
SEED = 2013
WARM_UP = 5
"""Batches before the clock starts: the first one traces the step, the next ones fill queues."""

LEARNING_RATE = 0.001
"""Low enough for every network: a loss that is no number would not be the work that is to be timed."""

FORWARD_PASSES = 3
"""The passes that a training step counts as: the forward pass, and the gradients of inputs and of kernels."""

TRAININGS = {
    "keras_float32": "stock Keras, float32",
    "ours_mixed_bfloat16": "ours, mixed_bfloat16",
    "ours_mixed_bfloat16_no_augmentation": "ours, mixed_bfloat16, no augmentation",
    "ours_float32": "ours, float32",
    "keras_mixed_bfloat16": "stock Keras, mixed_bfloat16",
}
PYTORCH_TRAININGS = {
    "pytorch_float32": "PyTorch, eager, float32",
    "pytorch_bfloat16": "PyTorch, eager, autocast to bfloat16",
}
LIMITS = {"convolutions_bfloat16": "convolutions, bfloat16", "convolutions_float32": "convolutions, float32"}
RATIOS = {
    "speedup": "ours in mixed_bfloat16 / stock Keras in float32",
    "speedup_float32": "ours / stock Keras, float32",
    "speedup_of_keras_mixed_bfloat16": "stock Keras, mixed_bfloat16 / float32",
    "augmentation_share": "augmentation's share of our step, mixed_bfloat16",
    "share_of_limit": "our step / convolutions, bfloat16",
    "share_of_limit_float32": "our step / convolutions, float32",
    "share_of_limit_keras_float32": "stock Keras' step / convolutions, float32",
}
PYTORCH_RATIOS = {
    "speedup_of_pytorch_float32": "PyTorch / stock Keras, both float32",
    "speedup_of_pytorch_bfloat16": "PyTorch in bfloat16 / stock Keras in float32",
    "speedup_over_pytorch_float32": "ours / PyTorch, float32",
    "speedup_over_pytorch_bfloat16": "ours / PyTorch, bfloat16",
}

Fit = Callable[["keras.callbacks.Callback"], Any]
"""Trains on all images once, and calls the callback after every batch."""


@dataclass(frozen=True)
class Setting:
    """The settings that all ways of training share; `steps` are the batches that are timed."""

    image_size: int
    batch_size: int
    steps: int
    threads: int

    @property
    def batches(self) -> int:
        """The batches of an epoch, those of the warm-up included."""
        return WARM_UP + self.steps

    def data(self) -> TrainingData:
        """Return random gray images, enough for warm-up and timed batches."""
        count = self.batch_size * self.batches
        generator = np.random.default_rng(SEED)
        images = generator.integers(0, 256, (count, self.image_size, self.image_size, 1), np.uint8)
        labels = generator.integers(0, CLASSES, count).astype(np.int32)
        return TrainingData(images, labels, images[:1], labels[:1])

    def params(self, architecture: str, precision: str) -> Params:
        """Return the params of the preset, with what is measured here in their place."""
        content = read_yaml(PRESET)
        content["train"] |= {"architecture": architecture, "precision": precision, "batch_size": self.batch_size}
        content["train"] |= {"optimizer": "sgd", "progressive_sizes": [], "learning_rate": LEARNING_RATE, "seed": SEED}
        content["compute"] = {"threads": self.threads}
        return check_params(content, "train", "augmentation", "compute", name=str(PRESET))


class BatchClock:
    """Takes the time from the end of the last warm-up batch to the end of the last timed one."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._ends: list[float] = []

    def tick(self, batch: int, logs: dict[str, Any]) -> None:
        """Note the end of a batch; to be called after each, with its logs."""
        float(logs["loss"])  # waits for the batch where it is computed asynchronously
        self._ends.append(time.perf_counter())

    def steps_a_second(self) -> float:
        """Return the rate of the timed batches.

        Raises:
            ValueError: other than the expected number of batches was trained.
        """
        if len(self._ends) != WARM_UP + self._steps:
            raise ValueError(f"{len(self._ends)} batches were trained, expected {WARM_UP} and {self._steps}")
        return self._steps / (self._ends[-1] - self._ends[WARM_UP - 1])


def images_a_second(fit: Fit, setting: Setting) -> float:
    """Return how many images a second `fit` trains on."""
    import keras

    clock = BatchClock(setting.steps)
    fit(keras.callbacks.LambdaCallback(on_train_batch_end=clock.tick))
    return setting.batch_size * clock.steps_a_second()


def _project_fit(setting: Setting, architecture: str, precision: str, *, augment: bool) -> Fit:
    """Return this project's training: the steps of an epoch in `emotion.training.loop`, without what follows them."""
    data, params = setting.data(), setting.params(architecture, precision)
    networks = build_networks(data, CLASSES, params.train, NO_PRETRAINED, any_size=False)
    student = Student(networks.training, CLASSES, params, setting.batches)
    targets = make_targets(data, CLASSES, params)
    if augment:
        model = student.build_model(data.x_train, teacher_targets=False)
    else:
        model = _without_augmentation(student, data)
    return lambda clock: model.fit(epoch_dataset(targets, 0, params), shuffle=False, verbose=0, callbacks=[clock])


def _without_augmentation(student: Student, data: TrainingData) -> "keras.Model":
    """Return the model of `student` without the layers that change images; it takes the same batches."""
    import keras

    numbers, shares = keras.Input((), dtype="int32"), keras.Input((), dtype="float32")
    model = keras.Model([numbers, shares], student.network(ImageTable(data.x_train)(numbers)))
    compile_network(model, student.params, CLASSES, optimizer=student.optimizer)
    return model


def _stock_fit(setting: Setting, architecture: str, precision: str) -> Fit:
    """Return the training that a script with Keras alone would have."""
    import keras

    data, params = setting.data(), setting.params(architecture, precision).train
    with dtype_policy(precision):
        model = stock_network(architecture, setting)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=params.label_smoothing)
    model.compile(_stock_optimizer(model, params), loss, metrics=["accuracy"])
    targets = np.eye(CLASSES, dtype=np.float32)[data.y_train]
    return lambda clock: model.fit(data.x_train, targets, batch_size=setting.batch_size, verbose=0, callbacks=[clock])


def _stock_optimizer(model: "keras.Model", params: TrainParams) -> "keras.optimizers.Optimizer":
    import keras

    optimizer = keras.optimizers.SGD(
        params.learning_rate, momentum=0.9, nesterov=True, weight_decay=params.weight_decay
    )
    optimizer.exclude_from_weight_decay([w for w in model.trainable_weights if not w.name.endswith("kernel")])
    return optimizer


def _pytorch_fits(setting: Setting, architecture: str) -> dict[str, Fit]:
    """Return the trainings of PYTORCH_TRAININGS; none where PyTorch is not installed, or lacks a layer."""
    if find_spec("torch") is None:
        return {}
    from benchmarks import pytorch_step

    network = stock_network(architecture, setting)
    if pytorch_step.unknown_layers(network):
        return {}
    pytorch_step.set_threads(setting.threads)
    data, params = setting.data(), setting.params(architecture, "float32").train

    def fit(dtype: str) -> Fit:
        module = pytorch_step.Network(network)
        return lambda clock: pytorch_step.train_epoch(
            module, data.x_train, data.y_train, params, dtype, clock.on_train_batch_end
        )

    return {"pytorch_float32": fit("float32"), "pytorch_bfloat16": fit("bfloat16")}


def convolution_layers(network: "keras.Model") -> list["keras.layers.Conv2D"]:
    """Return the convolutions of `network`.

    Raises:
        InputError: some are separable. Those are limited by memory, so multiply-adds would say nothing of them.
    """
    import keras

    separable = (keras.layers.SeparableConv2D, keras.layers.DepthwiseConv2D)
    if any(isinstance(layer, separable) for layer in network.layers):
        raise InputError(f"--architectures: got {network.name}, expected networks without separable convolutions")
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]


class Convolutions:
    """The convolutions of a network, each on other random images, one after the other."""

    def __init__(self, network: "keras.Model", batch_size: int, dtype: str) -> None:
        """Prepare what is convolved; `network` was built for one size of images."""
        import tensorflow as tf

        self._layers = convolution_layers(network)
        self._batch_size = batch_size
        generator = np.random.default_rng(SEED)
        shapes = [(batch_size, *layer.input.shape[1:]) for layer in self._layers]
        self._inputs = [tf.cast(generator.standard_normal(shape, np.float32), dtype) for shape in shapes]
        self._kernels = [tf.cast(layer.get_weights()[0], dtype) for layer in self._layers]
        self._function = tf.function(self._convolve)

    @property
    def multiply_adds(self) -> int:
        """Of one call."""
        of_image = sum(int(np.prod((*layer.output.shape[1:-1], *layer.kernel.shape))) for layer in self._layers)
        return of_image * self._batch_size

    def _convolve(self, inputs: Any, kernels: Any) -> Any:
        """Return a sum over some of each convolution's outputs, so that none is left out.

        Each waits for the one before, as in the network; images and kernels are arguments, so that
        TensorFlow does not convolve constants while it optimizes the graph.
        """
        import tensorflow as tf

        total = tf.constant(0.0)
        for layer, images, kernel in zip(self._layers, inputs, kernels, strict=True):
            with tf.control_dependencies([total]):
                outputs = tf.nn.conv2d(
                    images, kernel, layer.strides, layer.padding.upper(), dilations=layer.dilation_rate
                )
            total += tf.reduce_sum(tf.cast(outputs[:, 0, 0, 0], "float32"))
        return total

    def __call__(self) -> float:
        """Run all convolutions once; return the sum of some outputs."""
        return float(self._function(self._inputs, self._kernels))

    def multiply_adds_a_second(self, calls: int) -> float:
        """Return the rate over `calls`, after a warm-up."""
        for _ in range(WARM_UP):
            self()
        start = time.perf_counter()
        for _ in range(calls):
            self()
        return calls * self.multiply_adds / (time.perf_counter() - start)


def measurements(architecture: str, setting: Setting) -> dict[str, Callable[[], float]]:
    """Return what measures each training, in images a second, and each of LIMITS, in multiply-adds a second."""
    fits = {
        "keras_float32": _stock_fit(setting, architecture, "float32"),
        "ours_mixed_bfloat16": _project_fit(setting, architecture, "mixed_bfloat16", augment=True),
        "ours_mixed_bfloat16_no_augmentation": _project_fit(setting, architecture, "mixed_bfloat16", augment=False),
        "ours_float32": _project_fit(setting, architecture, "float32", augment=True),
        "keras_mixed_bfloat16": _stock_fit(setting, architecture, "mixed_bfloat16"),
        **_pytorch_fits(setting, architecture),
    }
    network = stock_network(architecture, setting)
    limits = {
        f"convolutions_{dtype}": Convolutions(network, setting.batch_size, dtype) for dtype in ("bfloat16", "float32")
    }
    return {
        **{name: partial(images_a_second, fit, setting) for name, fit in fits.items()},
        **{name: partial(limit.multiply_adds_a_second, setting.steps) for name, limit in limits.items()},
    }


def stock_network(architecture: str, setting: Setting) -> "keras.Model":
    """Build the network as stock Keras layers.

    Raises:
        InputError: no such network, or none for these images.
    """
    return build(architecture, setting.image_size, 1, CLASSES)


def measure(architecture: str, setting: Setting, repetitions: int) -> dict[str, Any]:
    """Measure all in turns, `repetitions` times, and return what the result file holds of `architecture`."""
    measured = measurements(architecture, setting)
    runs: dict[str, list[float]] = {name: [] for name in measured}
    with tqdm(total=repetitions * len(measured), desc=architecture, disable=None) as bar:
        for _ in range(repetitions):
            for name, rate in measured.items():
                runs[name].append(rate())
                bar.update()
    return summarize(runs, multiply_adds(stock_network(architecture, setting)))


def summarize(runs: dict[str, list[float]], cost: int) -> dict[str, Any]:
    """Return the spread of the rates in `runs`, and of their ratios; `cost` is an image's multiply-adds, forward."""
    return {
        "multiply_adds": cost,
        "images_a_second": {name: spread(runs[name]) for name in TRAININGS | PYTORCH_TRAININGS if name in runs},
        "billion_multiply_adds_a_second": {name: spread([rate / 1e9 for rate in runs[name]]) for name in LIMITS},
        "ratios": {name: spread(values) for name, values in ratios(runs, cost).items()},
    }


def ratios(runs: dict[str, list[float]], cost: int) -> dict[str, list[float]]:
    """Return the ratios in each repetition, of rates that were measured soon after each other."""
    rates = {name: np.array(values) for name, values in runs.items()}
    ours, plain = rates["ours_mixed_bfloat16"], rates["ours_mixed_bfloat16_no_augmentation"]
    ours_float32, stock = rates["ours_float32"], rates["keras_float32"]
    of_training = FORWARD_PASSES * cost
    values = {
        "speedup": ours / stock,
        "speedup_float32": ours_float32 / stock,
        "speedup_of_keras_mixed_bfloat16": rates["keras_mixed_bfloat16"] / stock,
        "augmentation_share": 1 - ours / plain,
        "share_of_limit": of_training * ours / rates["convolutions_bfloat16"],
        "share_of_limit_float32": of_training * ours_float32 / rates["convolutions_float32"],
        "share_of_limit_keras_float32": of_training * stock / rates["convolutions_float32"],
    }
    if rates.keys() >= PYTORCH_TRAININGS.keys():
        float32, bfloat16 = rates["pytorch_float32"], rates["pytorch_bfloat16"]
        values |= {
            "speedup_of_pytorch_float32": float32 / stock,
            "speedup_of_pytorch_bfloat16": bfloat16 / stock,
            "speedup_over_pytorch_float32": ours_float32 / float32,
            "speedup_over_pytorch_bfloat16": ours / bfloat16,
        }
    return {name: value.tolist() for name, value in values.items()}


def spread(values: list[float]) -> dict[str, Any]:
    """Return median, lowest and highest of `values`, and them."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "runs": values}


def versions() -> dict[str, str]:
    """Return the versions of the packages that are timed."""
    import keras
    import tensorflow as tf

    used = {"python": platform.python_version(), "tensorflow": tf.__version__, "keras": keras.version()}
    return used | ({"torch": version("torch")} if find_spec("torch") else {})


def show(result: dict[str, Any]) -> None:
    """Print a line for each rate and each ratio."""
    print(
        f"{result['machine']}, {result['threads']} threads, batches of {result['batch_size']}, "
        f"{result['image_size']}x{result['image_size']} gray; medians of {result['repetitions']}, lowest and highest"
    )
    for architecture, figures in result["architectures"].items():
        print(f"\n{architecture}, {figures['multiply_adds'] / 1e6:.1f} million multiply-adds an image, forward")
        for name, label in (TRAININGS | PYTORCH_TRAININGS).items():
            if name in figures["images_a_second"]:
                print(_line(label, figures["images_a_second"][name], 1, "images/s"))
        for name, label in LIMITS.items():
            print(_line(label, figures["billion_multiply_adds_a_second"][name], 1, "billion multiply-adds/s"))
        for name, label in (RATIOS | PYTORCH_RATIOS).items():
            if name in figures["ratios"]:
                print(_line(label, figures["ratios"][name], 3))
        if not PYTORCH_TRAININGS.keys() & figures["images_a_second"].keys():
            print("  PyTorch is left out: it is not installed, or lacks a layer of this network")


def _line(label: str, figures: dict[str, Any], decimals: int, unit: str = "") -> str:
    median, low, high = (f"{figures[key]:.{decimals}f}" for key in ("median", "low", "high"))
    return f"  {label:50}{median:>8}  ({low} to {high}) {unit}".rstrip()


def measure_all(names: list[str], setting: Setting, repetitions: int) -> dict[str, Any]:
    """Return what the result file holds; every one of `names` is checked before the first is measured."""
    for name in names:
        convolution_layers(stock_network(name, setting))
    return {
        "machine": processor(),
        "versions": versions(),
        **asdict(setting),
        "warm_up": WARM_UP,
        "repetitions": repetitions,
        "architectures": {name: measure(name, setting, repetitions) for name in names},
    }


def check_options(options: argparse.Namespace) -> None:
    """Raise InputError where a number would leave nothing to measure."""
    for name, value in vars(options).items():
        if isinstance(value, int) and value < 1:
            raise InputError(f"--{name.replace('_', '-')}: got {value}, expected at least 1")


def main() -> None:
    """Run the measurement that the command line asks for."""
    options = _parser().parse_args()
    run_command(lambda: compare(options))


def compare(options: argparse.Namespace) -> None:
    """Measure what `options` name, write the result file and print it."""
    check_options(options)
    keras_setup.set_up(options.threads, seed=SEED)
    setting = Setting(options.image_size, options.batch_size, options.steps, options.threads)
    result = measure_all(options.architectures, setting, options.repetitions)
    write_json(options.output, result)
    show(result)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--architectures", nargs="+", metavar="NAME", default=["residual", "vgg_bn"])
    parser.add_argument("--image-size", type=int, default=48, help="height and width of the images (48)")
    parser.add_argument("--batch-size", type=int, default=128, help="images a step (128)")
    parser.add_argument("--steps", type=int, default=20, help="steps that are timed, after a warm-up (20)")
    parser.add_argument("--repetitions", type=int, default=5, help="times that everything is measured (5)")
    parser.add_argument("--threads", type=int, default=2, help="threads of every way (2)")
    parser.add_argument("--output", type=Path, default=RESULT, help="the result file")
    return parser


if __name__ == "__main__":
    main()
