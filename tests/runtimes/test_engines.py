"""A model file runs as its metadata says, or is refused; nothing of it runs code, and the terminal stays quiet."""

import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from itertools import permutations
from pathlib import Path
from unittest.mock import Mock

import h5py
import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from emotion.core.errors import InputError
from emotion.core.metadata import METADATA_MEMBER, ModelMetadata, write_metadata
from emotion.model_files.keras_file import load_model, save_model
from emotion.networks import registry
from emotion.runtimes import engines, onnx_export, tflite_export
from emotion.runtimes.engines import load_engine
from emotion.runtimes.onnx_schema import find_fault
from emotion.runtimes.tflite_engine import MAX_METADATA_BYTES
from tests.fuzzing import damaged, may_be_refused
from tests.makers import write_onnx

pytestmark = pytest.mark.tf

SIZE = 24
METADATA = ModelMetadata(("happy", "sad", "neutral"), SIZE, "grayscale")
SUFFIXES = [".keras", ".tflite", ".onnx"]
ROOT = Path(__file__).parents[2]
CASES = Path(__file__).with_name("cases")


@pytest.fixture(scope="module")
def files(deterministic, tmp_path_factory):
    """One small network as a file of each kind, by suffix."""
    folder = tmp_path_factory.mktemp("models")
    inputs = keras.Input((SIZE, SIZE, 1), dtype="uint8", name="image")
    hidden = keras.layers.Rescaling(1 / 255)(inputs)
    hidden = keras.layers.Conv2D(4, 3, strides=2, activation="relu")(hidden)
    hidden = keras.layers.GlobalAveragePooling2D()(hidden)
    network = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(hidden), name="tiny")
    files = {suffix: folder / f"model{suffix}" for suffix in SUFFIXES}
    save_model(files[".keras"], network, METADATA)
    tflite_export.write_tflite(files[".tflite"], tflite_export.to_float32_tflite(network), METADATA)
    onnx_export.write_onnx(files[".onnx"], onnx_export.to_onnx(network), METADATA)
    return files


@pytest.fixture(scope="module")
def loaded(files):
    return {suffix: load_engine(file, threads=1) for suffix, file in files.items()}


@pytest.fixture(scope="module")
def expected(files, images):
    """The network's own probabilities for the images."""
    return load_model(files[".keras"])[0].predict(images, verbose=0)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (5, SIZE, SIZE, 1), dtype=np.uint8)


# --- probabilities


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("batch_size", [1, 2, 5, 64])
def test_the_probabilities_do_not_depend_on_the_batch(loaded, images, expected, suffix, batch_size):
    outputs = loaded[suffix].predict(images, batch_size=batch_size, verbose=0)
    assert (outputs.dtype, outputs.shape) == (np.float32, (5, 3))
    assert np.abs(outputs - expected).max() < 1e-5


def test_keras_gives_the_bits_of_its_own_predict(loaded, images, expected):
    assert (loaded[".keras"].predict(images, batch_size=5, verbose=0) == expected).all()


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])  # Keras itself wants small letters
def test_capital_suffixes_are_known(files, tmp_path, suffix):
    assert load_engine(shutil.copy(files[suffix], tmp_path / f"MODEL{suffix.upper()}")).metadata == METADATA


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "images",
    [
        np.zeros((1, SIZE, SIZE, 3), np.uint8),
        np.zeros((1, 48, 48, 1), np.uint8),
        np.zeros((1, SIZE, SIZE, 1), np.float32),
        np.zeros((SIZE, SIZE, 1), np.uint8),
        np.zeros((0, SIZE, SIZE, 1), np.uint8),
    ],
    ids=["color", "size", "type", "one image", "none"],
)
def test_images_of_another_size_color_or_type_are_refused(loaded, suffix, images):
    with pytest.raises(
        InputError, match=rf"{images.dtype} .*{re.escape(str(images.shape))}, expected uint8 \(n, 24, 24, 1\)"
    ):
        loaded[suffix].predict(images, batch_size=1, verbose=0)


