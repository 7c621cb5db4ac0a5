"""Taking a file of decisions into data/labels and params.yaml."""

from pathlib import Path

from emotion.app.preset.presets import set_values
from emotion.core.errors import InputError
from emotion.core.params import load_params
from emotion.core.paths import LABELS
from emotion.ingest.decision_file import WORDS, merge_decisions, read_decisions, write_decisions

DEFAULT_NAME = "decisions.csv"


def apply_decisions(file: Path, name: str | None) -> None:
    """Add the decisions in `file` to those in data/labels/`name`, and set labels.decisions to it.

    Args:
        file: as `read_decisions` reads it.
        name: of the file in data/labels; None for that of labels.decisions, or else DEFAULT_NAME.

    Raises:
        InputError: one of the files is no file of decisions, has none, or `name` is not allowed.
    """
    name = name or load_params("labels").labels.decisions or DEFAULT_NAME
    target = LABELS / name
    decisions = read_decisions(file)
    if decisions.empty:
        raise InputError(f"{file} has no decisions, expected at least one; decide on the page, and save again")
    earlier = read_decisions(target) if target.exists() else decisions.iloc[:0]
    merged = merge_decisions(earlier, decisions)
    changes = set_values({"labels": {"decisions": name}}, str(file))
    if target.resolve() != file.resolve():
        write_decisions(target, merged)
    counts = decisions["decision"].value_counts()
    print(f"{file}: {', '.join(f'{counts.get(word, 0):,} {word}' for word in WORDS)}")
    replaced = len(earlier) + len(decisions) - len(merged)
    print(f"{target}: {len(merged):,} decisions, of which {len(earlier) - replaced:,} were there before")
    if changes:
        print(f"params.yaml: labels.decisions is now {name}")
    print("Next: dvc repro")
