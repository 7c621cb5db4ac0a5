"""The wheel: built, installed into an empty environment, and used there with no clone, DVC, TensorFlow or network."""

import csv
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.makers import ROOT, encode

pytestmark = pytest.mark.slow

STANDARD = "released/photo-nano"
MOST_BYTES = 2_500_000
OFFLINE = """\
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise OSError(f"{event} {arguments}: this environment has no network")

sys.addaudithook(refuse)
"""


def run(*command: str | Path, folder: Path) -> str:
    """Return what `command` printed in `folder`; its paths are not those of this clone."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, ROOT, folder=folder)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """The `bin` folder of an environment with the wheel and its dependencies, as pinned, that refuses connections."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", folder, folder=folder)
    python = folder / "bin/python"
    run(python, "-m", "pip", "install", "--constraint", ROOT / "requirements.txt", wheel, folder=folder)
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder).strip())
    (packages / "offline.py").write_text(OFFLINE, encoding="utf-8")
    (packages / "offline.pth").write_text("import offline\n", encoding="utf-8")  # Debian has a sitecustomize.py already
    return folder / "bin"


@pytest.fixture
def elsewhere(tmp_path, astronaut):
    """A folder outside the clone, with a photo."""
    (tmp_path / "photo.png").write_bytes(encode(astronaut))
    return tmp_path


@pytest.mark.parametrize("name", ["model_int8.tflite", "evaluate.json"])
def test_the_wheel_carries_the_standard_model(wheel, name):
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read(f"emotion/{STANDARD}/{name}") == (ROOT / "models" / STANDARD / name).read_bytes()
    assert not (ROOT / "emotion" / STANDARD).exists(), "taken at build time, not copied"


def test_the_wheel_is_small_and_carries_its_licenses(wheel):
    assert wheel.stat().st_size < MOST_BYTES
    weights = "emotion/faces/weights"
    with zipfile.ZipFile(wheel) as archive:
        files = archive.namelist()
    names = {name.partition(".dist-info/")[2] for name in files}
    assert {"licenses/LICENSE", "licenses/THIRD_PARTY_NOTICES.md", f"licenses/{weights}/LICENSE.txt"} <= names
    assert {f"{weights}/face_detection_yunet_2023mar.onnx", f"{weights}/LICENSE.txt"} <= {*files}


@pytest.mark.parametrize("package", ["tensorflow", "keras", "dvc", "pandas", "fastapi"])
def test_nothing_of_the_pipeline_comes_along(environment, elsewhere, package):
    code = f"import importlib.util; print(importlib.util.find_spec({package!r}))"
    assert run(environment / "python", "-c", code, folder=elsewhere).strip() == "None"


def test_the_command_reads_a_photo(environment, elsewhere):
    printed = run(environment / "emotion", "predict", "photo.png", folder=elsewhere)
    (face,) = csv.DictReader(printed.splitlines())
    assert face["emotion"] == "happy"
    assert float(face["confidence"]) > 0.8


def test_the_package_reads_a_photo(environment, elsewhere):
    code = (
        "from pathlib import Path\nfrom emotion import Predictor, read_image\n"
        "print([face.emotion for face in Predictor().predict(read_image(Path('photo.png')))])"
    )
    assert run(environment / "python", "-c", code, folder=elsewhere).strip() == "['happy']"


def test_the_environment_has_no_network(environment, elsewhere):
    code = "import socket\ntry: socket.create_connection(('localhost', 9))\nexcept OSError as error: print(error)"
    assert "no network" in run(environment / "python", "-c", code, folder=elsewhere)
