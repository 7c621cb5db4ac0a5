"""`emotion convert` says which files it takes before anything is loaded."""

import re
import sys

import pytest


@pytest.mark.parametrize("name", ["model_int8.tflite", "model.onnx", "model"])
def test_only_keras_files_are_converted(run_emotion, here, name):
    (here / name).write_bytes(b"TFL3")
    status, _, _ = run_emotion("convert", name, "model.h5")
    assert str(status).startswith(f"error: {name}: expected a .keras file")
    assert not (here / "model.h5").exists()


@pytest.mark.parametrize(
    "target, problem",
    [
        ("model.pb", r"got model\.pb, expected .*\.onnx or \.tflite or \.h5"),
        ("mine.h5", r"mine\.h5 exists already; .*--overwrite"),
        ("folder/model.h5", r".*folder is a file"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_before_keras_loads(run_emotion, here, target, problem, monkeypatch):
    monkeypatch.setitem(sys.modules, "emotion.model_files", None)
    for name in ("mine.h5", "folder"):
        (here / name).write_text("mine")
    status, _, _ = run_emotion("convert", "model.keras", target)
    assert re.match(f"error: {problem}", status)
    assert (here / "mine.h5").read_text() == "mine"
