"""A copy of this project in a folder of its own, with its own git history and DVC cache, to run commands in."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
TIMEOUT = 400
"""Seconds after which a command counts as hanging."""

SMALL: Mapping[str, Any] = {
    "sample.images": 300,
    "train.epochs": 2,
    "train.warmup": 0.5,
    "evaluate.bootstrap": 100,
    "plot.images_per_class": 2,
    "plot.mistakes": 4,
}
"""Params with which the whole pipeline takes seconds."""

OTHER_MODEL = ("-S", "faces.margin=0.1")
"""A change that gives other model files, without a training."""

NONE: Mapping[str, str] = MappingProxyType({})


@dataclass
class Project:
    """A clone at `path`; its commands see `environment` and nothing of the user's own settings."""

    path: Path
    environment: dict[str, str] = field(repr=False)

    def run(
        self, *command: str, fails: bool = False, timeout: float = TIMEOUT, variables: Mapping[str, str] = NONE
    ) -> str:
        """Run `command` in the clone and return what it printed, errors and all.

        It prints into a file: a pipe would stay open for as long as a worker of DVC's queue that it started.
        """
        with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
            done = subprocess.run(
                command,
                cwd=self.path,
                env=self.environment | dict(variables),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                timeout=timeout,
                start_new_session=True,  # so that a test can kill a command with all that it started
            )
            printed.seek(0)
            output = printed.read()
        assert (done.returncode != 0) is fails, f"{' '.join(command)} ended with {done.returncode}:\n{output}"
        return output

    def dvc(self, *arguments: str, fails: bool = False, variables: Mapping[str, str] = NONE) -> str:
        return self.run(str(BIN / "dvc"), *arguments, fails=fails, variables=variables)

    def git(self, *arguments: str) -> str:
        return self.run("git", *arguments)

    def repro(self, *arguments: str) -> list[str]:
        """Run `dvc repro` and return the stages that it ran."""
        return ran_stages(self.dvc("repro", *arguments))

    def status(self) -> dict[str, Any]:
        """Return what `dvc status` finds changed, by stage."""
        changed: dict[str, Any] = json.loads(self.dvc("status", "--json"))
        return changed

    def commit(self, message: str = "Change") -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def commit_store(self) -> None:
        """Push the results to the store in the repository, and commit it."""
        self.dvc("push")
        self.git("add", "--all", "--force", "store")
        self.commit("Results in the store")

    def set_params(self, changes: Mapping[str, Any]) -> None:
        """Change params.yaml; the keys are written section.name."""
        change_yaml(self.path / "params.yaml", changes)

    def read(self, file: str) -> str:
        return (self.path / file).read_text(encoding="utf-8")

    def metrics(self, name: str) -> dict[str, Any]:
        metrics: dict[str, Any] = json.loads(self.read(f"metrics/{name}.json"))
        return metrics

    def forget_results(self, stage: str) -> None:
        """Remove what DVC could bring the stage's outputs back from, so that it has to run."""
        shutil.rmtree(self.path / ".dvc/cache/runs", ignore_errors=True)
        for checksum in checksums(self, *cached_outputs(self.path, stage)):
            cache_file(self, checksum).unlink()

    def forget_data(self) -> None:
        """Remove the DVC cache and every output that it held."""
        shutil.rmtree(self.path / ".dvc/cache", ignore_errors=True)
        for output in cached_outputs(self.path):
            target = self.path / output
            shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)


def ran_stages(output: str) -> list[str]:
    return re.findall(r"^Running stage '(\w+)'", output, flags=re.MULTILINE)


def change_yaml(file: Path, changes: Mapping[str, Any], *, known_only: bool = False) -> None:
    yaml = YAML()
    content = yaml.load(file.read_text(encoding="utf-8"))
    for key, value in changes.items():
        section, name = key.split(".")
        if not known_only or name in content.get(section, {}):
            content.setdefault(section, {})[name] = value
    with file.open("w", encoding="utf-8") as stream:
        yaml.dump(content, stream)


def read_pipeline(root: Path) -> dict[str, Any]:
    pipeline: dict[str, Any] = YAML(typ="safe").load((root / "dvc.yaml").read_text(encoding="utf-8"))
    return pipeline


def cached_outputs(root: Path, *stages: str) -> set[str]:
    """Return the paths that DVC keeps in its cache, and git does not track; of all stages where none is named."""
    pipeline = read_pipeline(root)["stages"]
    kinds = ("outs", "metrics", "plots")
    entries = [entry for stage in stages or pipeline for kind in kinds for entry in pipeline[stage].get(kind, [])]
    named = [({entry: {}} if isinstance(entry, str) else entry) for entry in entries]
    return {path for entry in named for path, options in entry.items() if options.get("cache", True)}


def checksums(project: Project, *outputs: str) -> set[str]:
    """Return the MD5 sums by which dvc.lock names these outputs, and what folders among them hold."""
    stages = YAML(typ="safe").load(project.read("dvc.lock"))["stages"].values()
    named = {out["md5"] for stage in stages for out in stage["outs"] if out["path"] in outputs}
    inside = set()
    for name in named:
        if name.endswith(".dir"):
            inside |= {part["md5"] for part in json.loads(cache_file(project, name).read_text(encoding="utf-8"))}
    return named | inside


def cache_file(project: Project, checksum: str) -> Path:
    return project.path / ".dvc/cache/files/md5" / checksum[:2] / checksum[2:]


def stored(project: Project, remote: str = "store") -> set[str]:
    """Return the MD5 sums of what a remote in the repository's folder holds."""
    return {file.parent.name + file.name for file in (project.path / remote).glob("files/md5/??/*")}


def hermetic_environment(folder: Path) -> dict[str, str]:
    """Return an environment in which git and DVC read and write nothing outside of `folder` and the clones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_", "PYTEST_"))}
    kept.pop("PYTHONPATH", None)
    git_config = folder / "gitconfig"
    git_config.write_text("[user]\n\tname = Test\n\temail = test@example.com\n[init]\n\tdefaultBranch = main\n")
    return kept | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": str(git_config),
        "GIT_CONFIG_SYSTEM": os.devnull,
        "DVC_NO_ANALYTICS": "1",
        "DVC_GLOBAL_CONFIG_DIR": str(folder / "dvc-global"),
        "DVC_SYSTEM_CONFIG_DIR": str(folder / "dvc-system"),
        "DVC_SITE_CACHE_DIR": str(folder / "dvc-site"),
        "COLUMNS": "200",
    }


def snapshot(project: Project) -> None:
    """Fill `project` with what is in the working tree, committed or not, and commit it there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    outputs = cached_outputs(ROOT)
    for name in filter(None, listed.stdout.split("\0")):
        source, target = ROOT / name, project.path / name
        inside = any(name == output or name.startswith(f"{output}/") for output in outputs)
        if source.is_file() and not inside:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    project.git("init", "--quiet")
    project.git("add", "--all", "--force")
    project.commit("Snapshot of the working tree")


def clone(origin: Project, path: Path, *options: str) -> Project:
    """Clone as a user would: no cache, no outputs, no local settings."""
    origin.run("git", "clone", "--quiet", *options, str(origin.path), str(path))
    return Project(path, origin.environment)


def share(project: Project, path: Path) -> Project:
    """Make a bare repository of a clone, which becomes the clone's remote `origin`."""
    project.git("clone", "--quiet", "--bare", ".", str(path))
    project.git("remote", "set-url", "origin", str(path))
    return Project(path, project.environment)


def set_up(project: Project) -> None:
    """Do what `make setup` does where everything is installed."""
    project.run("python", "-m", "tools.remotes")
