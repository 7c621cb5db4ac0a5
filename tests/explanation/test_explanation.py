"""Heat is where a network's answer comes from: by construction, by the formula, and by what an image loses there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers
from PIL import Image

from emotion.app import cli
from emotion.app.explain.explain_faces import explain_faces, find_keras_model, resolve_emotion
from emotion.core.errors import InputError
from emotion.core.metadata import ModelMetadata
from emotion.data.images import to_input
from emotion.explanation.grad_cam import explain, find_maps
from emotion.explanation.sheet import ExplainedFace, choose_explained, overlay, plot_explanations, plot_faces
from emotion.inference.defaults import STANDARD
from emotion.inference.predictor import Predictor
from emotion.model_files.keras_file import load_model, save_model
from emotion.networks import registry
from emotion.plots import style
from emotion.plots.style import save_figure
from tests.architectures import QUICK

ROOT = Path(__file__).parents[2]
RELEASED = ROOT / "models/released/photo-nano/model.keras"
SIZE = 16
EMOTIONS = ("happy", "sad", "neutral")
CASES = [
    pytest.param(name, classes, marks=() if name == QUICK else pytest.mark.slow)
    for name in registry.ARCHITECTURES
    for classes in ((2,) if name in registry.BINARY else (2, 7))
]

pytestmark = [pytest.mark.usefixtures("deterministic"), pytest.mark.tf]


def noise(count=3, size=48, channels=1, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, channels), dtype=np.uint8)


def detectors(units=3, *, flat=False):
    """A network with one map for what is bright and one for what is dark, each scored by a unit of its own.

    Bright things speak for label 0 and against 1, dark ones the other way; label 2 follows from neither. With `flat`
    the places of the maps are kept apart, and all but the left upper corner count for nothing.
    """
    inputs = keras.Input((SIZE, SIZE, 1), dtype="uint8")
    hidden = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    maps = layers.Conv2D(2, 1, activation="relu", name="maps")(hidden)
    hidden = layers.Flatten()(maps) if flat else layers.GlobalAveragePooling2D()(maps)
    activation = "sigmoid" if units == 1 else "softmax"
    network = keras.Model(inputs, layers.Dense(units, activation=activation, name="answer")(hidden))
    network.get_layer("maps").set_weights([np.array([[[[1.0, -1.0]]]]), np.array([-0.5, -0.5])])
    shares = np.array([[1.0], [-1.0]]) if units == 1 else np.array([[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]])
    if flat:
        places = np.zeros((SIZE, SIZE, 2, units))
        places[:4, :4] = shares
        shares = places.reshape(-1, units)
    network.get_layer("answer").set_weights([shares, np.zeros(units)])
    return network


def bright_and_dark():
    """A gray image with a bright corner, the left upper one, and a dark one, the right lower one."""
    image = np.full((1, SIZE, SIZE, 1), 128, np.uint8)
    image[0, :4, :4], image[0, -4:, -4:] = 255, 0
    return image


def corner(heat, *, lower=False):
    """Return how much of the heat of one image lies in a corner of 4 x 4 pixels, as a share of all of it."""
    side = slice(-4, None) if lower else slice(None, 4)
    return heat[side, side].sum() / heat.sum()


# --- where the heat is


def test_heat_is_where_the_emotion_comes_from():
    bright, dark = explain(detectors(), np.repeat(bright_and_dark(), 2, axis=0), np.array([0, 1]))
    assert corner(bright) == 1
    assert corner(dark, lower=True) == 1
    assert bright.max() == dark.max() == 1


def test_the_first_of_two_emotions_has_the_heat_against_the_second():
    second, first = explain(detectors(units=1), np.repeat(bright_and_dark(), 2, axis=0), np.array([1, 0]))
    assert corner(second) == 1
    assert corner(first, lower=True) == 1


@pytest.mark.parametrize("units", [1, 3])
def test_a_network_that_looks_at_one_corner_has_heat_there_alone(units):
    """All of the image is bright; Grad-CAM's average over places would be warm everywhere."""
    image = np.full((1, SIZE, SIZE, 1), 255, np.uint8)
    heat = explain(detectors(units, flat=True), image, np.array([1 if units == 1 else 0]))[0]
    assert corner(heat) == 1
    assert (heat[:4, :4] == 1).all()


