"""What a model takes and gives is read back as it was written, also from files of earlier versions."""

import json
from dataclasses import asdict, replace

import pytest

from emotion.core.errors import InputError
from emotion.core.metadata import ModelMetadata, read_metadata, write_metadata

METADATA = ModelMetadata(("happy", "sad"), 48, "grayscale", flip=True, temperature=1.5, margin=0.2)


def test_what_was_written_is_read():
    assert read_metadata(write_metadata(METADATA), "model.onnx") == METADATA


@pytest.mark.parametrize("detector", ["cascade", "mtcnn"])
def test_detectors_of_earlier_versions_become_the_default(detector):
    before = json.dumps(asdict(METADATA) | {"detector": detector})
    assert read_metadata(before, "model.onnx").detector == "yunet"
    now = replace(METADATA, detector="cascade")
    assert read_metadata(write_metadata(now), "model.onnx") == now


def test_grey_of_earlier_versions_is_grayscale():
    assert read_metadata(json.dumps(asdict(METADATA) | {"color": "grey"}), "model.onnx") == METADATA


@pytest.mark.parametrize(
    "key, value",
    [
        *(("size", 8), ("size", 1024), ("threshold", 0.0), ("threshold", 1.0)),
        *(("margin", -0.4), ("margin", 2.0), ("smallest", 1)),
    ],
)
def test_values_at_the_ends_of_their_range_are_read(key, value):
    metadata = replace(METADATA, **{key: value})
    assert read_metadata(write_metadata(metadata), "model.onnx") == metadata


@pytest.mark.parametrize("key, value", [("size", 7), ("size", 1025), ("threshold", 1.01), ("margin", 2.1)])
def test_values_beyond_their_range_are_refused(key, value):
    with pytest.raises(InputError, match=rf"model\.onnx .*{key}: {value}"):
        read_metadata(write_metadata(replace(METADATA, **{key: value})), "model.onnx")


def test_emotions_keep_their_order():
    metadata = replace(METADATA, emotions=("sad", "happy", "angry"))
    assert read_metadata(write_metadata(metadata), "model.onnx").emotions == ("sad", "happy", "angry")


def test_another_color_is_refused():
    with pytest.raises(InputError, match=r"model\.onnx .*color: 'sepia'"):
        read_metadata(json.dumps(asdict(METADATA) | {"color": "sepia"}), "model.onnx")