# --- what they do not need

PREDICT_WITH = """
import sys
from pathlib import Path
import numpy as np
from emotion.inference.predictor import Predictor

predictor = Predictor(sys.argv[1], detector="whole")
face, = predictor.predict(np.zeros((30, 20, 3), np.uint8))
assert abs(face.probabilities.sum() - 1) < 1e-6
heavy = "tensorflow keras jax torch pandas scipy sklearn pydantic ruamel matplotlib h5py onnx dvc".split()
print(*(name for name in heavy if name in sys.modules))
"""


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_no_large_package_is_loaded_to_predict(files, suffix):
    done = subprocess.run(
        [sys.executable, "-c", PREDICT_WITH, str(files[suffix])], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", ""), "LiteRT's greeting would be in stderr"


def test_what_is_not_installed_is_named(files, monkeypatch):
    for module in ("ai_edge_litert.interpreter", "onnxruntime", "emotion.model_files.keras_file"):
        monkeypatch.setitem(sys.modules, module, None)
    for suffix, package in ((".tflite", "ai-edge-litert"), (".onnx", "onnxruntime"), (".keras", "tensorflow keras")):
        with pytest.raises(InputError, match=rf"model\{suffix} .*pip install {package}"):
            load_engine(files[suffix])


# --- what is no model


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"These are no weights.\n", b"PK\x03\x04", bytes(1000)])
def test_what_is_no_model_is_refused(tmp_path, capfd, suffix, content):
    file = tmp_path / f"model{suffix}"
    file.write_bytes(content)
    with pytest.raises(
        InputError, match=rf"model\{suffix} (cannot be loaded|has no metadata).*(expected|name) a model file"
    ):
        load_engine(file)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix, other", permutations(SUFFIXES, 2))
def test_a_file_of_another_kind_is_refused(files, tmp_path, suffix, other):
    file = shutil.copy(files[other], tmp_path / f"model{suffix}")
    with pytest.raises(InputError):
        load_engine(file)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("share", [0.01, 0.5, 0.98])
def test_a_file_that_is_cut_off_is_refused(files, tmp_path, suffix, share):
    content = files[suffix].read_bytes()
    file = tmp_path / f"model{suffix}"
    file.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError):
        load_engine(file)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_missing_file_says_how_to_make_it(tmp_path, suffix):
    with pytest.raises(
        InputError, match=rf"models/model\{suffix} is missing; .*`dvc repro`.*`dvc pull .*model\{suffix}`"
    ):
        load_engine(tmp_path / f"models/model{suffix}")


@pytest.mark.parametrize("name", ["model.pb", "model", "model.h5"])
def test_another_suffix_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"content")
    with pytest.raises(InputError, match=rf"{re.escape(name)}: got .*, expected .*\.keras, \.tflite or \.onnx"):
        load_engine(tmp_path / name)


def test_a_file_that_is_too_large_is_refused_unread(files, monkeypatch):
    monkeypatch.setattr(engines, "MAX_MODEL_BYTES", 10)
    with pytest.raises(InputError, match=r"model\.tflite .*larger than \d+ MiB.*expected"):
        load_engine(files[".tflite"])


# --- what has metadata of another network


def write_own_metadata(suffix, file, text):
    """Write `text` into the model file as its metadata."""
    if suffix == ".onnx":
        model = onnx.load(file)
        onnx.helper.set_model_props(model, {"emotion": text})
        onnx.save(model, file)
    elif suffix == ".tflite":
        content = file.read_bytes()
        whole = io.BytesIO(content[: content.rindex(b"PK\x03\x04")])
        with zipfile.ZipFile(whole, "a") as archive:
            archive.writestr(METADATA_MEMBER, text)
        file.write_bytes(whole.getvalue())
    else:
        change_archive(file, lambda members: members.update({METADATA_MEMBER: text.encode()}))


