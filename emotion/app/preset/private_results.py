"""Results of private images in dvc.lock, which may not go to the store in the repository."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from emotion.core.files import atomic_path
from emotion.core.params import PARAMS_FILE, SHARED_REMOTE, load_params, read_yaml

PIPELINE, LOCK = Path("dvc.yaml"), Path("dvc.lock")
TEMPLATE = "${source.remote}"


def forget_private_results() -> list[str]:
    """Remove from dvc.lock the stages that ran on private images, where params.yaml now names the shared store.

    `dvc push` sends the outputs that dvc.lock names to the remote that params.yaml names at that moment. Without this,
    a push between a change of the params and the next run would send private images to the store.

    Returns:
        The names of the stages that were removed. `dvc repro` runs them again, or takes them from DVC's cache.
    """
    if not (LOCK.is_file() and PIPELINE.is_file()) or load_params("source").source.remote != SHARED_REMOTE:
        return []
    yaml = YAML()
    lock = yaml.load(LOCK.read_text(encoding="utf-8"))
    stages = lock.get("stages") or {}
    if _recorded_remotes(stages) <= {SHARED_REMOTE}:
        return []
    pipeline = read_yaml(PIPELINE)["stages"]
    forgotten = [name for name in stages if TEMPLATE in str(pipeline.get(name, TEMPLATE))]
    for name in forgotten:
        del stages[name]
    with atomic_path(LOCK) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        yaml.dump(lock, stream)
    return forgotten


def _recorded_remotes(stages: dict[str, Any]) -> set[str]:
    """Return the values of source.remote with which the stages ran."""
    sections = [stage.get("params", {}).get(PARAMS_FILE.name, {}) for stage in stages.values()]
    return {str(section["source"].get("remote")) for section in sections if "source" in section}
