"""How a process is set up, and what it says of the machine that it runs on."""

import gc

from emotion import runtime


def test_processor_and_backend_have_names():
    assert runtime.processor()
    assert runtime.backend() == "tensorflow"


def test_the_garbage_collector_works_but_not_on_what_was_loaded():
    assert gc.isenabled()
    assert gc.get_freeze_count() > 100_000