def change_archive(file, change):
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "metadata",
    [
        ModelMetadata(METADATA.emotions, 48, "grayscale"),
        ModelMetadata(METADATA.emotions, SIZE, "rgb"),
        ModelMetadata(("happy", "sad"), SIZE, "grayscale"),
        ModelMetadata((*METADATA.emotions, "fear"), SIZE, "grayscale"),
    ],
    ids=["size", "color", "fewer", "more"],
)
def test_a_network_of_another_shape_than_it_says_is_refused(files, tmp_path, suffix, metadata):
    file = Path(shutil.copy(files[suffix], tmp_path))
    write_own_metadata(suffix, file, write_metadata(metadata))
    stated = rf"\b{metadata.color} .*\b{metadata.size} x.*\b{len(metadata.emotions)} emotions"
    with pytest.raises(InputError, match=rf"24, 24, 1\]\].*metadata.*{stated}"):
        load_engine(file)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"emotions": ["a"], "size": 24, "color": "grayscale"}', "\x00"])
def test_metadata_that_cannot_be_used_is_refused(files, tmp_path, suffix, text):
    file = Path(shutil.copy(files[suffix], tmp_path))
    write_own_metadata(suffix, file, text)
    with pytest.raises(InputError):
        load_engine(file)


def test_metadata_of_gigabytes_is_not_unpacked(files, tmp_path, monkeypatch):
    file = Path(shutil.copy(files[".tflite"], tmp_path))
    write_own_metadata(".tflite", file, " " * (MAX_METADATA_BYTES + 1))
    with pytest.raises(InputError, match=r"model\.tflite .*emotion\.json .*larger than 1 MiB"):
        load_engine(file)


def test_a_network_without_metadata_is_refused(files, tmp_path):
    content = files[".tflite"].read_bytes()
    (tmp_path / "bare.tflite").write_bytes(content[: content.rindex(b"PK\x03\x04")])
    model = onnx.load(files[".onnx"])
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "bare.onnx")
    for name in ("bare.tflite", "bare.onnx"):
        with pytest.raises(InputError, match=f"{name} .*metadata.*expected a model file"):
            load_engine(tmp_path / name)


def test_a_network_that_takes_floats_is_refused(tmp_path):
    file = write_onnx(tmp_path / "model.onnx", METADATA)
    model = onnx.load(file)
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    onnx.save(model, file)
    with pytest.raises(InputError, match=r"takes tensor\(float\), not tensor\(uint8\)"):
        load_engine(file)


# --- what would run code, or reach out of the file


def change_config(file, change):
    def rewrite(members):
        config = json.loads(members["config.json"])
        change(config["config"]["layers"])
        members["config.json"] = json.dumps(config).encode()

    change_archive(file, rewrite)


def named(module, class_name, /, **config):
    return {"module": module, "class_name": class_name, "config": config, "registered_name": None}


@pytest.mark.parametrize(
    "refused, layer",
    [
        ("os.system", named("os", "system", command="touch TOUCHED")),
        ("subprocess.Popen", named("subprocess", "Popen", args=["touch", "TOUCHED"])),
        ("builtins.function", named("builtins", "function", name="eval")),
        ("None.__lambda__", {"class_name": "__lambda__", "config": {"value": "gASVAAAA"}}),
        ("keras.layers.TFSMLayer", named("keras.layers", "TFSMLayer", filepath="TOUCHED")),
        ("keras.layers.StringLookup", named("keras.layers", "StringLookup", vocabulary="/etc/passwd")),
        ("keras.layers.TorchModuleWrapper", named("keras.layers", "TorchModuleWrapper", module="TOUCHED")),
        ("keras.utils.get_file", named("keras.utils", "get_file", fname="x", origin="file:///etc/passwd")),
        ("keras.config.enable_unsafe", named("keras.config", "enable_unsafe_deserialization")),
        ("keras.applications.ResNet50", named("keras.applications", "ResNet50", weights="imagenet")),
        ("keras.layers.NoSuchLayer", named("keras.layers", "NoSuchLayer")),
        (
            "emotion.training.acceleration.fused_batch_normalization.Fused",
            named("emotion.training.acceleration.fused_batch_normalization", "FusedBatchNormalization"),
        ),
        ("None.Dense", {"class_name": "Dense", "config": {}}),
    ],
)
def test_a_keras_file_that_names_anything_but_harmless_layers_is_refused(files, tmp_path, refused, layer):
    file, touched = Path(shutil.copy(files[".keras"], tmp_path)), tmp_path / "touched"
    layer = json.loads(json.dumps(layer).replace("TOUCHED", str(touched)))
    change_config(file, lambda layers: layers.insert(2, layer))
    with pytest.raises(InputError, match=f"model.keras is refused.*{refused}"):
        load_engine(file)
    assert not touched.exists()


