"""A network as files for other runtimes: TensorFlow Lite in three precisions and ONNX; and what becomes of its answers.

Every file takes uint8 images and gives float32 probabilities, as the network does, and has the form inside.
"""

import io
import statistics
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emotion.core.errors import InputError
from emotion.core.files import atomic_path
from emotion.core.metadata import FIXED_TIME, METADATA_MEMBER, METADATA_PROPERTY, ModelMetadata, write_metadata
from emotion.core.quiet import quiet
from emotion.evaluation.metrics import predicted_labels
from emotion.model_files.probabilities import predict_probabilities
from emotion.runtimes.engines import Engine

if TYPE_CHECKING:  # at run time they would load TensorFlow
    import keras
    import onnx
    import tensorflow as tf

CALIBRATION_IMAGES = 200
"""Training images by which the ranges of int8 are chosen; 1,000 gave no better accuracy on FER2013."""

REPETITIONS, SECONDS = 7, 0.05
"""How often a network is timed, and for how long each time; the median counts."""


def write_tflite(path: Path, content: bytes, metadata: ModelMetadata) -> None:
    """Write a TensorFlow Lite file, with the form behind it as a zip archive, as TFLite's own metadata is packed."""
    whole = io.BytesIO(content)
    with zipfile.ZipFile(whole, "a") as archive:
        archive.writestr(zipfile.ZipInfo(METADATA_MEMBER, FIXED_TIME), write_metadata(metadata))
    with atomic_path(path) as temporary:
        temporary.write_bytes(whole.getvalue())


def to_tflite(network: "keras.Model") -> bytes:
    """Return `network` as a TensorFlow Lite file that computes in float32.

    Raises:
        InputError: Keras runs on another backend than TensorFlow, or the network has what TensorFlow Lite has not.
    """
    return _convert(network, lambda converter: None)


def to_float16_tflite(network: "keras.Model") -> bytes:
    """Return `network` as a TensorFlow Lite file of half the bytes: weights in float16, computed in float32.

    Raises:
        InputError: as in `to_tflite`.
    """

    def choose(converter: "tf.lite.TFLiteConverter") -> None:
        import tensorflow as tf

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]

    return _convert(network, choose)


def to_int8_tflite(network: "keras.Model", images: np.ndarray) -> bytes:
    """Return `network` as a TensorFlow Lite file of a quarter of the bytes, which computes with integers alone.

    Only its last step is in floats, from integers to probabilities, which are multiples of 1/256.

    Args:
        network: takes uint8 (n, size, size, channels).
        images: uint8 (n, size, size, channels), by which the ranges of its layers are chosen: of training.

    Raises:
        InputError: as in `to_tflite`.
    """
    chosen = choose_images(images).astype(np.float32)

    def choose(converter: "tf.lite.TFLiteConverter") -> None:
        import tensorflow as tf

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[None]] for image in chosen)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type, converter.inference_output_type = tf.uint8, tf.float32

    return _convert(_taking_floats(network), choose)


def choose_images(images: np.ndarray) -> np.ndarray:
    """Return CALIBRATION_IMAGES of `images`, uint8 (n, size, size, channels), evenly spread; all of fewer.

    Two pixels of the first become black and white: the range of the input is that of the images seen, and has to
    be 0 to 255 for uint8 to pass as it is.
    """
    places = np.linspace(0, len(images) - 1, min(len(images), CALIBRATION_IMAGES)).round().astype(np.int64)
    chosen = np.array(images[places])
    chosen[0, 0, 0], chosen[0, -1, -1] = 0, 255
    return chosen


def _taking_floats(network: "keras.Model") -> "keras.Model":
    """Return `network` for float32 images of the same values: what casts uint8 would be computed in floats."""
    import keras

    images = keras.Input(network.input_shape[1:], dtype="float32", name="image")
    clone = keras.models.clone_model(network, input_tensors=images)
    clone.set_weights(network.get_weights())
    return clone


def _convert(network: "keras.Model", choose: Callable[["tf.lite.TFLiteConverter"], None]) -> bytes:
    """Return `network` as a TensorFlow Lite file, made as `choose` sets the converter."""
    check_backend()
    import tensorflow as tf

    with _converting("TensorFlow Lite"):
        converter = tf.lite.TFLiteConverter.from_keras_model(network)
        choose(converter)
        content: bytes = converter.convert()
    return content


def write_onnx(path: Path, content: bytes, metadata: ModelMetadata) -> None:
    """Write an ONNX file with the form among its metadata."""
    import onnx

    model = onnx.load_model_from_string(content)
    onnx.helper.set_model_props(model, {METADATA_PROPERTY: write_metadata(metadata)})
    with atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


