"""bfloat16 is used where the processor has it, and never by surprise where it has not."""

import pytest

from emotion.core.errors import InputError
from emotion.training import precision
from emotion.training.precision import BFLOAT16, FLOAT32, cpu_flags, has_bfloat16, resolve_precision

pytestmark = pytest.mark.tf

X86 = "processor\t: 0\nflags\t\t: fpu sse2 avx512f {}\nbugs\t: none\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd {}\n"


@pytest.fixture
def cpu_info(tmp_path, monkeypatch):
    """Return a function that sets the text of /proc/cpuinfo."""

    def write(text):
        (tmp_path / "cpuinfo").write_text(text, encoding="utf-8")

    monkeypatch.setattr(precision, "CPU_INFO", tmp_path / "cpuinfo")
    return write


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (X86.format("avx512_bf16"), True),
        (X86.format("amx_bf16 amx_int8"), True),
        (X86.format("avx512_vnni"), False),
        (ARM.format("bf16"), True),
        (ARM.format("asimdhp"), False),
        ("", False),
    ],
)
def test_the_processor_decides(text, expected, cpu_info):
    cpu_info(text)
    assert has_bfloat16() is expected
    assert resolve_precision("auto") == (BFLOAT16 if expected else FLOAT32)


def test_no_such_file_is_no_bfloat16(cpu_info):
    assert cpu_flags() == set()
    assert resolve_precision("auto") == FLOAT32


def test_bfloat16_that_the_processor_lacks_is_refused(cpu_info):
    cpu_info(X86.format(""))
    assert resolve_precision(FLOAT32) == FLOAT32
    with pytest.raises(InputError, match=r"train\.precision: got mixed_bfloat16\b.*expected float32, or auto"):
        resolve_precision(BFLOAT16)


def test_bfloat16_that_the_processor_has_is_taken(cpu_info):
    cpu_info(X86.format("avx512_bf16"))
    assert resolve_precision(BFLOAT16) == BFLOAT16


@pytest.mark.parametrize(("capability", "expected"), [((8, 6), True), ((7, 5), False), (None, False)])
def test_a_gpu_decides_where_there_is_one(capability, expected, cpu_info, monkeypatch):
    import tensorflow as tf

    details = {} if capability is None else {"compute_capability": capability}
    cpu_info(X86.format("" if expected else "avx512_bf16"))
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: ["GPU:0"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda _: details)
    assert has_bfloat16() is expected