@pytest.mark.parametrize("config", ["", "{", "[]", "null", "[" * 100_000, '{"class_name": [1], "module": {}}', "\xff"])
def test_a_keras_file_whose_network_cannot_be_read_is_refused(files, tmp_path, config):
    file = Path(shutil.copy(files[".keras"], tmp_path))
    change_archive(file, lambda members: members.update({"config.json": config.encode("latin-1")}))
    with pytest.raises(InputError, match=r"model\.keras (cannot be loaded|is refused)"):
        load_engine(file)


@pytest.mark.parametrize("key", ["activation", "kernel_initializer", "dtype"])
def test_what_stands_inside_a_layer_is_checked_too(files, tmp_path, key):
    file = Path(shutil.copy(files[".keras"], tmp_path))
    change_config(file, lambda layers: layers[2]["config"].update({key: named("os", "system", command="true")}))
    with pytest.raises(InputError, match=r"model\.keras is refused.*os\.system"):
        load_engine(file)


def test_a_lambda_layer_is_refused(tmp_path):
    inputs = keras.Input((SIZE, SIZE, 1), dtype="uint8")
    touched = tmp_path / "touched"
    outputs = keras.layers.Lambda(lambda x, name=str(touched): Path(name).write_text("") or x[:, 0, :3, 0])(inputs)
    save_model(tmp_path / "model.keras", keras.Model(inputs, outputs), METADATA)
    touched.unlink(missing_ok=True)
    with pytest.raises(InputError, match=r"model\.keras is refused.*keras\.layers\.Lambda"):
        load_engine(tmp_path / "model.keras")
    assert not touched.exists()


@pytest.mark.parametrize("name", registry.ARCHITECTURES)
def test_the_networks_of_this_project_are_harmless(name):
    from emotion.model_files.keras_file import check_config

    classes = 2 if name in registry.BINARY else 7
    check_config(json.loads(registry.build(name, 48, 1, classes).to_json()), name)


def test_weights_that_lie_in_another_file_are_refused(files, tmp_path):
    """HDF5 can link to other files, which would be read in the place of weights."""
    with h5py.File(tmp_path / "secret.h5", "w") as secret:
        secret["vars/0"] = np.zeros((3, 3, 1, 4), np.float32)

    def link(members):
        weights = io.BytesIO(members["model.weights.h5"])
        with h5py.File(weights, "r+") as target:
            del target["layers/conv2d/vars/0"]
            target["layers/conv2d/vars/0"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "vars/0")
        members["model.weights.h5"] = weights.getvalue()

    file = Path(shutil.copy(files[".keras"], tmp_path))
    with zipfile.ZipFile(file) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights:
        assert "conv2d" in weights["layers"], list(weights["layers"])
    change_archive(file, link)
    with pytest.raises(InputError, match="cannot be loaded"):
        load_engine(file)


