"""tools.faults: each fault fits the code, and one that no test catches is named."""

import subprocess
from pathlib import Path

import pytest

from emotion.core.errors import InputError
from tools.fault_list import FAULTS, Fault
from tools.faults import check_faults, choose_faults, plant

ROOT = Path(__file__).parents[2]
CAUGHT = Fault("caught", "emotion/sums.py", "a + b", "a - b", ("tests/test_sums.py",))
MISSED = Fault("missed", "emotion/sums.py", "a + b", "b + a", ("tests/test_sums.py",))


@pytest.fixture
def project(tmp_path):
    """A working tree of one module and one test."""
    files = {
        "emotion/__init__.py": "",
        "emotion/sums.py": "def add(a, b):\n    return a + b\n",
        "tests/test_sums.py": "from emotion.sums import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
        "pyproject.toml": "[tool.pytest.ini_options]\nmarkers = ['slow: takes long']\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    return tmp_path


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_fits_the_code_and_names_tests(fault):
    assert plant(ROOT, fault) != (ROOT / fault.path).read_text(encoding="utf-8")
    assert [test for test in fault.tests if not (ROOT / test.partition("::")[0]).is_file()] == []


def test_each_fault_has_another_name():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 24


@pytest.mark.parametrize("old, found", [("a * b", 0), ("a", 3)])
def test_a_text_that_is_not_there_once_is_refused(project, old, found):
    fault = Fault("stale", "emotion/sums.py", old, "b", ("tests/test_sums.py",))
    with pytest.raises(InputError, match=rf"stale: emotion/sums\.py .*'{old[0]}.* {found} times.*fault_list\.py"):
        check_faults([fault], project)


@pytest.mark.slow
def test_faults_are_caught_or_named_and_the_tree_stays_whole(project, capsys):
    before = (project / "emotion/sums.py").read_bytes()
    with pytest.raises(InputError, match=r"missed.*write a test"):
        check_faults([MISSED, CAUGHT], project)
    assert (project / "emotion/sums.py").read_bytes() == before
    lines = [" ".join(line.split()[:-2]) for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == ["missed NOT CAUGHT", "caught caught"]


@pytest.mark.slow
def test_tests_that_fail_without_a_fault_prove_nothing(project):
    (project / "emotion/sums.py").write_text("def add(a, b):\n    return a + b + 1\n", encoding="utf-8")
    with pytest.raises(InputError, match="without any fault"):
        check_faults([CAUGHT], project)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match=rf"--only: got 'typo', expected one of .*{FAULTS[-1].name}"):
        choose_faults(["typo"])
    assert choose_faults([FAULTS[1].name]) == [FAULTS[1]]
