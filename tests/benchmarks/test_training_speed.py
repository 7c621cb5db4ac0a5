"""What the figures of benchmarks/training_speed.py rest on: its clock, its limit and its arithmetic; never a speed."""

import argparse
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest

from emotion.core.errors import InputError

pytestmark = [pytest.mark.usefixtures("deterministic"), pytest.mark.tf]

SIZE, BATCH, STEPS, REPETITIONS = 16, 4, 2, 2
ARCHITECTURE = "residual_small"


@pytest.fixture(scope="module")
def setting(deterministic):
    from benchmarks.training_speed import Setting

    return Setting(SIZE, BATCH, STEPS, threads=2)


@pytest.fixture(scope="module")
def result(setting):
    from benchmarks.training_speed import measure_all

    return measure_all([ARCHITECTURE], setting, REPETITIONS)


def tick(clock, batches):
    for batch in range(batches):
        clock.tick(batch, {"loss": 1.0})


def test_the_clock_leaves_the_first_batches_out(monkeypatch):
    from benchmarks import training_speed

    ends = iter([100.0, 110.0, 111.0, 111.5, 113.0])
    monkeypatch.setattr(training_speed, "time", SimpleNamespace(perf_counter=lambda: next(ends)))
    monkeypatch.setattr(training_speed, "WARM_UP", 3)
    clock = training_speed.BatchClock(steps=2)
    tick(clock, 5)
    assert clock.steps_a_second() == 2 / (113 - 111)


@pytest.mark.parametrize("batches", [6, 8])
def test_the_clock_refuses_another_number_of_batches(batches):
    from benchmarks.training_speed import WARM_UP, BatchClock

    clock = BatchClock(steps=7 - WARM_UP)
    tick(clock, batches)
    with pytest.raises(ValueError, match=f"{batches} batches were trained"):
        clock.steps_a_second()


def test_both_ways_train_by_the_same_optimizer(setting):
    import keras

    from benchmarks.training_speed import _stock_optimizer, stock_network
    from emotion.training.optimizers import make_optimizer

    params, network = setting.params(ARCHITECTURE, "float32").train, stock_network(ARCHITECTURE, setting)
    stock, ours = _stock_optimizer(network, params), make_optimizer(params, STEPS, network)
    assert type(stock) is type(ours) is keras.optimizers.SGD
    for name in ("momentum", "nesterov", "weight_decay"):
        assert getattr(stock, name) == getattr(ours, name)


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-4), ("bfloat16", 0.05)])
def test_the_limit_runs_every_convolution(dtype, tolerance, setting):
    import keras

    from benchmarks.training_speed import Convolutions, stock_network
    from emotion.networks.cost import multiply_adds

    network = stock_network(ARCHITECTURE, setting)
    convolutions = Convolutions(network, BATCH, dtype)
    others = sum(layer.kernel.shape[0] * layer.units for layer in network.layers if hasattr(layer, "units"))
    assert convolutions.multiply_adds == BATCH * (multiply_adds(network) - others)
    layers = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(layers) == len(convolutions._inputs) > 10
    outputs = [layer(keras.ops.cast(x, "float32")) for layer, x in zip(layers, convolutions._inputs, strict=True)]
    sums = np.array([np.asarray(output)[:, 0, 0, 0].sum() for output in outputs])
    np.testing.assert_allclose(convolutions(), sums.sum(), rtol=0, atol=tolerance * np.abs(sums).sum())


def test_networks_without_such_a_limit_are_refused(setting):
    from benchmarks.training_speed import measure_all

    with pytest.raises(InputError, match=r"got mini_xception, expected .*separable"):
        measure_all([ARCHITECTURE, "mini_xception"], setting, REPETITIONS)


def test_unknown_networks_are_refused(setting):
    from benchmarks.training_speed import measure_all

    with pytest.raises(InputError, match="got 'vgg', expected one of"):
        measure_all(["vgg"], setting, REPETITIONS)