def test_an_archive_that_would_unpack_without_end_is_refused(files, tmp_path, monkeypatch):
    monkeypatch.setattr("emotion.model_files.keras_file.MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(InputError, match=r"model\.keras cannot be loaded .*unpack to"):
        load_engine(files[".keras"])


def test_a_tflite_file_that_needs_tensorflow_operations_is_refused(tmp_path, deterministic, capfd):
    class Flex(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((1, SIZE, SIZE, 1), tf.uint8)])
        def run(self, image):
            tf.io.write_file(str(tmp_path / "touched"), "written")
            return tf.math.lgamma(tf.cast(image, tf.float32)[:, 0, :3, 0])

    module = Flex()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([module.run.get_concrete_function()], module)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    content = converter.convert()
    tflite_export.write_tflite(tmp_path / "model.tflite", content, METADATA)
    capfd.readouterr()
    with pytest.raises(InputError, match="cannot be loaded"):
        load_engine(tmp_path / "model.tflite")
    assert capfd.readouterr().err == ""
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("location", ["../weights.bin", "{}/weights.bin", "weights.bin"])
def test_an_onnx_file_whose_weights_lie_elsewhere_is_refused(tmp_path, monkeypatch, location):
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    file = write_onnx(tmp_path / "sub/model.onnx", METADATA)
    model = onnx.load(file)
    weights = model.graph.initializer[1]
    for place in (tmp_path, tmp_path / "sub"):
        (place / "weights.bin").write_bytes(weights.raw_data)
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=location.format(tmp_path))
    file.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=r"model\.onnx cannot be loaded .*weights .*another file"):
        load_engine(file)


def test_an_onnx_file_whose_weights_lie_elsewhere_by_a_rare_encoding_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.bin").write_bytes(bytes(64_512))
    shutil.copy(CASES / "onnx_external_data_long_length.onnx", tmp_path / "model.onnx")
    with pytest.raises(InputError, match=r"model\.onnx cannot be loaded .*weights .*another file"):
        load_engine(tmp_path / "model.onnx")


def put_into(model: onnx.ModelProto, place: str, tensor: onnx.TensorProto) -> None:
    """Put `tensor` where an ONNX file may have one."""
    graph = onnx.helper.make_graph([], "inner", [], [], initializer=[tensor])
    attribute = onnx.AttributeProto(name="a", type=onnx.AttributeProto.TENSOR, t=tensor)
    if place == "sparse":
        model.graph.sparse_initializer.add(values=tensor)
    elif place == "sparse indices":
        model.graph.sparse_initializer.add(indices=tensor)
    elif place == "attribute":
        model.graph.node[0].attribute.append(attribute)
    elif place == "attributes":
        model.graph.node[0].attribute.add(name="a", tensors=[tensor])
    elif place == "function":
        model.functions.add(name="f", node=[onnx.NodeProto(op_type="Constant", attribute=[attribute])])
    elif place == "training":
        model.training_info.add(algorithm=graph)
    elif place == "subgraph":
        model.graph.node[0].attribute.add(name="body", g=graph)
    else:
        model.graph.node[0].attribute.add(name="bodies", graphs=[graph])


@pytest.mark.parametrize(
    "place",
    ["sparse", "sparse indices", "attribute", "attributes", "function", "training", "subgraph", "subgraphs"],
)
def test_tensors_in_other_files_are_found_wherever_they_are_named(tmp_path, place):
    model = onnx.load(write_onnx(tmp_path / "model.onnx", METADATA))
    assert find_fault(model.SerializeToString()) is None
    tensor = onnx.TensorProto(dims=[1], data_type=1, data_location=onnx.TensorProto.EXTERNAL)
    put_into(model, place, tensor)
    assert find_fault(model.SerializeToString()) in ("its weights are in another file", "it has a loop or a branch")


def test_an_onnx_file_with_a_loop_is_refused(tmp_path):
    file = write_onnx(tmp_path / "model.onnx", METADATA)
    model = onnx.load(file)
    body = onnx.helper.make_graph([], "body", [], [])
    model.graph.node.append(onnx.helper.make_node("Loop", [], ["x"], body=body))
    onnx.save(model, file)
    with pytest.raises(InputError, match="it has a loop or a branch"):
        load_engine(file)


