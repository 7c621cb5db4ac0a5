"""The set-up of a process, and the names of its backend and processor."""

import gc

import pytest

from emotion.model_files import keras_setup

pytestmark = pytest.mark.tf


def test_processor_and_backend_have_names():
    assert keras_setup.processor()
    assert keras_setup.backend() == "tensorflow"


def test_the_garbage_collector_works_but_not_on_what_was_loaded():
    assert gc.isenabled()
    assert gc.get_freeze_count() > 100_000
