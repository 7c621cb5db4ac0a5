"""The file of decisions on labels: the verdicts of people on images, keyed by the hash of the pixels.

Its columns are:

- hash: as the table of images has it. It names no file, and equal images have equal ones.
- given: the emotion that the label meant when the decision was made.
- decision: `confirm` (the label is right), `change` (the image shows another emotion) or `drop` (it is of no use).
- emotion: the emotion that the image shows; only of `change`.
- note: free text, which nothing reads. This column may be missing.
"""

import re
import warnings
from pathlib import Path

import pandas as pd

from emotion.core.cells import unguard_table
from emotion.core.errors import InputError, check_regular
from emotion.core.files import write_csv
from emotion.core.paths import LABELS

CONFIRM, CHANGE, DROP = "confirm", "change", "drop"
WORDS = (CONFIRM, CHANGE, DROP)

NEEDED_COLUMNS = ("hash", "given", "decision", "emotion")
COLUMNS = (*NEEDED_COLUMNS, "note")

HASH = re.compile("[0-9a-f]{32}")

FIRST_LINE = 2
"""The line of the first decision; the names of the columns stand before it."""


def find_decisions(name: str) -> Path:
    """Return the path of the file that labels.decisions names.

    Raises:
        InputError: there is no such file.
    """
    path = LABELS / name
    if not path.is_file():
        others = ", ".join(sorted(other.name for other in LABELS.glob("*.csv"))) or "no decisions"
        raise InputError(
            f"labels.decisions: got {name}, but {LABELS} has {others}. Copy the file there with `emotion labels apply "
            "FILE`, or set labels.decisions to null"
        )
    return path


def read_decisions(path: Path) -> pd.DataFrame:
    """Read a file of decisions: a row for each hash, with COLUMNS as texts.

    A decision that stands there twice counts once.

    Raises:
        InputError: the file is missing, is no table, lacks a column, or has a row that is no decision. The error is
            also raised where two decisions on one image differ.
    """
    check_regular(path, _remedy())
    try:
        with warnings.catch_warnings():
            # Without this and index_col, a comma too many in each row would move all values by a column.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = unguard_table(
                pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig", index_col=False)
            )
    except pd.errors.ParserWarning:
        raise InputError(
            f"{path}: rows have more values than the {len(COLUMNS)} columns; put a note with a comma in quotation marks"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table of decisions ({error}); {_remedy()}") from None
    missing = [name for name in NEEDED_COLUMNS if name not in table]
    if missing:
        raise InputError(
            f"{path}: got the columns {', '.join(table.columns)[:200]}, expected {', '.join(NEEDED_COLUMNS)}; missing: "
            f"{', '.join(missing)}. {_remedy()}"
        )
    decisions = table.reindex(columns=list(COLUMNS), fill_value="").apply(lambda column: column.str.strip())
    _check_rows(decisions, path)
    once: pd.DataFrame = decisions.drop_duplicates(["hash", "decision", "emotion"])
    _check_once(once, path)
    return once


def _remedy() -> str:
    return "correct it there, or save the decisions again from the page of `emotion labels audit`"


def _check_rows(decisions: pd.DataFrame, path: Path) -> None:
    """Raise InputError for the first row that is no decision."""
    words, emotions = decisions["decision"], decisions["emotion"]
    checks = {
        "hash": (~decisions["hash"].str.fullmatch(HASH.pattern), "the 32 hex digits that data/dataframe.csv has"),
        "given": (decisions["given"] == "", "the emotion of the label when the decision was made"),
        "decision": (~words.isin(WORDS), f"one of {', '.join(WORDS)}"),
        "emotion": ((words == CHANGE) != (emotions != ""), f"an emotion for {CHANGE}, and nothing for other decisions"),
    }
    for column, (wrong, expected) in checks.items():
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise InputError(
                f"{path}, line {row + FIRST_LINE}: got {decisions[column].iat[row]!r} as {column}, expected {expected} "
                f"({int(wrong.sum()):,} such lines); {_remedy()}"
            )


def _check_once(decisions: pd.DataFrame, path: Path) -> None:
    """Raise InputError where two rows decide differently on one image."""
    twice = decisions[decisions["hash"].duplicated(keep=False)]
    if len(twice):
        first = twice["hash"].iat[0]
        rows = twice[twice["hash"] == first]
        lines = zip(rows.index.tolist(), rows["decision"], rows["emotion"], strict=True)
        said = " and ".join(f"{' '.join(words).strip()} in line {row + FIRST_LINE}" for row, *words in lines)
        raise InputError(
            f"{path}: {twice['hash'].nunique():,} images have different decisions; {first} has {said}. Expected one "
            "decision on an image: delete the lines that are wrong"
        )


def merge_decisions(earlier: pd.DataFrame, later: pd.DataFrame) -> pd.DataFrame:
    """Return the decisions of both; of two on one image, the later one."""
    return pd.concat([earlier, later]).drop_duplicates("hash", keep="last", ignore_index=True)


def write_decisions(path: Path, decisions: pd.DataFrame) -> None:
    """Write decisions in the order of their hashes, so that git shows what was added."""
    write_csv(path, decisions[list(COLUMNS)].sort_values("hash"))