@pytest.mark.skipif(sys.platform == "darwin", reason="the converter's loop is tried on Linux")
def test_a_tflite_file_with_a_loop_is_refused(tmp_path):
    class Endless(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((1, SIZE, SIZE, 1), tf.uint8)])
        def run(self, image):
            values = tf.cast(image, tf.float32)[:, 0, :3, 0]
            return tf.while_loop(lambda values: tf.reduce_sum(values) >= 0, lambda values: (values + 1,), (values,))[0]

    module = Endless()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([module.run.get_concrete_function()], module)
    tflite_export.write_tflite(tmp_path / "model.tflite", converter.convert(), METADATA)
    with pytest.raises(InputError, match="it has a loop or a branch"):
        load_engine(tmp_path / "model.tflite")


def test_an_onnx_file_with_operations_of_others_is_refused(tmp_path):
    file = write_onnx(tmp_path / "model.onnx", METADATA)
    model = onnx.load(file)
    model.graph.node[0].domain = "my.company"
    model.opset_import.add(domain="my.company", version=1)
    onnx.save(model, file)
    with pytest.raises(InputError, match="cannot be loaded"):
        load_engine(file)


@pytest.mark.fuzz
@pytest.mark.parametrize("suffix", SUFFIXES)
@given(data=st.data())
def test_any_damage_to_a_model_file_leaves_probabilities_or_is_refused(files, tmp_path_factory, suffix, data):
    path = tmp_path_factory.getbasetemp() / f"damaged{suffix}"
    path.write_bytes(data.draw(damaged([files[suffix].read_bytes()])))
    with may_be_refused():
        engine = load_engine(path, threads=1)
        size, channels = engine.metadata.size, engine.metadata.channels
        outputs = engine.predict(np.zeros((2, size, size, channels), np.uint8), batch_size=2, verbose=0)
        assert outputs.dtype == np.float32
        assert len(outputs) == 2


def test_an_onnx_file_whose_network_fails_on_images_is_named(files, tmp_path):
    file = tmp_path / "model.onnx"
    model = onnx.load(files[".onnx"])
    shape = next(tensor for tensor in model.graph.initializer if tensor.data_type == onnx.TensorProto.INT64)
    shape.CopyFrom(onnx.numpy_helper.from_array(np.array([0, 7, 7, 7]), shape.name))
    onnx.save(model, file)
    engine = load_engine(file)
    with pytest.raises(InputError, match=r"model\.onnx cannot predict .*expected a model file"):
        engine.predict(np.zeros((2, SIZE, SIZE, 1), np.uint8), batch_size=2, verbose=0)


def test_errors_that_are_none_of_the_file_stay_what_they_are(files, monkeypatch):
    monkeypatch.setattr(Path, "read_bytes", Mock(side_effect=PermissionError(13, "Permission denied")))
    with pytest.raises(PermissionError):
        load_engine(files[".onnx"])
    monkeypatch.undo()
    engine = load_engine(files[".onnx"])
    for error in (MemoryError("no room"), InputError("said already")):
        monkeypatch.setattr(engine, "_predict_batch", Mock(side_effect=error))
        with pytest.raises(type(error), match=str(error)):
            engine.predict(np.zeros((2, SIZE, SIZE, 1), np.uint8), batch_size=2, verbose=0)


def test_a_tflite_file_whose_tensors_would_fill_the_memory_is_refused_before_they_do(files, tmp_path):
    content = files[".tflite"].read_bytes()
    for shape in (SIZE, SIZE, 1), (11, 11, 4):
        content = content.replace(
            np.array([1, *shape], "<i4").tobytes(), np.array([1, 9_999_999, *shape[1:]], "<i4").tobytes()
        )
    (tmp_path / "model.tflite").write_bytes(content)
    with pytest.raises(InputError, match=r"tensors have \d+ values, more than"):
        load_engine(tmp_path / "model.tflite")
