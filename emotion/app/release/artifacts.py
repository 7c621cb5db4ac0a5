"""Releases as DVC's artifacts: their entries in dvc.yaml, by which `dvc artifacts get` finds a version."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from emotion.core.errors import InputError
from emotion.core.params import read_yaml
from emotion.reports.facts import ORIGINS, Facts, find_origin

PIPELINE = Path("dvc.yaml")


def check_artifact(folder: Path) -> None:
    """Raise InputError where dvc.yaml has an artifact of the release's name that is no model of `folder`."""
    entry = (read_yaml(PIPELINE).get("artifacts") or {}).get(folder.name)
    if entry and Path(entry["path"]).parent != folder:
        raise InputError(
            f"NAME: got {folder.name!r}, which {PIPELINE} has among its artifacts as {entry['path']}; choose another "
            "name"
        )


def write_artifact(target: Path, model: Path, facts: Facts) -> None:
    """Write dvc.yaml to `target`, with the release whose first file will be `model` among its artifacts.

    The rest keeps its comments and its order. The form is that in which DVC itself writes the file.
    """
    yaml = YAML()
    yaml.default_flow_style = False
    pipeline = yaml.load(PIPELINE.read_text(encoding="utf-8"))
    pipeline.setdefault("artifacts", {})[model.parent.name] = describe_artifact(model, facts)
    with target.open("w", encoding="utf-8") as stream:
        yaml.dump(pipeline, stream)


def describe_artifact(model: Path, facts: Facts) -> dict[str, Any]:
    """Return the entry of a release: path, type, description and labels. It has no figures, which would go stale."""
    origin, train = find_origin(facts), facts.params.train
    start = " from pretrained weights" if train.init_from else ""
    distillation = " by distillation" if train.teachers else ""
    return {
        "path": model.as_posix(),
        "type": "model",
        "desc": f"Predicts {', '.join(facts.emotions)} in images of faces. Network {train.architecture}, trained on "
        f"{ORIGINS[origin]}{start}{distillation}",
        "labels": ["facial-emotion-recognition", model.suffix[1:], origin],
    }