@pytest.mark.parametrize("name", ["batch_size", "repetitions"])
def test_numbers_that_leave_nothing_to_measure_are_refused(name):
    from benchmarks.training_speed import check_options

    numbers = dict.fromkeys(("image_size", "batch_size", "steps", "repetitions", "threads"), 1)
    with pytest.raises(InputError, match=f"--{name.replace('_', '-')}: got 0, expected at least 1"):
        check_options(argparse.Namespace(**numbers | {name: 0}))


class BegunError(Exception):
    """Ends a training before its first batch."""


def model_of(fit):
    import keras

    def stop(logs):
        raise BegunError

    callback = keras.callbacks.LambdaCallback(on_train_begin=stop)
    with pytest.raises(BegunError):
        fit(callback)
    return callback.model


def test_both_ways_train_what_their_names_promise(setting):
    """The stock way has stock layers, ours the fused ones; the precision is that of the name."""
    import keras

    from benchmarks.training_speed import _project_fit, _stock_fit

    seen = {}
    for name, fit in (
        ("stock", _stock_fit(setting, ARCHITECTURE, "mixed_bfloat16")),
        ("ours", _project_fit(setting, ARCHITECTURE, "mixed_bfloat16", augment=True)),
        ("plain", _project_fit(setting, ARCHITECTURE, "mixed_bfloat16", augment=False)),
    ):
        layers = list(model_of(fit)._flatten_layers())
        seen[name] = {type(layer).__name__ for layer in layers}
        precisions = {layer.compute_dtype for layer in layers if isinstance(layer, keras.layers.Conv2D)}
        assert precisions == {"bfloat16"}
    assert "BatchNormalization" in seen["stock"]
    assert "BatchNormalization" not in seen["ours"] | seen["plain"]
    assert [name for name, types in seen.items() if "Augmentation" in types] == ["ours"]
    assert keras.config.dtype_policy().name == "float32"


def test_ratios_are_those_of_each_repetition():
    from benchmarks.training_speed import RATIOS, ratios

    runs = {
        "keras_float32": [100.0, 200.0],
        "keras_mixed_bfloat16": [50.0, 300.0],
        "ours_float32": [150.0, 200.0],
        "ours_mixed_bfloat16": [300.0, 400.0],
        "ours_mixed_bfloat16_no_augmentation": [400.0, 400.0],
        "convolutions_bfloat16": [18_000.0, 12_000.0],
        "convolutions_float32": [6_000.0, 6_000.0],
    }
    values = ratios(runs, cost=10)
    assert values.keys() == RATIOS.keys()
    assert values == {
        "speedup": [3.0, 2.0],
        "speedup_float32": [1.5, 1.0],
        "speedup_of_keras_mixed_bfloat16": [0.5, 1.5],
        "augmentation_share": [0.25, 0.0],
        "share_of_limit": [0.5, 1.0],
        "share_of_limit_float32": [0.75, 1.0],
        "share_of_limit_keras_float32": [0.5, 1.0],
    }


def test_ratios_of_pytorch_are_there_where_it_was_measured():
    from benchmarks.training_speed import LIMITS, PYTORCH_RATIOS, PYTORCH_TRAININGS, RATIOS, TRAININGS, ratios

    runs = {name: [100.0] for name in TRAININGS | LIMITS | PYTORCH_TRAININGS}
    runs |= {"pytorch_float32": [80.0], "pytorch_bfloat16": [160.0], "ours_float32": [200.0]}
    runs["ours_mixed_bfloat16"] = [320.0]
    values = ratios(runs, cost=10)
    assert values.keys() == (RATIOS | PYTORCH_RATIOS).keys()
    assert {name: values[name] for name in PYTORCH_RATIOS} == {
        "speedup_of_pytorch_float32": [0.8],
        "speedup_of_pytorch_bfloat16": [1.6],
        "speedup_over_pytorch_float32": [2.5],
        "speedup_over_pytorch_bfloat16": [2.0],
    }


def test_without_pytorch_it_is_left_out(setting, monkeypatch):
    from benchmarks import training_speed

    monkeypatch.setattr(training_speed, "find_spec", lambda name: None)
    assert training_speed._pytorch_fits(setting, ARCHITECTURE) == {}
    assert "torch" not in training_speed.versions()


