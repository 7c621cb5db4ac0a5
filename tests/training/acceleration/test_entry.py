"""Nothing outside emotion/training/acceleration depends on more of it than its one entry."""

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.tf

ROOT = Path(__file__).parents[3]
FOLDER = "emotion.training.acceleration"
ENTRY = f"{FOLDER}.training_network.to_training_network"

INSIDE = [ROOT / "emotion/training/acceleration", ROOT / "tests/training/acceleration"]
BENCHMARK = [ROOT / "benchmarks/winograd.py", ROOT / "tests/benchmarks/test_winograd.py"]
"""What measures where products of matrices are faster."""


def imported_names(file):
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_only_the_entry_is_imported():
    files = [file for folder in ("benchmarks", "emotion", "stages", "tests") for file in (ROOT / folder).rglob("*.py")]
    outside = [file for file in files if file not in BENCHMARK and not any(folder in file.parents for folder in INSIDE)]
    imported = {
        (file.relative_to(ROOT).as_posix(), name)
        for file in outside
        for name in imported_names(file)
        if name.startswith(FOLDER)
    }
    assert {name for _, name in imported} == {ENTRY}, imported
