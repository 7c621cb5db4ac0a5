"""Training learns, chooses by validation alone, and goes on after an interruption as if there had been none."""

import copy
import math
from pathlib import Path

import keras
import numpy as np
import pytest

from emotion.core.errors import InputError
from emotion.core.params import check_params, read_yaml
from emotion.data.images import to_input
from emotion.networks import registry
from emotion.networks.registry import ANY_SIZE
from emotion.training import loop
from emotion.training.augmentation import Augmentation
from emotion.training.distillation import Imitation, Teachers, ask_once
from emotion.training.loop import DivergedError, TrainingData, epoch_sizes, train
from emotion.training.optimizers import WarmUp
from emotion.training.pretrained import Pretrained, copy_weights

CALM = {"flip": False, "rotation": 0.0, "zoom": [1.0, 1.0], "shift": 0.0}
CALM |= {"brightness": 0.0, "contrast": 0.0, "erase": 0.0}
BY_HEART = {"architecture": "residual_small", "epochs": 8, "label_smoothing": 0.0}
BY_HEART |= {"optimizer": "adam", "learning_rate": 0.001}
"""With these, and CALM, a few images are learned by heart."""
CONTENT = read_yaml(Path(__file__).parents[2] / "params.yaml")

pytestmark = pytest.mark.usefixtures("tiny")


def make_params(augmentation=None, **train_values):
    content = copy.deepcopy(CONTENT)
    content["augmentation"] |= augmentation or {}
    content["train"] |= {"architecture": "tiny", "epochs": 3, "warmup_epochs": 1, "batch_size": 16} | train_values
    return check_params(content, "train", "augmentation", "compute")


