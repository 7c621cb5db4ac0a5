"""dvc.yaml against the code: an import that `deps` do not name would leave stale results after an edit there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from emotion.core import paths

pytestmark = pytest.mark.medium

ROOT = Path(__file__).resolve().parents[1]
FIRST_PARTY = ("emotion", "stages")
PIPELINE = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
STAGES = list(PIPELINE["stages"])
LAZY = "emotion/__init__.py"
"""It imports a room only where somebody asks it for a name, which no code of the project does."""

HEAVY = {"tensorflow", "keras", "jax", "torch"}

MOST_LINES = 65
"""The stage resolve_faces has three, and the stages that read images name the rooms faces and parallel."""

MOST_OVER_NAMED, MOST_OVER_NAMED_BY_TRAIN = 35, 2
"""Twelve are those of extract_features, which takes seconds and names all of ingest in place of eight files of it."""


def script(stage: str) -> str:
    return f"stages/{stage}.py"


@cache
def read(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"), filename=file)


def imported_names(file: str) -> set[str]:
    """Return the dotted names that `file` imports, anywhere in it; `from a import b` gives a and a.b."""
    names = set()
    for node in ast.walk(read(file)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} line {node.lineno}: relative import, write {FIRST_PARTY[0]}. in full"
            names |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def module_files(name: str) -> set[str]:
    """Return the files that importing the first-party `name` runs, but for LAZY: the module's and its packages'."""
    parts = name.split(".")
    folders = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    candidates = [f"{folder}/__init__.py" for folder in folders] + [f"{folders[-1]}.py"]
    return {file for file in candidates if file != LAZY and (ROOT / file).is_file()}


def first_party_files(file: str) -> set[str]:
    names = [name for name in imported_names(file) if name.split(".")[0] in FIRST_PARTY]
    return set().union(*map(module_files, names))


@cache
def reached_files(file: str) -> frozenset[str]:
    """Return `file` and every first-party file that it imports, directly or not."""
    reached, waiting = set(), {file}
    while waiting:
        current = waiting.pop()
        reached.add(current)
        waiting |= first_party_files(current) - reached
    return frozenset(reached)


def has_code(file: str) -> bool:
    """Return whether there is more in `file` than a docstring."""
    body = read(file).body
    return len(body) > (ast.get_docstring(read(file)) is not None)


def code_deps(stage: str) -> set[str]:
    return {dep for dep in PIPELINE["stages"][stage]["deps"] if dep.split("/")[0] in FIRST_PARTY}


def files_of(dep: str) -> set[str]:
    path = ROOT / dep
    if path.is_dir():
        return {file.relative_to(ROOT).as_posix() for file in path.rglob("*.py")}
    return {dep} if path.is_file() else set()


def data_paths(stage: str) -> set[str]:
    """Return every path that the stage reads or writes."""
    entries = [PIPELINE["stages"][stage].get(kind, []) for kind in ("deps", "outs", "metrics", "plots")]
    return {entry if isinstance(entry, str) else next(iter(entry)) for group in entries for entry in group}


@pytest.mark.parametrize("stage", STAGES)
def test_deps_name_every_module_that_a_stage_imports(stage):
    named = set().union(*map(files_of, code_deps(stage)))
    needed = {file for file in reached_files(script(stage)) if has_code(file)}
    assert needed - named == set(), f"dvc.yaml, {stage}: its deps lack these"


@pytest.mark.parametrize("stage", STAGES)
def test_deps_name_nothing_that_a_stage_does_not_import(stage):
    needed = reached_files(script(stage))
    unused = {dep for dep in code_deps(stage) if not files_of(dep) & needed}
    assert unused == set(), f"dvc.yaml, {stage}: deps that are missing or not imported"


def over_named(stage: str) -> set[str]:
    """Return the modules that the stage's deps name and that it does not import."""
    named = set().union(*map(files_of, code_deps(stage)))
    return {file for file in named - reached_files(script(stage)) if has_code(file)}


