"""Taking a file of decisions into data/labels and params.yaml."""

from pathlib import Path

import pandas as pd

from emotion.app.preset.presets import merge_values, write_params
from emotion.core.errors import InputError
from emotion.core.labels import resolve_scheme
from emotion.core.params import load_params
from emotion.core.paths import LABELS, TABLE
from emotion.data.table import read_table
from emotion.ingest.decided_labels import check_decisions
from emotion.ingest.decision_file import WORDS, merge_decisions, read_decisions, write_decisions

DEFAULT_NAME = "decisions.csv"


def apply_decisions(file: Path, name: str | None) -> None:
    """Add the decisions in `file` to those in data/labels/`name`, and set labels.decisions to it.

    Args:
        file: as `read_decisions` reads it.
        name: of the file in data/labels; None for that of labels.decisions, or else DEFAULT_NAME.

    Raises:
        InputError: one of the files is no file of decisions, has none, or `name` is not allowed. Or a decision is on
            no image of the table, or names an unknown emotion.
    """
    name = name or load_params("labels").labels.decisions or DEFAULT_NAME
    target = LABELS / name
    if not file.exists():
        raise InputError(f"{file} does not exist; name the file that the page of `emotion labels audit` saved")
    decisions = read_decisions(file)
    if decisions.empty:
        raise InputError(f"{file} has no decisions, expected at least one; decide on the page, and save again")
    _check_fit(decisions, file)
    earlier = read_decisions(target) if target.exists() else decisions.iloc[:0]
    merged = merge_decisions(earlier, decisions)
    params, changes = merge_values({"labels": {"decisions": name}}, str(file))
    if target.resolve() != file.resolve():
        write_decisions(target, merged)
    # Last, so that params.yaml never names a file that is missing.
    write_params(params)
    counts = decisions["decision"].value_counts()
    print(f"{file}: {', '.join(f'{counts.get(word, 0):,} {word}' for word in WORDS)}")
    new, changed = len(merged) - len(earlier), count_changes(earlier, merged)
    print(f"{target}: {len(merged):,} in all, {new:,} new, {changed:,} in place of another decision")
    if changes:
        print(f"params.yaml: labels.decisions is now {name}")
    print("Next: dvc repro")


def _check_fit(decisions: pd.DataFrame, file: Path) -> None:
    """Raise InputError where the stage create_dataframe would refuse the decisions, as far as the table tells."""
    if not TABLE.exists():
        return
    table, scheme = read_table(TABLE), resolve_scheme(load_params("labels").labels.scheme)
    try:
        check_decisions(decisions, table["hash"], table["emotion"], scheme, str(file))
    except InputError as error:
        raise InputError(
            f"{error}. Nothing was changed. If {TABLE} is of another source, run `dvc repro create_dataframe` first"
        ) from None


def count_changes(earlier: pd.DataFrame, later: pd.DataFrame) -> int:
    """Return on how many images of both tables the decisions differ."""
    both = earlier.merge(later, on="hash", suffixes=("_earlier", "_later"))
    differ = (both[f"{name}_earlier"] != both[f"{name}_later"] for name in ("decision", "emotion"))
    return int(pd.concat(differ, axis=1).any(axis=1).sum())
