"""`from emotion import Predictor, read_image`: the two names of the package, loaded when asked for."""

import subprocess
import sys

import pytest

import emotion
from emotion.data import images
from emotion.inference import predictor


def test_the_package_names_what_reads_photos():
    assert emotion.Predictor is predictor.Predictor
    assert emotion.read_image is images.read_image


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="nothing"):
        _ = emotion.nothing


def test_importing_the_package_loads_no_room():
    code = "import sys, emotion; print([name for name in sys.modules if name.startswith(('emotion.', 'cv2', 'numpy'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
