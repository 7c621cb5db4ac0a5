"""The check that a stage's params and deps are the same at its end as at its start, and what killed stages left.

DVC records both in dvc.lock after a stage ran. Without this check, an edit during the run would be recorded with the
results of the earlier state. A stage that finds a change ends with an error, so DVC records nothing.

The check cannot see an edit between the end of a stage and the moment when DVC records it, which is some
milliseconds later. It cannot see a value of params.yaml, or a small file, that was changed and changed back.
"""

import hashlib
import inspect
import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pathspec import GitIgnoreSpec

from emotion.core.errors import InputError, run_command
from emotion.core.files import remove_leftovers
from emotion.core.folder_walk import Kind, explain_closed, walk
from emotion.core.params import PARAMS_FILE, read_yaml
from emotion.core.paths import OUTPUT_FOLDERS
from emotion.core.stores import StoreAddress, is_store_address, list_store, parse_address

IMPORTED = time.time_ns()
"""Time at which Python loaded this module. It loads the rooms above emotion/core after it."""

PIPELINE_FILE = Path("dvc.yaml")
IGNORE_FILE = Path(".dvcignore")

COMPARED_BYTES, COMPARED_FILES = 256 * 2**20, 1000
"""Size of a dep up to which its files are compared by content. An equal file that is saved again is then no change.

MD5 sums of 256 MiB take half a second. Those of a folder with 36,000 images would take several seconds.
"""

LISTED_FILES = 12

MISSING = "missing"


class FileState(NamedTuple):
    """The identity of a file, by which DVC also knows it, and the MD5 sum of its content in a small dep.

    Of a file in a store, it is the size and the text by which the store tells its versions apart.
    """

    size: int
    modified: int
    inode: int
    content: str | None = None

    def differs(self, other: "FileState") -> bool:
        """Return whether the files differ: by content where both have it, otherwise by identity."""
        if self.content and other.content:
            return self.content != other.content
        return self[:3] != other[:3]


class Inputs(NamedTuple):
    """The inputs of a stage at one moment: params by section or key, and the files of its deps by path."""

    params: dict[str, Any]
    files: dict[str, FileState]


def run_stage(main: Callable[[], None]) -> None:
    """Run the function `main` of a stage's script; end with an error where an input changed meanwhile.

    The script's name is the stage's name in dvc.yaml. Errors end the process as in `run_command`. An error of the
    stage itself comes first.
    """
    run_command(lambda: run_guarded(main, Path(inspect.getfile(main)).stem))


def run_guarded(main: Callable[[], None], stage: str) -> None:
    """Run `main` and compare the inputs of `stage` before and after it. Remove first what killed stages left.

    Without dvc.yaml DVC records nothing, so `main` runs without a check.

    Raises:
        InputError: dvc.yaml lacks the stage; a module was saved while Python loaded the code; or a param or a file of
            the deps changed while `main` ran. The message names what changed.
    """
    if not PIPELINE_FILE.exists():
        main()
        return
    keys, deps = read_entry(stage, read_yaml(PARAMS_FILE))
    for folder in OUTPUT_FOLDERS:
        # DVC's lock keeps other stages from writing there now.
        remove_leftovers(folder)
    before = read_inputs(keys, deps)
    check_code(before.files, stage)
    main()
    check_inputs(before, read_inputs(keys, deps), stage)