@pytest.mark.parametrize("architecture", ["residual_small", "vgg_bn"])
def test_pytorch_trains_the_same_network(architecture, setting):
    """Its logits are those of Keras, outside training; a step changes every weight."""
    pytest.importorskip("torch")
    from benchmarks import pytorch_step
    from benchmarks.training_speed import stock_network

    network = stock_network(architecture, setting)
    generator = np.random.default_rng(0)
    network.set_weights([w * generator.uniform(0.9, 1.1, w.shape) + (w.ndim == 1) * 0.1 for w in network.get_weights()])
    assert pytorch_step.unknown_layers(network) == []
    module = pytorch_step.Network(network).eval()
    images = setting.data().x_train[:8]
    logits = module(pytorch_step.to_inputs(images)).detach().numpy()
    logits -= logits.max(axis=1, keepdims=True)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, network.predict(images, verbose=0), atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_pytorch_trains_on_every_image_once(dtype, setting):
    pytest.importorskip("torch")
    from benchmarks import pytorch_step
    from benchmarks.training_speed import stock_network

    data, params = setting.data(), setting.params(ARCHITECTURE, "float32").train
    module = pytorch_step.Network(stock_network(ARCHITECTURE, setting))
    before = [weight.detach().numpy().copy() for weight in module.parameters()]
    losses = {}
    pytorch_step.train_epoch(
        module, data.x_train, data.y_train, params, dtype, lambda batch, logs: losses.update({batch: logs["loss"]})
    )
    assert list(losses) == list(range(setting.batches))
    assert np.isfinite(list(losses.values())).all()
    assert all((weight.detach().numpy() != old).any() for weight, old in zip(module.parameters(), before, strict=True))


def test_pytorch_has_not_every_layer(setting):
    pytest.importorskip("torch")
    from benchmarks.pytorch_step import unknown_layers
    from benchmarks.training_speed import stock_network

    assert unknown_layers(stock_network("se_resnet", setting)) == ["Multiply"]


@pytest.mark.slow
def test_the_result_has_a_spread_of_everything(result):
    from benchmarks.training_speed import LIMITS, PYTORCH_RATIOS, PYTORCH_TRAININGS, RATIOS, TRAININGS

    pytorch = find_spec("torch") is not None
    assert (result["image_size"], result["batch_size"], result["steps"], result["threads"]) == (SIZE, BATCH, STEPS, 2)
    figures = result["architectures"][ARCHITECTURE]
    assert list(figures["images_a_second"]) == list(TRAININGS | (PYTORCH_TRAININGS if pytorch else {}))
    assert list(figures["billion_multiply_adds_a_second"]) == list(LIMITS)
    assert list(figures["ratios"]) == list(RATIOS | (PYTORCH_RATIOS if pytorch else {}))
    rates = figures["images_a_second"] | figures["billion_multiply_adds_a_second"]
    for spread in [*rates.values(), *figures["ratios"].values()]:
        assert len(spread["runs"]) == REPETITIONS
        assert spread["low"] <= spread["median"] <= spread["high"]
    assert all(spread["low"] > 0 for spread in rates.values())


@pytest.mark.slow
def test_the_ratios_of_a_result_are_those_of_its_rates(result):
    figures = result["architectures"][ARCHITECTURE]
    rates = {name: np.array(spread["runs"]) for name, spread in figures["images_a_second"].items()}
    ours, stock = rates["ours_mixed_bfloat16"], rates["keras_float32"]
    np.testing.assert_allclose(figures["ratios"]["speedup"]["runs"], ours / stock)
    limit = np.array(figures["billion_multiply_adds_a_second"]["convolutions_bfloat16"]["runs"])
    share = 3 * ours * figures["multiply_adds"] / 1e9 / limit
    np.testing.assert_allclose(figures["ratios"]["share_of_limit"]["runs"], share)


@pytest.mark.slow
def test_the_table_has_a_line_for_each_figure(result, capsys):
    from benchmarks.training_speed import LIMITS, RATIOS, TRAININGS, show

    show(result)
    table = capsys.readouterr().out
    for label in (*TRAININGS.values(), *LIMITS.values(), *RATIOS.values()):
        assert f"\n  {label} " in table
