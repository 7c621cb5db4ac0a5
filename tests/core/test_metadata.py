"""What a model takes and gives is read back as it was written, also from files of earlier versions."""

import json
from dataclasses import asdict

import pytest

from emotion.core.errors import InputError
from emotion.core.metadata import ModelMetadata, read_metadata, write_metadata

METADATA = ModelMetadata(("happy", "sad"), 48, "grayscale", flip=True, temperature=1.5, margin=0.2)


def test_what_was_written_is_read():
    assert read_metadata(write_metadata(METADATA), "model.onnx") == METADATA


def test_grey_of_earlier_versions_is_grayscale():
    assert read_metadata(json.dumps(asdict(METADATA) | {"color": "grey"}), "model.onnx") == METADATA


def test_another_color_is_refused():
    with pytest.raises(InputError, match=r"model\.onnx .*color: 'sepia'"):
        read_metadata(json.dumps(asdict(METADATA) | {"color": "sepia"}), "model.onnx")