def to_onnx(network: "keras.Model") -> bytes:
    """Return `network` as an ONNX file; its input is called `image`, its output `probabilities`.

    Raises:
        InputError: as in `to_tflite`, of ONNX.
    """
    check_backend()
    import keras
    import onnx

    images = keras.InputSpec(shape=network.input_shape, dtype="uint8", name="image")
    with _converting("ONNX"), tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "model.onnx"
        network.export(target, format="onnx", verbose=False, input_signature=[images])
        model = onnx.load_model_from_string(target.read_bytes())
    model = canonical(model)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def canonical(model: "onnx.ModelProto") -> "onnx.ModelProto":
    """Return `model` sorted by what needs what and named by place.

    The converter's names count what the process ever converted, and its order follows the names.
    """
    from onnx import helper

    graph, nodes = model.graph, sort_nodes(model.graph)
    names = {graph.input[0].name: "image", graph.output[0].name: "probabilities"}
    for number, node in enumerate(nodes):
        node.name = f"{node.op_type}_{number}"
        for tensors in (node.input, node.output):
            tensors[:] = [names.setdefault(name, f"tensor_{len(names)}") if name else "" for name in tensors]
    weights = {tensor.name: tensor for tensor in graph.initializer}
    used = [weights[name] for name in names if name in weights]
    for tensor in (graph.input[0], graph.output[0], *used):
        tensor.name = names[tensor.name]
    for end in (graph.input[0], graph.output[0]):
        end.type.tensor_type.shape.dim[0].dim_param = "images"
    sorted_graph = helper.make_graph(nodes, "network", [graph.input[0]], [graph.output[0]], used)
    return helper.make_model(sorted_graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def sort_nodes(graph: "onnx.GraphProto") -> list["onnx.NodeProto"]:
    """Return the nodes of `graph` that its output needs, each behind those that it needs itself, in their order."""
    makers = {name: node for node in graph.node for name in node.output}
    ordered: dict[int, onnx.NodeProto] = {}
    waiting = [makers[graph.output[0].name]]
    while waiting:
        node = waiting[-1]
        needed = [makers[name] for name in node.input if name in makers and id(makers[name]) not in ordered]
        if needed:
            waiting.append(needed[0])
        else:
            ordered[id(waiting.pop())] = node
    return list(ordered.values())


def check_backend() -> None:
    """Raise InputError where Keras runs on something else than TensorFlow, which the converters need."""
    import keras

    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise InputError(
            f"models are converted by TensorFlow, and Keras runs on {backend} here; run the command again with "
            "KERAS_BACKEND=tensorflow: a trained model can be converted whatever trained it"
        )


@contextmanager
def _converting(kind: str) -> Iterator[None]:
    """Keep the terminal quiet while a converter runs, and say what failed where it does."""
    try:
        with quiet(stdout=True), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    # Converters raise whatever their passes trip over.
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"the model cannot be converted to {kind}: {reason}; train.architecture has layers that {kind} has not"
        ) from error


def compare(
    engines: Mapping[str, Engine], images: np.ndarray, y_true: np.ndarray, metadata: ModelMetadata
) -> dict[str, dict[str, float]]:
    """Return what each engine scores on images, and how far it agrees with the first.

    Args:
        engines: by name; the first is what the others are converted from.
        images: uint8 (n, size, size, channels), of the test split.
        y_true: (n,) their labels.
        form: its `flip` and `threshold` count.

    Returns:
        By name: accuracy, the share of labels that are those of the first engine (agreement), both 0 to 1, and the
        largest difference of a probability from its.
    """
    answers = {name: predict_probabilities(engine, images, flip=metadata.flip) for name, engine in engines.items()}
    first = next(iter(answers.values()))
    return {name: _compare(answer, first, y_true, metadata.threshold) for name, answer in answers.items()}


def _compare(answer: np.ndarray, reference: np.ndarray, y_true: np.ndarray, threshold: float) -> dict[str, float]:
    labels = predicted_labels(answer, threshold)
    return {
        "accuracy": float((labels == y_true).mean()),
        "agreement": float((labels == predicted_labels(reference, threshold)).mean()),
        "largest_difference": float(np.abs(answer - reference).max()),
    }


def milliseconds_a_face(engine: Engine, image: np.ndarray) -> float:
    """Return how long `engine` takes for one `image`, uint8 (size, size, channels), one pass, handed over alone."""
    faces = image[None]
    _calls_a_second(engine, faces)  # the first calls allocate
    return statistics.median(1000 / _calls_a_second(engine, faces) for _ in range(REPETITIONS))


def _calls_a_second(engine: Engine, faces: np.ndarray) -> float:
    start, calls, seconds = time.perf_counter(), 0, 0.0
    while seconds < SECONDS:
        engine.predict(faces, batch_size=1, verbose=0)
        calls, seconds = calls + 1, time.perf_counter() - start
    return calls / seconds
