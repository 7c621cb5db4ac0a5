"""What a model takes and gives is read back as it was written, also from files of earlier versions."""

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.app.predict import csv_and_json
from emotion.app.video import face_table
from emotion.core.emotion_names import RESERVED_NAMES
from emotion.core.errors import InputError
from emotion.core.metadata import ModelMetadata, read_metadata, write_metadata
from emotion.reports.predictions import PREDICTION_COLUMNS

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


def read_with(**changes: object) -> ModelMetadata:
    return read_metadata(json.dumps({"version": 2, **asdict(METADATA), **changes}), "model.onnx")


@pytest.mark.parametrize(
    "names",
    [
        *("happy", {"happy": 1, "sad": 2}, None, 3, ["happy", 1], ["happy", None], ["happy", ["sad"]]),
        *(["happy"], [], ["happy", ""], ["happy", "happy"], ["happy", "Happy"], ["happy", " sad"]),
        *(["happy", "\x1b[31msad"], ["happy", "sad\n"], ["happy", "s\tad"], ["happy", "sad\0"], ["happy", "\udc80"]),
        *(["happy", "\u202esad"], ["happy", "s" * 65], ["happy", "=1+1"], ["happy", "-sad"], ["happy", "@sad"]),
        *(["happy", "path"], ["happy", "Confidence"], ["happy", "x"], ["happy", "seconds"]),
        [str(number) for number in range(1001)],
    ],
)
def test_names_of_classes_that_could_be_something_else_are_refused(names):
    with pytest.raises(InputError, match=r"model\.onnx has no usable metadata \(emotions: got ") as raised:
        read_with(emotions=names)
    assert len(str(raised.value)) < 400
    assert str(raised.value).isprintable()


def test_names_in_any_language_are_read():
    names = ["fröhlich", "悲しい", "very happy", "7-up", "s" * 64]
    assert read_with(emotions=names).emotions == tuple(names)


def test_no_name_of_a_class_is_that_of_another_column():
    assert {*csv_and_json.COLUMNS, *face_table.COLUMNS, *PREDICTION_COLUMNS} <= set(RESERVED_NAMES)


@pytest.mark.parametrize(
    "key, value",
    [
        *(("size", 48.0), ("size", True), ("color", ["rgb"]), ("flip", 1), ("detector", {}), ("smallest", 10**18)),
        *(("temperature", True), ("temperature", "1"), ("temperature", float("nan")), ("temperature", float("inf"))),
        *(("threshold", float("nan")), ("threshold", None), ("margin", float("-inf")), ("margin", "wide")),
    ],
)
def test_values_of_other_types_are_refused(key, value):
    with pytest.raises(InputError, match=rf"no usable metadata \({key}: "):
        read_with(**{key: value})


@pytest.mark.parametrize(
    "text", ["", "null", "[]", '"x"', "{}", "[" * 100_000, '{"emotions": ' + "9" * 5000 + "}", '{"size": 1' + "0" * 400]
)
def test_what_is_no_metadata_is_refused(text):
    with pytest.raises(InputError, match=r"^model\.onnx has no usable metadata") as raised:
        read_metadata(text, "model.onnx")
    assert len(str(raised.value)) < 400


def test_a_number_beyond_all_floats_is_refused():
    text = write_metadata(METADATA).replace('"temperature": 1.5', '"temperature": 1' + "0" * 400)
    with pytest.raises(InputError, match="temperature"):
        read_metadata(text, "model.onnx")


@pytest.mark.fuzz
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_is_read_or_refused(value):
    for text in (json.dumps(value), json.dumps({**asdict(METADATA), "emotions": value})):
        try:
            metadata = read_metadata(text, "model.onnx")
        except InputError:
            continue
        assert all(name.isprintable() for name in metadata.emotions)
