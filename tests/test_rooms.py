"""The folders of emotion/: each holds one idea, and imports run downwards only."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "emotion"

FLOORS = (
    "core",
    "presentation",
    "parallel",
    "data",
    "networks",
    "evaluation",
    "model_files",
    "runtimes",
    "faces",
    "ingest",
    "sample",
    "training",
    "inference",
    "plots",
    "explanation",
    "reports",
    "audit",
    "app",
)
"""From the ground up: a room imports from itself and from the rooms before it."""

LONGEST_APP_FILE = 250
"""Lines; the page's files aside."""

MODULES = sorted(PACKAGE.rglob("*.py"))


@cache
def imports(file: Path) -> frozenset[str]:
    """Return the dotted names below `emotion` that `file` imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), filename=str(file))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(name for name in names if name.startswith("emotion."))


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0]


def test_no_module_lies_loose():
    assert [file.name for file in PACKAGE.glob("*.py")] == ["__init__.py"]


def test_every_room_has_a_floor():
    rooms = {folder.name for folder in PACKAGE.iterdir() if folder.is_dir() and folder.name != "__pycache__"}
    assert rooms == set(FLOORS)


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_imports_run_downwards(file):
    if file.parent == PACKAGE:
        return
    own = FLOORS.index(room_of(file))
    above = {name for name in imports(file) if FLOORS.index(name.split(".")[1]) > own}
    assert above == set(), f"{file.relative_to(ROOT)} is in {FLOORS[own]} and imports from rooms above it"


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_two_modules_import_each_other(file):
    name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
    for imported in imports(file):
        other = ROOT / (imported.replace(".", "/") + ".py")
        if not other.is_file():
            other = ROOT / (imported.rpartition(".")[0].replace(".", "/") + ".py")
        if other.is_file():
            back = {one for one in imports(other) if one == name or one.startswith(f"{name}.")}
            assert back == set(), f"{name} and {imported} import each other"


@pytest.mark.parametrize(
    "folder",
    sorted({file.parent for file in MODULES}),
    ids=lambda folder: folder.relative_to(ROOT).as_posix(),
)
def test_a_folder_says_what_it_is_and_holds_no_code_for_it(folder):
    tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    code = [node for node in tree.body[1:] if not (folder == PACKAGE and is_lazy(node))]
    assert code == [], "code in __init__.py runs whenever anything in the folder is imported"


def is_lazy(node: ast.stmt) -> bool:
    """Return whether `node` may stand in `emotion/__init__.py`: `__getattr__`, or the import of its type."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "typing"
    return isinstance(node, ast.FunctionDef) and node.name == "__getattr__"


@pytest.mark.parametrize(
    "file",
    [file for file in MODULES if room_of(file) == "app"],
    ids=lambda file: file.relative_to(ROOT).as_posix(),
)
def test_a_file_of_a_command_is_short(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST_APP_FILE


def test_tests_mirror_the_rooms():
    mirrored = {folder.name for folder in (ROOT / "tests").iterdir() if folder.is_dir()}
    assert {*FLOORS, "stages"} - mirrored == set()
