"""The part of ONNX's schema in which a model can name other files or run for ever.

The package onnx has the whole schema. It is not needed to predict, and not installed with this project's wheel.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

PACKAGE = "emotion.onnx"

MESSAGES = {
    "Model": {"graph": (7, "Graph"), "training_info": (20, "Training*"), "functions": (25, "Function*")},
    "Training": {"initialization": (1, "Graph"), "algorithm": (2, "Graph")},
    "Function": {"node": (7, "Node*"), "attribute_proto": (11, "Attribute*")},
    "Graph": {"node": (1, "Node*"), "initializer": (5, "Tensor*"), "sparse_initializer": (15, "Sparse*")},
    "Node": {"attribute": (5, "Attribute*")},
    "Attribute": {
        "t": (5, "Tensor"),
        "g": (6, "Graph"),
        "tensors": (10, "Tensor*"),
        "graphs": (11, "Graph*"),
        "sparse_tensor": (22, "Sparse"),
        "sparse_tensors": (23, "Sparse*"),
    },
    "Sparse": {"values": (1, "Tensor"), "indices": (2, "Tensor")},
    "Tensor": {"external_data": (13, "Entry*"), "data_location": (14, "int")},
    "Entry": {},
}
"""The fields of each message by name: their number and their type, with a star where they repeat (onnx.proto3)."""


def find_fault(content: bytes) -> str | None:
    """Return why a model may not be run, or None.

    Args:
        content: the bytes of an ONNX file.

    Returns:
        A reason where weights are in another file, where the model has loops or branches, or where it cannot be read.
    """
    model = _model_class()()
    try:
        model.ParseFromString(content)
    except DecodeError:
        return "it is no ONNX file"
    for message in _walk(model):
        kind = message.DESCRIPTOR.name
        if kind == "Tensor" and (message.external_data or message.data_location):
            return "its weights are in another file"
        if kind == "Attribute" and (message.HasField("g") or message.graphs):
            return "it has a loop or a branch"
    return None


def _walk(message: Any) -> Iterator[Any]:
    """Yield a message and all messages in it."""
    waiting = [message]
    while waiting:
        message = waiting.pop()
        yield message
        for field, value in message.ListFields():
            if field.message_type is not None:
                waiting.extend(value if field.is_repeated else [value])


@cache
def _model_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="emotion_onnx.proto", package=PACKAGE, syntax="proto2")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            entry = message.field.add(name=field, number=number)
            entry.label = entry.LABEL_REPEATED if kind.endswith("*") else entry.LABEL_OPTIONAL
            if kind == "int":
                entry.type = entry.TYPE_INT32
            else:
                entry.type, entry.type_name = entry.TYPE_MESSAGE, f".{PACKAGE}.{kind.rstrip('*')}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.Model"))
