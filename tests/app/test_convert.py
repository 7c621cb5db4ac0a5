"""`emotion convert` says which files it takes before anything is loaded."""

import pytest


@pytest.mark.parametrize("name", ["model_int8.tflite", "model.onnx", "model"])
def test_only_keras_files_are_converted(run_emotion, here, name):
    (here / name).write_bytes(b"TFL3")
    status, _, _ = run_emotion("convert", name, "model.h5")
    assert str(status).startswith(f"error: {name}: expected a .keras file")
    assert not (here / "model.h5").exists()
