"""Export of a network as an ONNX file, which takes uint8 images, gives float32 probabilities and holds metadata."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from emotion.core.files import atomic_path
from emotion.core.metadata import METADATA_PROPERTY, ModelMetadata, write_metadata
from emotion.runtimes.converters import check_backend, converting

if TYPE_CHECKING:  # at run time they would load TensorFlow
    import keras
    import onnx


def write_onnx(path: Path, content: bytes, metadata: ModelMetadata) -> None:
    """Write `content`, an ONNX file, to `path` with the metadata among its properties."""
    import onnx

    model = onnx.load_model_from_string(content)
    onnx.helper.set_model_props(model, {METADATA_PROPERTY: write_metadata(metadata)})
    with atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


def to_onnx(network: "keras.Model") -> bytes:
    """Return `network` as an ONNX file. Its input is called `image`, its output `probabilities`.

    Raises:
        InputError: Keras runs on another backend than TensorFlow, or ONNX lacks an operation of the network.
    """
    check_backend()
    import keras
    import onnx

    images = keras.InputSpec(shape=network.input_shape, dtype="uint8", name="image")
    with converting("ONNX"), tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "model.onnx"
        network.export(target, format="onnx", verbose=False, input_signature=[images])
        model = onnx.load_model_from_string(target.read_bytes())
    model = canonicalize(model)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def canonicalize(model: "onnx.ModelProto") -> "onnx.ModelProto":
    """Return `model` with its nodes in the order of their inputs, and names by position.

    The converter's names depend on earlier conversions in the process, and its order follows the names.
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
    """Return the nodes of `graph` that its output depends on, each after the nodes that it depends on itself."""
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
