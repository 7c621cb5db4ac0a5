"""The set-up of a process, and the names of its backend and processor."""

import gc
from pathlib import Path

import pytest

from emotion.model_files import keras_setup

pytestmark = pytest.mark.tf


def test_processor_and_backend_have_names():
    assert keras_setup.processor()
    assert keras_setup.backend() == "tensorflow"


def test_a_gpu_has_the_name_that_it_states(monkeypatch):
    import tensorflow as tf

    card = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: [card])
    for details, name in (({"device_name": "NVIDIA H200"}, "NVIDIA H200"), ({}, card.name)):
        monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda _, details=details: details)
        assert keras_setup.accelerator() == name


@pytest.mark.parametrize("text", ["", "vendor_id\t: 0x41\n"])
def test_a_processor_without_a_stated_name_has_that_of_the_platform(text, monkeypatch):
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: text)
    monkeypatch.setattr("platform.processor", lambda: "")
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert keras_setup.processor() == "riscv64"


def test_the_garbage_collector_works_but_not_on_what_was_loaded():
    assert gc.isenabled()
    assert gc.get_freeze_count() > 100_000
