"""Training learns, chooses by validation alone, and continues after an interruption as if there had been none."""

import math
from dataclasses import replace

import numpy as np
import pytest

from emotion.training import loop
from emotion.training.augmentation import Augmentation
from emotion.training.checkpoints import Row
from emotion.training.input_pipeline import epoch_dataset
from emotion.training.loop import DivergedError, train
from emotion.training.training_data import TrainingData
from tests.training.makers import BY_HEART, CALM, InterruptionError, make_params, same, stop_after

pytestmark = [pytest.mark.usefixtures("tiny"), pytest.mark.tf]


@pytest.mark.parametrize(
    ("architecture", "repeats"), [("residual_small", 12), pytest.param("conv64_128_256", 48, marks=pytest.mark.slow)]
)
def test_images_can_be_learnt_by_heart(architecture, repeats, data, tmp_path):
    """Fails where images are scaled twice, or labels and images do not belong together."""
    often = np.tile(np.arange(32), repeats)  # averages of batch normalization take some hundred steps to settle
    data = TrainingData(data.x_train[often], data.y_train[often], data.x_train, data.y_train)
    params = make_params(CALM, **BY_HEART | {"architecture": architecture})
    result = train(data, 3, params, tmp_path)
    probabilities = result.model.predict(data.x_val, verbose=0)
    assert (probabilities.argmax(axis=1) == data.y_val).mean() >= 31 / 32


def test_the_same_seed_gives_the_same_weights_and_another_others(data, tmp_path):
    first, second, other = (train(data, 3, make_params(seed=seed), tmp_path) for seed in (1, 1, 2))
    first.checkpoint.remove()
    assert same(first, second)
    assert not same(first, other)


