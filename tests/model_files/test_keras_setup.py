"""How a process is set up, and what it says of the machine that it runs on."""

import gc
import subprocess
import sys

from emotion.model_files import keras_setup


def test_processor_and_backend_have_names():
    assert keras_setup.processor()
    assert keras_setup.backend() == "tensorflow"


def test_the_garbage_collector_works_but_not_on_what_was_loaded():
    assert gc.isenabled()
    assert gc.get_freeze_count() > 100_000


def test_what_keras_can_do_without_is_loaded_by_those_who_use_it():
    program = (
        "import sys, pandas; from emotion.model_files import keras_setup\n"
        "print(*{name.partition('.')[0] for name in sys.modules} & {'matplotlib', 'pandas', 'sklearn'})\n"
        "import matplotlib, sklearn; print(matplotlib.__name__, sklearn.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["pandas", "matplotlib sklearn"]


def test_what_is_loaded_already_stays():
    with keras_setup._left_out("sys", "no_such_package"):
        assert sys.modules["sys"] is sys
        assert sys.modules["no_such_package"] is None
    assert sys.modules["sys"] is sys
    assert "no_such_package" not in sys.modules