def test_nothing_is_warm_where_nothing_speaks_for_the_emotion():
    assert not explain(detectors(), bright_and_dark(), np.array([2])).any()


def test_the_mirror_image_counts_as_much():
    network, image = detectors(), bright_and_dark()
    image[0, -4:, -4:] = 128
    (heat,) = explain(network, image, np.array([0]), flip=True)
    assert corner(heat) == 1, "the mirror image's heat is mirrored back"
    skewed = detectors(flat=True)
    (heat,) = explain(skewed, np.full((1, SIZE, SIZE, 1), 255, np.uint8), np.array([0]), flip=True)
    assert np.array_equal(heat, heat[:, ::-1])
    assert heat[0, 0] == heat[0, -1] == 1


def test_heat_is_that_of_the_formula():
    """Grad-CAM as its paper has it, with the gradient by finite differences, behind a head that is not linear."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((SIZE, SIZE, 1), dtype="uint8")
    hidden = layers.Rescaling(1 / 255)(inputs)
    maps = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(hidden)
    hidden = layers.Dense(8, activation="tanh")(layers.GlobalAveragePooling2D()(maps))
    hidden = layers.Dense(3)(hidden)
    network = keras.Model(inputs, layers.Activation("softmax")(hidden))
    images, label = noise(1, SIZE), 1
    activations = np.asarray(keras.Model(inputs, maps)(images), np.float64)
    scores = keras.Model(maps, hidden)
    weights = np.empty(4)
    for channel in range(4):
        step = np.zeros(activations.shape)
        step[..., channel] = 0.05
        above, below = (np.asarray(scores(activations + sign * step))[0, label] for sign in (1, -1))
        weights[channel] = (above - below) / 0.1
    expected = np.maximum(activations[0] @ weights, 0)
    expected = cv2.resize(expected, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    assert expected.max() > 0
    (heat,) = explain(network, images, np.array([label]))
    assert np.allclose(heat, expected / expected.max(), atol=1e-3)


@pytest.mark.parametrize("name, classes", CASES)
def test_every_architecture_can_be_explained(name, classes):
    network = registry.build(name, 48, 1, classes)
    images, labels = noise(3), np.array([0, 1, classes - 1])
    heat = explain(network, images, labels)
    assert heat.dtype == np.float32
    assert heat.shape == (3, 48, 48)
    assert np.isfinite(heat).all()
    for one in heat:
        assert one.min() >= 0
        assert one.max() in (0, 1)
    assert heat.any()
    assert np.array_equal(explain(network, images, labels), heat)
    assert not np.array_equal(explain(network, images, (labels + 1) % classes), heat)


def test_maps_are_what_the_last_pooling_takes():
    # Pooling inside of its blocks, for the weights of channels, is not the last.
    assert find_maps(registry.build("se_resnet", 48, 1, 7)).shape == (None, 6, 6, 192)
    assert find_maps(registry.build("conv32_64", 48, 1, 2)).shape == (None, 10, 10, 64)
    assert find_maps(registry.build("mini_xception", 64, 3, 7)).shape == (None, 4, 4, 7)


def test_color_images_and_batches():
    network = registry.build("residual_small", 24, 3, 3)
    images = noise(70, 24, channels=3)
    heat = explain(network, images, np.zeros(70, int))
    assert heat.shape == (70, 24, 24)
    assert np.allclose(heat[66:], explain(network, images[66:], np.zeros(4, int)), atol=1e-4)
    assert explain(network, images[:0], np.zeros(0, int)).shape == (0, 24, 24)


@pytest.mark.slow
def test_jax_gives_the_same_heat(tmp_path):
    network = registry.build("conv64_128", 24, 1, 3)
    save_model(tmp_path / "model.keras", network, ModelMetadata(EMOTIONS, 24, "grayscale"))
    np.save(tmp_path / "images.npy", noise(2, 24))
    code = (
        "from pathlib import Path; import numpy as np\n"
        "from emotion.model_files import keras_setup; from emotion.explanation.grad_cam import explain\n"
        "from emotion.model_files.keras_file import load_model\n"
        "model, _ = load_model(Path('model.keras'))\n"
        "np.save('heat.npy', explain(model, np.load('images.npy'), np.array([0, 2])))"
    )
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent/tensorflow.py").write_text("raise ImportError('not installed')", encoding="utf-8")
    paths = os.pathsep.join([str(tmp_path / "absent"), str(ROOT)])
    environment = os.environ | {"KERAS_BACKEND": "jax", "PYTHONPATH": paths}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, timeout=300)
    expected = explain(network, noise(2, 24), np.array([0, 2]))
    assert expected.any()
    assert np.allclose(np.load(tmp_path / "heat.npy"), expected, atol=1e-4)


@pytest.mark.skipif(
    not RELEASED.is_file(), reason="the released model is not here: git checkout models/released/photo-nano"
)
def test_hiding_what_is_warm_costs_the_released_model_its_answer():
    """A quarter of each of 100 faces is made gray: the warmest one costs half of the probability, the coldest none."""
    data = pytest.importorskip("skimage.data")
    network, metadata = load_model(RELEASED)
    faces = np.rint(255 * data.lfw_subset()[:100]).astype(np.uint8)[..., None]
    images = np.stack([to_input(face, metadata.size, metadata.color) for face in faces])
    before = network.predict(images, verbose=0)
    labels = before.argmax(axis=1)
    order = explain(network, images, labels).reshape(100, -1).argsort(axis=1, kind="stable")
    quarter = order.shape[1] // 4
    warm, cold = (
        network.predict(hide(images, places), verbose=0)[np.arange(100), labels].mean()
        for places in (order[:, -quarter:], order[:, :quarter])
    )
    assert cold > 0.9 * before.max(axis=1).mean()
    assert warm < 0.6 * cold


def hide(images, places):
    """Return gray `images` with the pixels at `places`, (n, pixels), made as bright as the image is on average."""
    hidden = images.reshape(len(images), -1).copy()
    hidden[np.arange(len(images))[:, None], places] = hidden.mean(axis=1)[:, None]
    return hidden.reshape(images.shape)


# --- what is refused


def test_a_network_without_maps_is_refused():
    inputs = keras.Input((SIZE, SIZE, 1), dtype="uint8")
    outputs = layers.Dense(3, activation="softmax")(layers.Rescaling(1 / 255)(layers.Flatten()(inputs)))
    with pytest.raises(InputError, match=r"feature maps.*xpected .*Flatten"):
        explain(keras.Model(inputs, outputs), noise(1, SIZE), np.array([0]))


def test_a_network_that_does_not_end_in_an_activation_is_refused():
    network = detectors()
    longer = keras.Model(network.input, layers.Dropout(0.5)(network.output))
    with pytest.raises(InputError, match=r"Dropout.*expected Dense or Activation"):
        explain(longer, noise(1, SIZE), np.array([0]))


@pytest.mark.parametrize(
    "images, labels, match",
    [
        (noise(1, SIZE), [3], r"labels \[3\] .*\b1 images, expected .*0 to 2"),
        (noise(1, SIZE), [-1], r"labels \[-1\] .*expected .*0 to 2"),
        (noise(2, SIZE), [0], r"labels \[0\] of shape \(1,\) .*\b2 images, expected "),
        (noise(1, SIZE + 1), [0], r"uint8 .*\(1, 17, 17, 1\), expected uint8 \(n, \*\(16, 16, 1\)\)"),
        (noise(1, SIZE)[0], [0], r"uint8 .*\(16, 16, 1\), expected uint8 \(n, "),
        (noise(1, SIZE).astype(np.float32), [0], "images of float32 .*expected uint8"),
    ],
)
def test_what_does_not_fit_the_network_is_refused(images, labels, match):
    with pytest.raises(InputError, match=match):
        explain(detectors(), images, np.array(labels))


def test_other_backends_are_refused(monkeypatch):
    network = detectors()
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(InputError, match=r"torch.*KERAS_BACKEND=tensorflow"):
        explain(network, bright_and_dark(), np.array([0]))


# --- images of it


@pytest.fixture
def few_pixels(monkeypatch):
    monkeypatch.setattr(style, "DPI", 45)


def test_the_overlay_shows_the_image_where_it_is_cold():
    image, heat = noise(1, 8)[0], np.zeros((8, 8))
    heat[0, 0] = 1
    drawn = overlay(image, heat)
    assert drawn.shape == (8, 8, 3)
    assert drawn.dtype == np.uint8
    assert (drawn[1:] == image[1:]).all()
    assert drawn[0, 0, 0] > drawn[0, 0, 2], "what is warm is yellow"


def make_predictions(emotions=EMOTIONS, count=60):
    generator = np.random.default_rng(1)
    actual, predicted = generator.choice(emotions, count), generator.choice(emotions, count)
    columns = {"row": np.arange(count), "actual": actual, "predicted": predicted}
    return pd.DataFrame(columns | {"confidence": generator.uniform(size=count), "correct": actual == predicted})


def test_the_sheet_takes_the_most_confident_of_each_emotion():
    predictions = make_predictions()
    chosen = predictions.loc[choose_explained(predictions, EMOTIONS, 2)]
    assert chosen.groupby(["actual", "correct"]).size().tolist() == [2] * 6
    for (actual, correct), rows in chosen.groupby(["actual", "correct"]):
        alike = predictions[(predictions["actual"] == actual) & (predictions["correct"] == correct)]
        assert rows["confidence"].tolist() == sorted(alike["confidence"], reverse=True)[:2]


@pytest.mark.parametrize("channels, count", [(1, 2), (3, 1)])
def test_the_sheet_is_drawn_and_the_same_bytes_twice(tmp_path, few_pixels, channels, count):
    predictions = make_predictions()
    predictions = predictions[(predictions["actual"] != "sad") | ~predictions["correct"]]
    rows = predictions.loc[choose_explained(predictions, EMOTIONS, count)]
    heat = np.random.default_rng(0).uniform(size=(len(rows), 12, 12))
    for name in ("one.png", "two.png"):
        figure = plot_explanations(noise(len(rows), 12, channels), heat, rows, EMOTIONS, count=count)
        texts = [text.get_text() for text in figure.axes[0].texts]
        assert {"right", "wrong", "none", *EMOTIONS} <= set(texts)
        assert sum("→" in text for text in texts) == 3 * count
        save_figure(figure, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


@pytest.mark.parametrize("shape", [(40, 60, 3), (60, 40, 1), (1, 1, 1), (30, 3000, 3)])
@pytest.mark.parametrize("faces", [1, 3])
def test_faces_of_any_image_are_drawn(tmp_path, few_pixels, shape, faces):
    heat = dict.fromkeys(("happy", "sad"), np.eye(12))
    probabilities = np.array([0.7, 0.2, 0.1])
    # A box that reaches beyond the image's borders.
    face = ExplainedFace((-5, -5, 100, 100), noise(1, 12)[0], probabilities, "happy", heat)
    figure = plot_faces(np.zeros(shape, np.uint8), [face] * faces, EMOTIONS)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts.count("happy 70 %") == texts.count("sad 20 %") == faces
    save_figure(figure, tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as image:
        assert np.ptp(np.asarray(image.convert("L"))) > 200


# --- the command


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    network = registry.build("residual_small", 24, 1, len(EMOTIONS))
    save_model(path, network, ModelMetadata(EMOTIONS, 24, "grayscale", flip=True, temperature=2.0))
    return path


@pytest.fixture
def image(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(noise(1, 60, channels=3)[0]).save("image.png")
    return tmp_path / "image.png"


def emotion_explain(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["emotion", "explain", *map(str, arguments)])
    cli.main()


def test_the_command_writes_a_plot_and_says_what_it_shows(model, image, monkeypatch, capsys):
    emotion_explain(monkeypatch, image, "--model", model, "--emotion", "Sadness", "-o", "why.png")
    line, plot = capsys.readouterr().out.splitlines()
    assert plot == "plot: why.png"
    (face,) = Predictor(model).predict(np.asarray(Image.open(image)))
    others = {"sad"} - {face.emotion}
    shown = [f"{name} {face.probabilities[EMOTIONS.index(name)]:.0%}" for name in (face.emotion, *others)]
    assert line == f"face at 0, 0 of 60x60 pixels: {', '.join(shown)}".replace("%", " %")
    first = Path("why.png").read_bytes()
    assert first.startswith(b"\x89PNG")
    emotion_explain(monkeypatch, image, "--model", model, "--emotion", "sad", "-o", "why.png", "--overwrite")
    assert Path("why.png").read_bytes() == first


def test_the_plot_has_a_name_unless_told(model, image, monkeypatch):
    emotion_explain(monkeypatch, image, "--model", model)
    assert Path("explanation.png").is_file()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["image.png", "--emotion", "bored"], r"--emotion: got 'bored', expected .*\bhappy\b"),
        (["image.png", "--emotion", "angry"], r"--emotion: got 'angry', expected .*\bhappy\b"),
        (["image.png", "--detector", "cascade"], r"no face\b.*--detector whole"),
        (["image.png", "-o", "out.jpg"], r"--out\b.* out\.jpg\b.*\.png"),
        (["image.png", "-o", "image.png"], r"--out: image\.png is the file to read"),
        (["image.png", "-o", "folder"], r"--out\b.* folder\b"),
        (["missing.png"], "missing.png: .*No such file"),
        (["folder"], "folder: .*is a folder"),
        (["text.jpg"], "text.jpg: "),
        (["empty.png"], "empty.png: .*empty"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_written(model, image, monkeypatch, arguments, message):
    (image.parent / "folder").mkdir()
    (image.parent / "text.jpg").write_text("no image")
    (image.parent / "empty.png").touch()
    before = sorted(path.name for path in image.parent.iterdir())
    content = image.read_bytes()
    with pytest.raises(SystemExit) as raised:
        emotion_explain(monkeypatch, *arguments, "--model", model)
    assert re.match(f"error: {message}", str(raised.value))
    assert sorted(path.name for path in image.parent.iterdir()) == before
    assert image.read_bytes() == content


@pytest.mark.parametrize("suffix", [".tflite", ".onnx", ".h5"])
def test_files_without_gradients_are_refused_with_what_to_name(tmp_path, suffix):
    named = tmp_path / f"model_int8{suffix}"
    with pytest.raises(InputError, match=r"--model\b.*\.keras.*models/model\.keras"):
        find_keras_model(named)
    (tmp_path / "model.keras").touch()
    with pytest.raises(InputError, match=rf"--model\b.*{tmp_path}/model\.keras"):
        find_keras_model(named)


def test_the_released_keras_file_explains_unless_another_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path("models/released") / STANDARD
    folder.mkdir(parents=True)
    for name in ("model.tflite", "model.keras"):
        (folder / name).touch()
    assert find_keras_model(None) == folder / "model.keras"
    assert find_keras_model(Path("mine.keras")) == Path("mine.keras")


@pytest.mark.parametrize(
    "text, emotion", [("happy", "happy"), (" Happy", "happy"), ("joy", "happy"), ("Mixed", "mixed")]
)
def test_emotions_are_known_by_name_and_synonym(text, emotion):
    assert resolve_emotion(text, ("happy", "mixed")) == emotion


def test_every_face_has_the_heat_of_its_own_emotion(model):
    predictor = Predictor(model, detector="whole")
    image = noise(1, 40)[0]
    (face,) = explain_faces(image, predictor)
    network, metadata = load_model(model)
    label = metadata.emotions.index(face.emotion)
    assert list(face.heat) == [face.emotion]
    assert np.array_equal(face.heat[face.emotion], explain(network, face.crop[None], np.array([label]), flip=True)[0])


# --- the stage


def test_the_stage_draws_its_sheet_and_refuses_what_does_not_fit(model, tmp_path, monkeypatch):
    from stages import explain as stage

    monkeypatch.chdir(tmp_path)
    for folder in ("models", "data/features", "metrics/curves"):
        Path(folder).mkdir(parents=True)
    Path("models/model.keras").write_bytes(model.read_bytes())
    Path("params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    for split in ("train", "val", "test"):
        np.save(f"data/features/x_{split}.npy", noise(60, 24))
        np.save(f"data/features/y_{split}.npy", np.zeros(60, np.int32))
    predictions = make_predictions()
    predictions.to_csv("metrics/curves/predictions.csv", index=False)
    stage.main()
    first = Path("metrics/explanations.png").read_bytes()
    stage.main()
    assert Path("metrics/explanations.png").read_bytes() == first
    predictions.replace("sad", "bored").to_csv("metrics/curves/predictions.csv", index=False)
    with pytest.raises(InputError, match=r"predictions\.csv .*bored.*models/model\.keras"):
        stage.main()
    predictions[1:].to_csv("metrics/curves/predictions.csv", index=False)
    with pytest.raises(InputError, match=r"predictions\.csv .*\b59\b.*data/features .*\b60\b"):
        stage.main()
