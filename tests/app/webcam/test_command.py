"""The command ends with one clear message whatever is missing: camera, display or model."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emotion.app import cli
from emotion.app.webcam.defaults import FIRST_IMAGE_TIMEOUT

pytestmark = pytest.mark.medium

EMOTION = Path(sys.executable).with_name("emotion")


def run_command(*arguments, **environment):
    """Run `emotion webcam` as a process of its own; return what it did and how long it took."""
    start = time.monotonic()
    command = [str(EMOTION), "webcam", *map(str, arguments)]
    environment = {"SDL_VIDEODRIVER": "dummy", **environment}
    inherited = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**inherited, **environment})
    return done, time.monotonic() - start


def test_a_file_is_played_to_its_end_and_nothing_is_printed(clip, model):
    done, _ = run_command("--camera", clip, "--model", model)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name are POSIX'")
def test_a_camera_that_hangs_is_given_up_soon(here, model):
    os.mkfifo(here / "pipe")  # to open it waits until somebody writes
    done, seconds = run_command("--camera", "pipe", "--model", model)
    assert done.returncode == 1
    assert re.match(rf"error: camera pipe .*\b{FIRST_IMAGE_TIMEOUT:g} seconds.*--wait.*--camera", done.stderr)
    assert len(done.stderr.splitlines()) == 1
    assert FIRST_IMAGE_TIMEOUT <= seconds < FIRST_IMAGE_TIMEOUT + 15  # a machine may be busy


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names of devices are Linux'")
def test_a_missing_camera_is_reported(model):
    done, _ = run_command("--camera", "97", "--model", model)
    assert done.returncode == 1
    assert re.match(r"error: .*no camera 97\b.*--camera", done.stderr)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays elsewhere cannot be taken away")
@pytest.mark.parametrize("driver", ["x11", ""])
def test_a_missing_display_is_reported(driver, clip, model):
    done, _ = run_command("--camera", clip, "--model", model, SDL_VIDEODRIVER=driver)
    assert done.returncode == 1
    assert re.match("error: no window .*`emotion serve`.*`emotion video`", done.stderr)
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_is_no_model_is_reported(clip, here):
    (here / "model.onnx").write_bytes(b"no model")
    done, _ = run_command("--camera", clip, "--model", "model.onnx")
    assert done.returncode == 1
    assert re.match(r"error: model\.onnx .*expected .*\.onnx", done.stderr)


def test_the_help_names_every_key(capsys):
    with pytest.raises(SystemExit):
        cli._parser().parse_args(["webcam", "--help"])
    text = capsys.readouterr().out
    for key in ("q, Esc", "space", "m ", "b ", "s ", "h "):
        assert f" {key}" in text
