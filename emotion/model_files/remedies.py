"""The remedy for a model file that is missing or broken. It depends on the file's place."""

from pathlib import Path

from emotion.core.paths import EXPORTED, TRAINED_MODEL

RELEASES = "released"
"""The folder of released models, which are plain files in git."""

OUTPUTS = {path.parts for path in (TRAINED_MODEL, *EXPORTED.values())}
"""The model files that the pipeline makes."""

EXAMPLE = "models/released/photo/model.keras"


def find_remedy(path: Path) -> str:
    """Return how to get a usable model file at `path`, for the end of a message."""
    if path.parent.parent.name == RELEASES:
        return f"restore it with `git checkout -- {path}`, or name another file in models/{RELEASES}"
    if path.parts[-2:] in OUTPUTS:
        return f"make it with `dvc repro`, or fetch it with `dvc pull {path}`"
    return f"name a model file of this project, such as {EXAMPLE}"