def read_entry(stage: str, params: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the sections and keys of params.yaml and the paths of the deps that dvc.yaml lists for `stage`.

    Raises:
        InputError: dvc.yaml is not valid YAML, or lacks the stage.
    """
    stages = read_yaml(PIPELINE_FILE).get("stages") or {}
    if stage not in stages:
        raise InputError(
            f"{PIPELINE_FILE} lacks the stage {stage}, found {', '.join(stages) or 'none'}; restore the file with "
            f"`git checkout {PIPELINE_FILE}`"
        )
    deps = [re.sub(r"\$\{(.+?)\}", lambda key: str(_look_up(params, key[1])), dep) for dep in stages[stage]["deps"]]
    return stages[stage]["params"], deps


def _look_up(params: Any, key: str) -> Any:
    for part in key.split("."):
        params = params.get(part) if isinstance(params, Mapping) else None
    return params


def read_inputs(keys: list[str], deps: list[str]) -> Inputs:
    """Return the params of sections and of keys such as `features.faces`, and the state of the files in `deps`.

    A param that is missing is None.
    """
    params = read_yaml(PARAMS_FILE)
    return Inputs({key: _look_up(params, key) for key in keys}, read_files(deps))


def read_files(deps: list[str]) -> dict[str, FileState]:
    """Return the state of every file in `deps`.

    Links to files count as the files. Links to folders inside a dep are left out, as DVC leaves them out. Pipes and
    devices are left out too, since to open one may wait for ever.

    Raises:
        InputError: a folder inside a dep, or a store, cannot be listed.
    """
    files: dict[str, FileState] = {}
    for dep in deps:
        if is_store_address(dep):
            files |= _list_store(parse_address(dep))
            continue
        found = dict(_scan(dep))
        if len(found) <= COMPARED_FILES and sum(state.size for state in found.values()) <= COMPARED_BYTES:
            found = {path: state._replace(content=_md5(path)) for path, state in found.items()}
        files |= found
    return files


def _list_store(folder: StoreAddress) -> dict[str, FileState]:
    """Return the state of the files in a store by their addresses, without a look into them."""
    return {
        str(folder / name) if name else str(folder): FileState(file.size, 0, 0, file.etag)
        for name, file in list_store(folder).items()
    }


def _scan(dep: str) -> Iterator[tuple[str, FileState]]:
    # Paths stay strings, since a folder may hold 36,000 images.
    if not Path(dep).is_dir():
        yield from _identify(dep)
        return
    for item in walk(dep):
        if item.kind is Kind.CLOSED_FOLDER:
            raise InputError(explain_closed(item.path))
        if item.kind is Kind.FILE:
            yield from _identify(item.path)


def _identify(path: str) -> Iterator[tuple[str, FileState]]:
    """Yield the path and state of a file; nothing where it is missing, or where it is a pipe or device."""
    try:
        state = os.stat(path)  # noqa: PTH116
    except OSError:
        return
    if stat.S_ISREG(state.st_mode):
        yield path, FileState(state.st_size, state.st_mtime_ns, state.st_ino)


def _md5(path: str) -> str | None:
    try:
        return hashlib.md5(Path(path).read_bytes(), usedforsecurity=False).hexdigest()
    except OSError:
        return None


def check_code(files: Mapping[str, FileState], stage: str) -> None:
    """Raise InputError where a module was saved after Python began to load the code of the stage."""
    now = time.time_ns()
    saved = [path for path, state in files.items() if path.endswith(".py") and IMPORTED < state.modified <= now]
    if saved:
        raise InputError(
            f"the stage {stage} may have loaded earlier code than these files hold, since they were saved while it "
            f"started: {_shorten(saved)}. Run `dvc repro` again"
        )


def check_inputs(before: Inputs, after: Inputs, stage: str) -> None:
    """Raise InputError where an input of `stage` changed. The message lists the params with both values."""
    params = list(changed_params(before.params, after.params))
    files = list(changed_files(before.files, after.files))
    if params or files:
        remedy = "Run `dvc repro` to run the stage on what is there now"
        if not files:
            remedy += (
                f". To keep the results instead, set {PARAMS_FILE} back and record them with `dvc commit -f {stage}`"
            )
        raise InputError(
            f"inputs of the stage {stage} changed while it ran, and its results are those of the state before:\n  "
            + "\n  ".join(params + _limit(files))
            + f"\nDVC did not record the results. {remedy}"
        )


def changed_params(before: Any, after: Any, key: str = "") -> Iterator[str]:
    """Yield a line for each value that changed, with its key and both values."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before | after:
            inner = f"{key}.{name}" if key else str(name)
            yield from changed_params(before.get(name, MISSING), after.get(name, MISSING), inner)
    elif before != after:
        yield f"{PARAMS_FILE}: {key} was {before!r} and is now {after!r}"


def changed_files(before: Mapping[str, FileState], after: Mapping[str, FileState]) -> Iterator[str]:
    """Yield a line for each file that changed, is new or is missing, without those that .dvcignore names."""
    # To match each file would double the time of the check for a folder of 36,000 images.
    ignored = read_ignored()
    for path in sorted({*before, *after}):
        if before.get(path) == after.get(path) or ignored.match_file(path):
            continue
        if path not in after:
            yield f"{path} is missing now"
        elif path not in before:
            yield f"{path} is new"
        elif before[path].differs(after[path]):
            yield f"{path} was changed"


def read_ignored() -> GitIgnoreSpec:
    """Return the patterns of .dvcignore, which match paths relative to the project's root."""
    patterns = IGNORE_FILE.read_text(encoding="utf-8") if IGNORE_FILE.exists() else ""
    return GitIgnoreSpec.from_lines(patterns.splitlines())


def _limit(lines: list[str]) -> list[str]:
    more = [f"and {len(lines) - LISTED_FILES} more files"] if len(lines) > LISTED_FILES else []
    return lines[:LISTED_FILES] + more


def _shorten(paths: list[str]) -> str:
    return ", ".join(_limit(paths))
