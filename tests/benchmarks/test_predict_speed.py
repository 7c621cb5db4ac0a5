"""What the figures of `benchmarks.predict_speed` rest on: the images, the watching of processes, and the ratios."""

import ast
import importlib
import sys

import pytest

from benchmarks.predict_speed import HEAD, OUR_WORK, STAND_IN, make_image, make_images, ratio, run, summarize
from emotion.core.errors import InputError
from emotion.data.images import read_image

pytestmark = pytest.mark.medium


def test_the_images_are_the_same_each_time_and_differ_from_one_another(tmp_path):
    pytest.importorskip("skimage")
    for name in ("one", "two"):
        make_images(tmp_path / name, 6, 128)
    first, second = (sorted((tmp_path / name).iterdir()) for name in ("one", "two"))
    assert [path.name for path in first] == [f"0000{number}.jpg" for number in range(6)]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert len({path.read_bytes() for path in first}) == 6
    assert {read_image(path).shape for path in first} == {(128, 128, 3)}


def test_a_face_is_pasted_into_most_images():
    np = pytest.importorskip("numpy")
    generator = np.random.default_rng(0)
    scene, head = np.zeros((300, 400, 3), np.uint8), np.full((200, 200, 3), 200, np.uint8)
    filled = [make_image(scene, head, 100, generator).any() for _ in range(200)]
    assert 140 < sum(filled) < 180
    assert [part.stop - part.start for part in HEAD] == [200, 200]


def test_a_process_is_measured_by_itself():
    work = "import time; held = bytearray(80_000_000); time.sleep(0.2); print('done')"
    small, large = run([sys.executable, "-S", "-c", "print('done')"]), run([sys.executable, "-S", "-c", work])
    assert small.printed == large.printed == "done\n"
    assert small.mebibytes < 40 < 70 < large.mebibytes
    assert large.seconds > 0.2
    assert small.processor_seconds < 2


def test_a_process_that_fails_says_why():
    with pytest.raises(InputError, match="no such thing"):
        run([sys.executable, "-c", "raise SystemExit('no such thing')"])
    assert run([sys.executable, "-c", "raise SystemExit(3)"]).printed == ""


def test_ratios_are_of_each_round():
    assert ratio([8, 10, 30], [2, 5, 5]) == {"median": 4, "low": 2, "high": 6}
    assert summarize([3, 1, 2]) == {"median": 2, "low": 1, "high": 3}


def test_the_timed_program_imports_what_is_there():
    imports = [node for node in ast.walk(ast.parse(OUR_WORK)) if isinstance(node, ast.ImportFrom)]
    assert len(imports) > 3
    for node in imports:
        module = importlib.import_module(str(node.module))
        assert all(hasattr(module, alias.name) for alias in node.names)


def test_the_stand_in_finds_files_of_a_package():
    space: dict[str, object] = {}
    exec(STAND_IN, space)
    found = space["resource_filename"]
    assert callable(found)
    assert found("emotion", "core/labels.py").endswith("emotion/core/labels.py")
