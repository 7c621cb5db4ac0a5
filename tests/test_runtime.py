"""What a process says of the machine that it runs on."""

from emotion import runtime


def test_processor_and_backend_have_names():
    assert runtime.processor()
    assert runtime.backend() == "tensorflow"
