"""Commit to dvc.lock what changed only comments, docstrings and formatting of code.

`python -m tools.code_only` finds the code that dvc.lock records in git's history, and compares syntax trees. It runs
`dvc commit` for the stages whose code is the same, and refuses everything else. `--dry` writes nothing.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from dvc.dependency import ParamsDependency
from dvc.repo import Repo
from ruamel.yaml import YAML

from emotion.app.programs import run_dvc
from emotion.core.errors import InputError, run_command
from tools.code_comparison import compare_versions, find_source_readers, read_other_docstrings
from tools.code_history import SHORT, Ignores, Version, find_version, hash_files, read_working_tree

LOCK = Path("dvc.lock")
CODE = ("emotion", "stages")
"""The outer folders of the paths in dvc.lock that are code."""

Lock = dict[str, Any]
Status = Mapping[str, list[str | dict[str, Any]]]
"""The output of `dvc status --json`: by stage, texts such as "changed command" and changes by path."""


@dataclass(frozen=True)
class Change:
    """A code dep that differs from the state that dvc.lock records.

    Attributes:
        dep: its path.
        old: its version in git's history with the recorded hash.
        new: its files now, by path.
    """

    dep: str
    old: Version
    new: Mapping[str, bytes]

    def list_files(self) -> list[str]:
        """Return the paths of the files that changed."""
        return [path for path, content in self.new.items() if content != self.old.files.get(path)]


def main() -> None:
    """Commit the changes of the working tree, or show them, as the command line asks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--dry", action="store_true", help="show the files and the stages, and write nothing")
    options = parser.parse_args()
    run_command(lambda: commit_code(dry=options.dry))


def commit_code(*, dry: bool = False) -> None:
    """Commit to dvc.lock the code deps that differ in comments, docstrings and formatting only; print them.

    Raises:
        InputError: anything else changed, or the recorded code is not in git's history. dvc.lock stays as it was.
    """
    if not LOCK.is_file():
        raise InputError(f"{LOCK} is missing here, expected one of an earlier run; run `dvc repro`")
    status: Status = json.loads(run_dvc("status", "--json"))
    if not status:
        print(f"{LOCK} is up to date, so there is nothing to commit")
        return
    lock = read_lock()
    repo = Repo()
    refuse(chain(list_other_changes(status), list_unrecorded_paths(repo, lock, status)))
    ignores: Ignores = repo.dvcignore.is_ignored_file
    code = read_code(lock, ignores)
    refuse(find_source_readers(code))
    changes = find_changes(lock, status, ignores)
    docstrings = read_other_docstrings(code.values())
    refuse(fault for change in changes for fault in list_faults(change, docstrings=docstrings))
    if not dry:
        commit_stages(list(status), lock, {change.dep: hash_files(change.dep, change.new) for change in changes})
    report(changes, list(status), dry=dry)


def refuse(faults: Iterator[str]) -> None:
    """Raise an InputError with all faults, if there are any."""
    if found := "".join(f"\n- {fault}" for fault in dict.fromkeys(faults)):
        raise InputError(f"nothing was committed to {LOCK}:{found}")


def list_other_changes(status: Status) -> Iterator[str]:
    """Yield a message for everything in a status that is no changed file or folder of code."""
    for stage, entries in status.items():
        for entry in entries:
            if isinstance(entry, str):
                yield f"{stage}: {entry}, expected changes of code only; run `dvc repro`"
                continue
            for path, state in chain.from_iterable(changed.items() for changed in entry.values()):
                if "changed deps" not in entry or not is_code(path) or state != "modified":
                    yield f"{stage}: {path} is {describe(state)}, expected changes of code only; {advise(state)}"


def list_unrecorded_paths(repo: Repo, lock: Lock, status: Status) -> Iterator[str]:
    """Yield a message for each stage of a status that has other deps or outs in dvc.yaml than in dvc.lock.

    A stage that dvc.lock lacks gets a message too.
    """
    for stage in (stage for stage in repo.index.stages if stage.addressing in status):
        name, recorded = stage.addressing, lock["stages"].get(stage.addressing)
        if recorded is None:
            yield f"{name}: the stage is not in {LOCK}; run `dvc repro`"
            continue
        for key in ("deps", "outs"):
            declared = {item.def_path for item in getattr(stage, key) if not isinstance(item, ParamsDependency)}
            for path in sorted(declared ^ {entry["path"] for entry in recorded.get(key, [])}):
                here, missing = ("dvc.yaml", LOCK) if path in declared else (LOCK, "dvc.yaml")
                yield f"{name}: {path} is among the {key} in {here} and not in {missing}; run `dvc repro`"


def describe(state: str | Mapping[str, str]) -> str:
    """Return the state of a path as DVC names it; of a file with params, the state of each param."""
    return state if isinstance(state, str) else ", ".join(f"{word} ({param})" for param, word in state.items())