@pytest.mark.parametrize(
    ("architecture", "optimizer"),
    [
        ("tiny", "muon"),
        pytest.param("tiny", "sgd", marks=pytest.mark.slow),
        pytest.param("residual_small", "muon", marks=pytest.mark.slow),
        pytest.param("conv64_128_256", "sgd", marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_training_ends_with_the_same_bits(architecture, optimizer, data, tmp_path):
    params = make_params(architecture=architecture, optimizer=optimizer, epochs=4)
    whole = train(data, 3, params, tmp_path / "whole")
    seen: list[Row] = []
    for last in (1, 3):
        with pytest.raises(InterruptionError):
            train(data, 3, params, tmp_path / "parts", stop_after(last))
    resumed = train(data, 3, params, tmp_path / "parts", seen.append)
    assert seen == whole.history, "the epochs before the interruption come first"
    assert same(whole, resumed)
    assert whole.best_epoch == resumed.best_epoch


@pytest.mark.slow
def test_smaller_images_first_go_on_with_the_same_bits_too(data, tmp_path):
    params = make_params(epochs=3, progressive_sizes=[[16, 0.67]])
    whole = train(data, 3, params, tmp_path / "whole")
    with pytest.raises(InterruptionError):
        train(data, 3, params, tmp_path / "parts", stop_after(1))
    assert same(whole, train(data, 3, params, tmp_path / "parts"))
    assert [row["size"] for row in whole.history] == [16, 16, 24]


def test_the_step_of_each_size_is_traced_once(data, tmp_path, monkeypatch):
    """TensorFlow traces a step again that made variables, which took as long as the rest of a short training."""
    traced = []
    change = Augmentation.call

    def counted(self, images):
        traced.append(images.shape[1])
        return change(self, images)

    monkeypatch.setattr(Augmentation, "call", counted)
    train(data, 3, make_params(progressive_sizes=[[16, 0.67]]), tmp_path)
    assert traced == [16, 24]


@pytest.mark.parametrize("monitor", ["accuracy", "loss"])
def test_the_best_epoch_by_validation_is_kept(monitor, data, tmp_path):
    result = train(data, 3, make_params(monitor=monitor, epochs=5, label_smoothing=0.0), tmp_path)
    scores = [row["val_accuracy"] if monitor == "accuracy" else -row["val_loss"] for row in result.history]
    assert result.best_epoch == 1 + scores.index(max(scores))
    probabilities = result.model.predict(data.x_val, verbose=0)
    loss = -np.log(probabilities[np.arange(len(data.y_val)), data.y_val]).mean()
    assert loss == pytest.approx(result.history[result.best_epoch - 1]["val_loss"], rel=1e-3)


def test_the_last_epoch_is_kept_whatever_its_scores(data, tmp_path):
    result = train(data, 3, make_params(monitor="last", epochs=3), tmp_path)
    best = train(data, 3, make_params(monitor="loss", epochs=3), tmp_path)
    assert result.best_epoch == 3
    assert [row["val_loss"] for row in result.history] == [row["val_loss"] for row in best.history]


def test_patience_ends_the_training(data, tmp_path):
    result = train(data, 3, make_params(epochs=40, patience=2, warmup=0.0), tmp_path)
    assert len(result.history) == result.best_epoch + 2 < 40


def test_validation_images_do_not_teach(data, tmp_path):
    """Other validation labels change which epoch is kept, and not one weight on the way."""
    poisoned = TrainingData(data.x_train, data.y_train, data.x_val, (data.y_val + 1) % 3)
    kept, other = (train(d, 3, make_params(epochs=3), tmp_path) for d in (data, poisoned))
    assert [row["loss"] for row in kept.history] == [row["loss"] for row in other.history]
    assert [row["val_loss"] for row in kept.history] != [row["val_loss"] for row in other.history]


def test_validation_is_seen_without_augmentation(data, tmp_path):
    """The last row's validation loss is that of the plain images, though those in training are changed wildly."""
    wild = {"rotation": 180.0, "erase": 1.0, "contrast": 1.0, "flip": True}
    result = train(data, 3, make_params(wild, epochs=1, warmup=0.0, label_smoothing=0.0), tmp_path)
    probabilities = result.model.predict(data.x_val, verbose=0)
    loss = -np.log(probabilities[np.arange(len(data.y_val)), data.y_val]).mean()
    assert loss == pytest.approx(result.history[0]["val_loss"], rel=1e-3)


@pytest.mark.parametrize(
    "values",
    [
        {"optimizer": "adam", "schedule": "constant"},
        {"optimizer": "muon", "precision": "mixed_bfloat16"},
        {"class_weights": "balanced"},
        {"precision": "mixed_bfloat16"},
        {"precision": "auto"},
        {"augmentation": {"mixup": 0.4}},
        {"batch_size": 1000, "warmup": 0.0},
    ],
)
def test_every_choice_trains(values, data, tmp_path, monkeypatch):
    monkeypatch.setattr("emotion.training.precision.has_bfloat16", lambda: True)  # emulated where it is not
    result = train(data, 3, make_params(epochs=2, **values), tmp_path)
    assert all(math.isfinite(row["loss"]) for row in result.history)
    assert {w.dtype for w in result.model.get_weights()} == {np.dtype(np.float32)}
    assert {layer.dtype_policy.name for layer in result.model.layers} == {"float32"}


def test_two_classes_train_one_unit_towards_label_1(data, tmp_path):
    often = np.tile(np.arange(32), 12)
    y_train = data.y_train % 2
    twos = TrainingData(data.x_train[often], y_train[often], data.x_train, y_train)
    result = train(twos, 2, make_params(CALM, **BY_HEART), tmp_path)
    probabilities = result.model.predict(twos.x_val, verbose=0)
    assert probabilities.shape == (32, 1)
    right = (probabilities[:, 0] > 0.5) == (y_train == 1)
    assert right.mean() >= 31 / 32
    assert result.history[result.best_epoch - 1]["val_accuracy"] == pytest.approx(right.mean())
    loss = -np.log(np.where(y_train == 1, probabilities[:, 0], 1 - probabilities[:, 0])).mean()
    assert loss == pytest.approx(result.history[result.best_epoch - 1]["val_loss"], rel=1e-3)


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_loss_that_is_no_number_stops_at_once_with_advice(data, tmp_path):
    values = {"architecture": "conv64_128_256", "learning_rate": 10.0, "weight_decay": 0.9, "epochs": 30}
    params = make_params(warmup=0.0, **values)
    message = r"epoch \d+, (step \d|validation)\b.*train\.learning_rate \(10\.0\).*train\.warmup \(0\.0\)"
    with pytest.raises(DivergedError, match=message):
        train(data, 3, params, tmp_path)


def test_the_step_at_which_the_loss_broke_is_named_and_the_best_epoch_kept(data, tmp_path, monkeypatch):
    def broken_dataset(targets, epoch, params):
        if epoch == 2:
            targets = replace(targets, train=np.full_like(targets.train, np.nan))
        return epoch_dataset(targets, epoch, params)

    monkeypatch.setattr(loop, "epoch_dataset", broken_dataset)
    schedule = {"schedule": "constant", "warmup": 0.0}
    good = train(data, 3, make_params(epochs=2, **schedule), tmp_path / "good")
    with pytest.raises(DivergedError, match=r"epoch 3, step 1\b") as caught:
        train(data, 3, make_params(epochs=4, **schedule), tmp_path / "broken")
    assert caught.value.network is not None
    pairs = zip(good.model.get_weights(), caught.value.network.get_weights(), strict=True)
    assert all((kept == expected).all() for expected, kept in pairs)