def noise(count, seed, size=24):
    """Return random smooth images, and labels that have nothing to do with them."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (count, 4, 4, 1), dtype=np.uint8)
    images = np.stack([to_input(image, size, "grayscale") for image in coarse])
    return images, generator.integers(0, 3, count).astype(np.int32)


@pytest.fixture(scope="module")
def data(deterministic):
    """A training set to be learned by heart or not at all, and a validation set that it says nothing of."""
    return TrainingData(*noise(32, seed=1), *noise(24, seed=2))


class InterruptionError(Exception):
    """What stands for a kill in these tests."""


def stop_after(last):
    def after_epoch(epoch):
        if epoch == last:
            raise InterruptionError

    return after_epoch


def same(first, second):
    weights = zip(first.model.get_weights(), second.model.get_weights(), strict=True)
    return first.history == second.history and all((a == b).all() for a, b in weights)


@pytest.mark.parametrize(("architecture", "repeats"), [("residual_small", 12), ("conv64_128_256", 48)])
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
    ("architecture", "optimizer"), [("tiny", "sgd"), ("residual_small", "muon"), ("conv64_128_256", "sgd")]
)
def test_an_interrupted_training_ends_with_the_same_bits(architecture, optimizer, data, tmp_path):
    params = make_params(architecture=architecture, optimizer=optimizer, epochs=4)
    whole = train(data, 3, params, tmp_path / "whole")
    seen: list[int] = []
    for last in (1, 3):
        with pytest.raises(InterruptionError):
            train(data, 3, params, tmp_path / "parts", stop_after(last))
    resumed = train(data, 3, params, tmp_path / "parts", seen.append)
    assert seen == [4]
    assert same(whole, resumed)
    assert whole.best_epoch == resumed.best_epoch


def test_smaller_images_first_go_on_with_the_same_bits_too(data, tmp_path):
    params = make_params(epochs=3, progressive_sizes=[[16, 2]])
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
    train(data, 3, make_params(progressive_sizes=[[16, 2]]), tmp_path)
    assert traced == [16, 24]


def test_a_network_that_enlarges_learns_at_the_size_of_the_images(data, tmp_path):
    """The same steps as without enlargement: only what validation sees, and with it what is saved, is another."""
    params = make_params(inference_size=32, progressive_sizes=[[16, 1]], monitor="loss", precision="float32")
    plain = train(data, 3, make_params(progressive_sizes=[[16, 1]], monitor="loss", precision="float32"), tmp_path)
    whole = train(data, 3, params, tmp_path / "whole")
    with pytest.raises(InterruptionError):
        train(data, 3, params, tmp_path / "parts", stop_after(2))
    assert same(whole, train(data, 3, params, tmp_path / "parts"))
    assert [row["loss"] for row in whole.history] == [row["loss"] for row in plain.history]
    assert [row["val_loss"] for row in whole.history] != [row["val_loss"] for row in plain.history]
    said = whole.model.predict(data.x_val, verbose=0)
    assert (said.argmax(axis=1) == data.y_val).mean() == pytest.approx(
        whole.history[whole.best_epoch - 1]["val_accuracy"]
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"inference_size": 24}, r"got 24, expected null or more than features\.image_size \(24\)"),
        ({"inference_size": 32, "architecture": "conv64_128_256"}, "conv64_128_256 takes images of one size only"),
    ],
)
def test_an_enlargement_that_cannot_be_is_refused(values, message, data, tmp_path):
    with pytest.raises(InputError, match=rf"train\.inference_size: {message}"):
        train(data, 3, make_params(**values), tmp_path)


def test_an_unknown_network_is_named_as_such_even_if_it_is_to_enlarge(data, tmp_path):
    with pytest.raises(InputError, match=r"train\.architecture: got 'resnet'"):
        train(data, 3, make_params(architecture="resnet", inference_size=32), tmp_path)


@pytest.mark.parametrize("change", [{"learning_rate": 0.01}, {"seed": 9}, {"augmentation": {"erase": 0.9}}])
def test_a_checkpoint_of_other_params_is_left_alone(change, data, tmp_path):
    with pytest.raises(InterruptionError):
        train(data, 3, make_params(), tmp_path, stop_after(1))
    seen: list[int] = []
    train(data, 3, make_params(**change), tmp_path, seen.append)
    assert seen == [1, 2, 3]


def test_a_checkpoint_of_other_images_is_left_alone(data, tmp_path):
    with pytest.raises(InterruptionError):
        train(data, 3, make_params(), tmp_path, stop_after(1))
    changed = data.x_train.copy()
    changed[0, 0, 0, 0] ^= 1
    seen: list[int] = []
    train(TrainingData(changed, data.y_train, data.x_val, data.y_val), 3, make_params(), tmp_path, seen.append)
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("monitor", ["accuracy", "loss"])
def test_the_best_epoch_by_validation_is_kept(monitor, data, tmp_path):
    result = train(data, 3, make_params(monitor=monitor, epochs=5, label_smoothing=0.0), tmp_path)
    scores = [row["val_accuracy"] if monitor == "accuracy" else -row["val_loss"] for row in result.history]
    assert result.best_epoch == 1 + scores.index(max(scores))
    probabilities = result.model.predict(data.x_val, verbose=0)
    loss = -np.log(probabilities[np.arange(len(data.y_val)), data.y_val]).mean()
    assert loss == pytest.approx(result.history[result.best_epoch - 1]["val_loss"], rel=1e-3)


def test_patience_ends_the_training(data, tmp_path):
    result = train(data, 3, make_params(epochs=40, patience=2, warmup_epochs=0), tmp_path)
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
    result = train(data, 3, make_params(wild, epochs=1, warmup_epochs=0, label_smoothing=0.0), tmp_path)
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
        {"batch_size": 1000, "warmup_epochs": 0},
    ],
)
def test_every_choice_trains(values, data, tmp_path, monkeypatch):
    monkeypatch.setattr("emotion.training.precision.has_bfloat16", lambda: True)  # emulated where it is not
    result = train(data, 3, make_params(epochs=2, **values), tmp_path)
    assert all(math.isfinite(row["loss"]) for row in result.history)
    assert {w.dtype for w in result.model.get_weights()} == {np.dtype(np.float32)}
    assert {layer.dtype_policy.name for layer in result.model.layers} == {"float32"}


def test_the_schedule_warms_up_and_falls_to_zero():
    params = make_params(epochs=10, warmup_epochs=2, learning_rate=1.0).train
    rates = [float(WarmUp(params, 5)(step)) for step in range(50)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1, abs=0.02)
    assert 9 <= rates.index(max(rates)) <= 10
    assert rates[-1] < 0.01
    assert rates[30] == pytest.approx(0.5, abs=0.01)  # halfway from step 10 to step 50


def test_balanced_weights_make_every_class_weigh_the_same():
    params = make_params(class_weights="balanced").train
    weights = loop._sample_weights(np.array([0, 0, 0, 1, 2, 2]), 4, params)
    assert weights == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2, 1, 1])


@pytest.mark.parametrize(
    ("architecture", "optimizer", "kernels"),
    [
        ("residual_small", "sgd", {"kernel"}),
        ("mini_xception", "sgd", {"kernel", "depthwise_kernel", "pointwise_kernel"}),
        ("mini_xception", "muon", {"kernel", "depthwise_kernel"}),  # "kernel" is that of the first convolution
    ],
)
def test_weight_decay_leaves_out_all_but_kernels(architecture, optimizer, kernels, data, deterministic):
    run = loop._Run(data, 3, make_params(architecture=architecture, optimizer=optimizer), any_size=False)
    decayed = {w.name for w in run.fast.trainable_weights if run.optimizer._use_weight_decay(w)}
    assert decayed == kernels


def test_sizes_by_epoch():
    assert epoch_sizes(make_params(epochs=4, progressive_sizes=[[16, 1], [20, 2]]).train, 24) == [16, 20, 20, 24]
    assert epoch_sizes(make_params(epochs=2).train, 24) == [24, 24]


@pytest.mark.parametrize("progressive_sizes", [[[16, 4]], [[24, 1]], [[48, 1]]])
def test_sizes_that_do_not_fit_are_refused(progressive_sizes):
    with pytest.raises(InputError, match=r"train\.progressive_sizes: got"):
        epoch_sizes(make_params(progressive_sizes=progressive_sizes).train, 24)


def test_sizes_that_vanish_in_the_layers_are_refused(data, tmp_path):
    with pytest.raises(InputError, match=r"train.progressive_sizes: got \[\[6, 1\]\], expected sizes of at least 8"):
        train(data, 3, make_params(architecture="residual_small", progressive_sizes=[[6, 1]]), tmp_path)


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


@pytest.mark.parametrize(("label", "smoothed"), [(0, 0.1), (1, 0.9)])
def test_label_smoothing_of_two_classes_goes_both_ways(label, smoothed):
    loss = loop._loss(make_params(label_smoothing=0.2).train, 2)
    target = loop._targets(np.array([label]), 2)
    losses = [float(loss(target, np.array([[p]], np.float32))) for p in (smoothed - 0.05, smoothed, smoothed + 0.05)]
    assert min(losses) == losses[1]


def test_votes_are_what_training_aims_at(data, tmp_path):
    """Split votes keep the network from being sure: its probabilities end near their shares, and not near 1."""
    often = np.tile(np.arange(32), 12)
    votes = np.full((32, 3), 1, np.uint8)
    votes[np.arange(32), data.y_train] = 8
    voted = TrainingData(data.x_train[often], data.y_train[often], data.x_train, data.y_train, votes[often])
    params = make_params(CALM, **BY_HEART | {"learning_rate": 0.002, "monitor": "loss"})
    result = train(voted, 3, params, tmp_path)
    chosen = result.model.predict(voted.x_val, verbose=0)[np.arange(32), data.y_train]
    assert np.median(chosen) == pytest.approx(0.8, abs=0.12)


def test_a_checkpoint_of_other_votes_is_left_alone(data, tmp_path):
    votes = np.full((32, 3), 1, np.uint8)
    arrays = (data.x_train, data.y_train, data.x_val, data.y_val)
    with pytest.raises(InterruptionError):
        train(TrainingData(*arrays, votes), 3, make_params(), tmp_path, stop_after(1))
    seen: list[int] = []
    train(TrainingData(*arrays, votes * 2), 3, make_params(), tmp_path, seen.append)
    assert seen == [1, 2, 3]


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_loss_that_is_no_number_stops_at_once_with_advice(data, tmp_path):
    values = {"architecture": "conv64_128_256", "learning_rate": 10.0, "weight_decay": 0.9, "epochs": 30}
    params = make_params(warmup_epochs=0, **values)
    message = r"no number any more in epoch \d+, (step \d|validation); lower train.learning_rate"
    with pytest.raises(DivergedError, match=message):
        train(data, 3, params, tmp_path)


def test_the_step_at_which_the_loss_broke_is_named_and_the_best_epoch_kept(data, tmp_path, monkeypatch):
    whole_lesson = loop._Run._lesson

    def lesson(run, epoch):
        if epoch == 2:
            run.targets = np.full_like(run.targets, np.nan)
        return whole_lesson(run, epoch)

    monkeypatch.setattr(loop._Run, "_lesson", lesson)
    schedule = {"schedule": "constant", "warmup_epochs": 0}
    good = train(data, 3, make_params(epochs=2, **schedule), tmp_path / "good")
    with pytest.raises(DivergedError, match="in epoch 3, step 1;") as caught:
        train(data, 3, make_params(epochs=4, **schedule), tmp_path / "broken")
    assert caught.value.network is not None
    pairs = zip(good.model.get_weights(), caught.value.network.get_weights(), strict=True)
    assert all((kept == expected).all() for expected, kept in pairs)


def test_a_checkpoint_of_another_network_is_refused(data, tmp_path):
    """Its name is a hash of everything, so it only comes to this where someone renames files."""
    with pytest.raises(InterruptionError):
        train(data, 3, make_params(), tmp_path, stop_after(1))
    with pytest.raises(InterruptionError):
        train(data, 3, make_params(architecture="mini_xception"), tmp_path / "other", stop_after(1))
    (mine,), (other,) = tmp_path.glob("*.npz"), (tmp_path / "other").glob("*.npz")
    other.replace(mine)
    with pytest.raises(InputError, match="another network than tiny; delete it"):
        train(data, 3, make_params(), tmp_path)


@pytest.mark.parametrize("architecture", sorted(ANY_SIZE))
def test_the_fast_form_and_the_saved_one_say_the_same(architecture, data, tmp_path):
    """What validation scored, in the fast form, is what the stock network gives after saving."""
    params = make_params(architecture=architecture, epochs=2, label_smoothing=0.0, learning_rate=0.01)
    result = train(data, 3, params, tmp_path)
    run = loop._Run(data, 3, params, any_size=False)
    run.fast.set_weights(result.model.get_weights())
    logits = [np.log(network.predict(data.x_val, verbose=0)) for network in (run.fast, result.model)]
    np.testing.assert_allclose(logits[0], logits[1], atol=1e-4)


def test_mixed_images_have_mixed_targets(data):
    """Of each batch the first and the last image are mixed, and so on inwards, and their targets alike."""
    run = loop._Run(data, 3, make_params({"mixup": 1.0}, batch_size=12), any_size=False)
    batches = [keras.tree.map_structure(np.asarray, batch) for batch in run._lesson(0)]
    assert [len(targets) for _, targets, _ in batches] == [12, 12, 8]
    for (numbers, shares), targets, _ in batches:
        own, other = run.targets[numbers], run.targets[numbers[::-1]]
        assert shares.min() >= 0.5
        np.testing.assert_allclose(targets, shares[:, None] * own + (1 - shares[:, None]) * other, rtol=1e-6)


def test_a_teacher_is_imitated(data, tmp_path):
    """With all of the loss for imitation, labels count for nothing, and the student ends near its teacher."""
    often = np.tile(np.arange(32), 12)
    values = BY_HEART | {"learning_rate": 0.002}
    heart = TrainingData(data.x_train[often], data.y_train[often], data.x_train, data.y_train)
    teacher = train(heart, 3, make_params(CALM, **values), tmp_path).model
    misled = TrainingData(heart.x_train, (heart.y_train + 1) % 3, data.x_train, data.y_train)
    told = teacher.predict(data.x_train, verbose=0)
    for sees in ("augmented", "original"):
        params = make_params(CALM, teacher="x.keras", teacher_share=1.0, teacher_inputs=sees, **values)
        student = train(misled, 3, params, tmp_path / sees, pretrained=Pretrained((teacher,))).model
        said = student.predict(data.x_train, verbose=0)
        assert (said.argmax(axis=1) == told.argmax(axis=1)).mean() >= 30 / 32
        assert np.abs(said - told).mean() < 0.1


def test_a_checkpoint_of_another_teacher_is_left_alone(data, tmp_path):
    first, second = (registry.build("residual_small", 24, 1, 3) for _ in range(2))
    params = make_params(teacher="x.keras", teacher_share=0.5)
    with pytest.raises(InterruptionError):
        train(data, 3, params, tmp_path, stop_after(1), Pretrained((first,)))
    seen: list[int] = []
    train(data, 3, params, tmp_path, seen.append, Pretrained((second,)))
    assert seen == [1, 2, 3]


def test_several_teachers_speak_by_their_mean():
    """And where the student says the same as they, the loss is nought."""
    images = np.zeros((2, 4, 4, 1), np.uint8)
    said = np.array([[0.1, 0.2, 0.7]] * 2, np.float32), np.array([[0.5, 0.4, 0.1]] * 2, np.float32)
    teachers, imitation = Teachers([_speaker(answer[0]) for answer in said]), Imitation(0.5)
    mean = said[0] / 2 + said[1] / 2
    for student in (mean, 0.9 * said[0] + 0.1 * said[1]):
        np.testing.assert_array_equal(imitation(teachers(images), student, training=True), student)
        divergence = (mean * np.log(mean / student)).sum(axis=1).mean()
        assert (divergence == 0) == (student is mean)
        assert float(imitation.losses[0]) == pytest.approx(0.5 * divergence, abs=1e-6)


def _speaker(answer, size=4):
    """Return a network that says the same of all images."""
    images = keras.Input((size, size, 1), dtype="uint8")
    speaker = keras.Model(images, keras.layers.Dense(len(answer), "softmax")(keras.layers.Flatten()(images)))
    speaker.set_weights([np.zeros((size**2, len(answer))), np.log(answer)])
    return speaker


def test_a_teacher_is_asked_once_about_the_images_as_they_are(data, capsys):
    """Where training mirrors them, about their mirror images as well; as one in use, not as one in training."""
    teacher = registry.build("residual_small", 24, 1, 3)
    own, mirrored = (teacher.predict(images, verbose=0) for images in (data.x_train, data.x_train[:, :, ::-1]))
    assert np.abs(own - mirrored).max() > 1e-3
    for flip, expected in ((False, own), (True, (own + mirrored) / 2)):
        params = make_params({"flip": flip}, teacher="x.keras", teacher_share=0.5, teacher_inputs="original")
        run = loop._Run(data, 3, params, any_size=False, pretrained=Pretrained((teacher,)))
        assert run.answers is not None
        np.testing.assert_allclose(run.answers, expected, atol=1e-5)
        assert capsys.readouterr().out == "asking x.keras about 32 images\n"
    changed = make_params(teacher="x.keras", teacher_share=0.5)
    assert loop._Run(data, 3, changed, any_size=False, pretrained=Pretrained((teacher,))).answers is None


def test_a_teacher_is_not_asked_before_params_are_known_to_fit(data, tmp_path, capsys):
    params = make_params(teacher="x.keras", teacher_share=0.5, teacher_inputs="original", progressive_sizes=[[1, 1]])
    with pytest.raises(InputError, match=r"train\.progressive_sizes"):
        train(data, 3, params, tmp_path, pretrained=Pretrained((registry.build("residual_small", 24, 1, 3),)))
    assert "asking" not in capsys.readouterr().out


def test_of_mixed_images_the_answers_are_mixed(data):
    """As their targets are."""
    params = make_params({"mixup": 1.0}, batch_size=12, teacher="x.keras", teacher_share=0.5, teacher_inputs="original")
    run = loop._Run(data, 3, params, any_size=False, pretrained=Pretrained((_speaker([0.2, 0.3, 0.5], 24),)))
    run.answers = np.random.default_rng(0).random((len(data.x_train), 3), np.float32)
    for (numbers, shares, answers), _, _ in run._lesson(0):
        own, other = run.answers[numbers], run.answers[np.asarray(numbers)[::-1]]
        shares = np.asarray(shares)[:, None]
        np.testing.assert_allclose(answers, shares * own + (1 - shares) * other, rtol=1e-6)


def test_two_classes_are_taught_by_what_was_asked_once(data):
    """A teacher of one output answers in two columns then, the student still in one."""
    teacher = registry.build("residual_small", 24, 1, 2)
    answers = ask_once(Teachers([teacher]), data.x_train, flip=False)
    assert answers.shape == (len(data.x_train), 2)
    said = np.full((len(answers), 1), 0.3, np.float32)
    imitation = Imitation(1.0)
    imitation(answers, said, training=True)
    expected = (answers * np.log(answers / [0.7, 0.3])).sum(axis=1).mean()
    assert float(imitation.losses[0]) == pytest.approx(expected, abs=1e-5)


def test_a_training_starts_from_the_weights_of_another(data, tmp_path):
    """With a rate of nearly nothing it stays there; a last layer of other emotions starts anew."""
    first = train(data, 3, make_params(), tmp_path / "first").model
    still = make_params(init_from="x.keras", epochs=1, warmup_epochs=0, learning_rate=1e-9, weight_decay=0.0)
    for keep_head in (True, False):
        pretrained = Pretrained(start=first, keep_head=keep_head)
        second = train(data, 3, still, tmp_path / f"second_{keep_head}", pretrained=pretrained).model
        *body, head = [
            np.allclose(own.numpy(), other.numpy(), atol=1e-5)
            for own, other in zip(second.trainable_weights[:-1], first.trainable_weights[:-1], strict=True)
        ]
        assert all(body)
        assert head == keep_head


def test_a_checkpoint_of_another_start_is_left_alone(data, tmp_path):
    first, second = (registry.build("tiny", 24, 1, 3) for _ in range(2))
    params = make_params(init_from="x.keras")
    with pytest.raises(InterruptionError):
        train(data, 3, params, tmp_path, stop_after(1), Pretrained(start=first))
    seen: list[int] = []
    train(data, 3, params, tmp_path, seen.append, Pretrained(start=second))
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("architecture", sorted(registry.ARCHITECTURES.keys() - registry.BINARY))
def test_every_architecture_can_start_from_another_of_other_emotions(architecture):
    """All but its last layer, whose units are the emotions, is carried over."""
    start, network = (registry.build(architecture, 48, 1, classes) for classes in (3, 7))
    copy_weights(Pretrained(start=start, keep_head=False), network, make_params(architecture=architecture).train)
    carried = [np.array_equal(*values) for values in zip(network.get_weights(), start.get_weights(), strict=True)]
    assert carried == [True] * carried.count(True) + [False] * carried.count(False)
    assert 1 <= carried.count(False) <= 2


def test_a_start_of_another_architecture_is_refused(data, tmp_path):
    start = registry.build("residual_small", 24, 1, 3)
    params = make_params(architecture="residual", init_from="x.keras")
    with pytest.raises(InputError, match=r"train\.init_from: .*x\.keras is another network than .* residual at this"):
        train(data, 3, params, tmp_path, pretrained=Pretrained(start=start))