def test_deps_are_few_lines_and_name_little_that_a_stage_does_not_import():
    lines = sum(len(code_deps(stage)) for stage in STAGES)
    pairs = {stage: sorted(over_named(stage)) for stage in STAGES}
    count = sum(map(len, pairs.values()))
    print(f"{lines} lines of code deps; {count} pairs of a stage and a module that it does not import:")
    for stage, files in pairs.items():
        print(f"  {stage}: {', '.join(files) or 'none'}")
    assert lines <= MOST_LINES
    assert count <= MOST_OVER_NAMED
    assert len(pairs["train"]) <= MOST_OVER_NAMED_BY_TRAIN, "an edit there would train again for nothing"


def test_the_outer_package_of_the_stages_holds_no_code():
    # No deps name it: every stage would run again for the sake of a docstring. test_rooms.py holds the other one.
    assert not has_code("stages/__init__.py")


@pytest.mark.parametrize("folder", FIRST_PARTY)
def test_no_code_asks_the_outer_package_for_a_name(folder):
    for file in (ROOT / folder).rglob("*.py"):
        name = file.relative_to(ROOT).as_posix()
        assert "emotion" not in imported_names(name), f"{name}: import from the room"


@pytest.mark.parametrize("stage", STAGES)
def test_params_are_those_that_the_stage_loads(stage):
    calls = [
        [str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)]
        for node in ast.walk(read(script(stage)))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "load_params"
    ]
    assert len(calls) == 1, "a stage loads its params once"
    # A stage may load a section and use one key of it, such as features.faces.
    assert [name.split(".")[0] for name in sorted(PIPELINE["stages"][stage]["params"])] == sorted(calls[0])


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_runs_its_own_script(stage):
    assert PIPELINE["stages"][stage]["cmd"] == f"python -m stages.{stage}"


def test_every_script_is_a_stage():
    scripts = {file.stem for file in (ROOT / "stages").glob("*.py")} - {"__init__"}
    assert scripts == set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_no_stage_imports_another(stage):
    stages = {file for file in reached_files(script(stage)) if file.startswith("stages/")}
    assert stages - {"stages/__init__.py"} == {script(stage)}


def test_the_library_imports_no_stage():
    for file in (ROOT / "emotion").rglob("*.py"):
        name = file.relative_to(ROOT).as_posix()
        assert not {imported for imported in imported_names(name) if imported.split(".")[0] == "stages"}, name


def test_no_module_is_imported_by_a_computed_name():
    # Such an import would be invisible to the tests above.
    for folder in FIRST_PARTY:
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            assert not re.search(r"\b(import_module|__import__|runpy)\b", text), file


@pytest.mark.parametrize(
    "stage, refused",
    [
        ("make_sample", HEAVY | {"dvc"}),
        ("resolve_faces", HEAVY | {"dvc", "cv2", "onnxruntime"}),
        ("create_dataframe", HEAVY | {"dvc"}),
        ("extract_features", HEAVY | {"dvc"}),
        ("plot", HEAVY | {"dvc", "dvclive"}),
    ],
)
def test_light_stages_import_neither_tensorflow_nor_dvc(stage, refused):
    packages = {name.split(".")[0] for file in reached_files(script(stage)) for name in imported_names(file)}
    assert packages & refused == set()


NO_PATHS_OF_STAGES = ("CHECKPOINTS", "CURVES", "EXPORT_TIME", "RELEASED_MODELS", "TIMES", "TRAINING_TIME")
"""The names of paths that are folders of others, or that DVC does not watch."""


def test_dvc_yaml_uses_every_path_of_the_stages():
    used = set().union(*map(data_paths, STAGES))
    named = {
        value.as_posix()
        for name, value in vars(paths).items()
        if isinstance(value, Path) and name not in NO_PATHS_OF_STAGES
    }
    assert {path for path in named if not any(path == use or path.startswith(f"{use}/") for use in used)} == set()


def test_git_ignores_times_and_they_are_no_output():
    times = {path.as_posix() for path in (paths.TRAINING_TIME, paths.EXPORT_TIME)}
    assert {Path(time).parent for time in times} == {paths.TIMES}
    assert f"/{paths.TIMES.as_posix()}/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert not times & set().union(*map(data_paths, STAGES))


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_yaml_writes_only_known_paths(stage):
    files = [value for value in vars(paths).values() if isinstance(value, Path)]
    known = {path.as_posix() for file in files for path in (file, file.parent)}
    outputs = {path for path in data_paths(stage) if path.split("/")[0] in ("data", "models", "metrics")}
    assert outputs - known == set()