def advise(state: str | Mapping[str, str]) -> str:
    """Return the remedy for a path in such a state."""
    missing = state in ("deleted", "not in cache")
    return "bring it back with `dvc pull`, or make it with `dvc repro`" if missing else "run `dvc repro`"


def find_changes(lock: Lock, status: Status, ignores: Ignores) -> list[Change]:
    """Return the code deps that a status names, each with the version that dvc.lock records.

    A dep that two stages recorded in different states is there once for each.

    Raises:
        InputError: git's history lacks one of these versions.
    """
    recorded: dict[tuple[str, str], None] = {}
    for stage, entries in status.items():
        changed = {path for entry in entries if isinstance(entry, dict) for path in entry["changed deps"]}
        recorded |= {(dep["path"], dep["md5"]): None for dep in code_deps(lock, stage) if dep["path"] in changed}
    faults, changes = [], []
    for dep, md5 in recorded:
        try:
            changes.append(Change(dep, find_version(dep, md5, ignores), read_working_tree(dep, ignores)))
        except InputError as error:
            faults.append(str(error))
    refuse(iter(faults))
    return changes


def list_faults(change: Change, *, docstrings: bool) -> Iterator[str]:
    """Yield a message for everything in a change of code that may change what a stage does."""
    for difference in compare_versions(change.old.files, change.new, docstrings=docstrings):
        yield (
            f"{difference} since {change.old.commit[:SHORT]}, expected comments, docstrings and formatting only; run "
            "`dvc repro`, or take the change back"
        )


def commit_stages(stages: list[str], lock: Lock, sums: Mapping[str, str]) -> None:
    """Run `dvc commit` for some stages; restore dvc.lock where anything but the hashes of code changes.

    Args:
        stages: their names.
        lock: the content of dvc.lock until now.
        sums: the hashes of the changed code deps as they were compared, by path.

    Raises:
        InputError: DVC committed other changes, or failed.
    """
    before = LOCK.read_bytes()
    try:
        run_dvc("commit", "--force", *stages)
        check_lock(lock, read_lock(), stages, sums)
    except BaseException:
        LOCK.write_bytes(before)
        raise


def check_lock(old: Lock, new: Lock, stages: list[str], sums: Mapping[str, str]) -> None:
    """Check that only the hashes of code changed in dvc.lock, and that they are of the code that was compared.

    Raises:
        InputError: something else changed.
    """
    written = {dep["path"]: dep["md5"] for stage in stages for dep in code_deps(new, stage)}
    wrong = [path for path, md5 in sums.items() if written.get(path) != md5]
    wrong += [stage for stage in new["stages"] if without_code(old, stage) != without_code(new, stage)]
    if wrong or old["stages"].keys() != new["stages"].keys():
        raise InputError(
            f"{', '.join(wrong)} changed while DVC committed, so {LOCK} was restored; try again when nothing else "
            "writes files, or run `dvc repro`"
        )


def without_code(lock: Lock, stage: str) -> Lock:
    """Return what dvc.lock holds of a stage, without the hashes and sizes of its code."""
    entry: Lock = lock["stages"].get(stage, {})
    return entry | {"deps": [{"path": dep["path"]} if is_code(dep["path"]) else dep for dep in entry.get("deps", [])]}


def code_deps(lock: Lock, stage: str) -> list[dict[str, Any]]:
    """Return the entries of a stage's code deps in dvc.lock."""
    return [dep for dep in lock["stages"][stage].get("deps", []) if is_code(dep["path"])]


def is_code(path: str) -> bool:
    """Return whether a path of dvc.lock is code of this project."""
    return Path(path).parts[0] in CODE


def read_code(lock: Lock, ignores: Ignores) -> dict[str, bytes]:
    """Return the content of each file of code that dvc.lock names, as it is on disk, by its path."""
    deps = sorted({dep["path"] for stage in lock["stages"] for dep in code_deps(lock, stage)})
    return {path: content for dep in deps for path, content in read_working_tree(dep, ignores).items()}


def report(changes: list[Change], stages: list[str], *, dry: bool) -> None:
    """Print the files that changed, each with the commit that it was compared with, and the stages."""
    commits: dict[str, set[str]] = defaultdict(set)
    for change in changes:
        for path in change.list_files():
            commits[path].add(change.old.commit[:SHORT])
    for path in sorted(commits):
        print(f"{path}: the same code as in {', '.join(sorted(commits[path]))}")
    print(f"{'Would be committed' if dry else 'Committed'} to {LOCK}: {', '.join(stages)}")


def read_lock() -> Lock:
    """Return the content of dvc.lock."""
    lock: Lock = YAML(typ="safe").load(LOCK.read_text(encoding="utf-8"))
    return lock


if __name__ == "__main__":
    main()
