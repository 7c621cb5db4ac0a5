"""The sections of `emotion metrics`: figures of the metrics files, in rows and columns.

Rows, columns and units follow from the keys and values of the files. A figure that a stage adds is thus shown.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotion.app.metrics.figures import Cell, Content, find_figures, make_cell
from emotion.app.metrics.revisions import TIMES, Metrics
from emotion.core.paths import DATASET_METRICS, EVALUATION_METRICS, EXPORT_METRICS, TRAINING_METRICS

BY_CLASS = "by_class"
GROUPS, GAP, RECALL = "groups", "largest_gap", "recall"
IMAGES = "images"
THRESHOLD = "threshold"
"""The key of the thresholds of two emotions. With more emotions there is none."""

CALIBRATED = "calibrated_"
"""The start of the keys of figures whose probabilities were scaled with the temperature."""

CHOSEN_ON = "validation"
"""The column of figures that no split has, such as the temperature: they are chosen on this split."""

LABELS = {
    "accuracy_difference": "difference",
    "accuracy_difference_by_chance": "by chance",
    "agreement": "same labels",
    "calibrated_expected_calibration_error": "calibration error",
    "calibrated_overconfidence": "overconfidence",
    "expected_calibration_error": "calibration error",
    "f1": "F1",
    "loss": "objective",
    "macro_f1": "macro F1",
    "multiply_adds": "multiply-adds",
    TIMES: "ms a face",
    "roc_auc": "ROC AUC",
    "support": "images",
    "test_unique": "without copies",
    "top_2_accuracy": "top-2 accuracy",
}
"""Names of figures and columns in the tables, where the key with blanks would not do."""

ONE_COLUMN = "value"
"""The title of the only column of a list."""

GAP_NOTE = "by chance: 19 of 20 samples of equally accurate groups have a smaller gap"
OBJECTIVE_NOTE = "objective: the loss that training minimizes, with label smoothing"


@dataclass(frozen=True)
class Table:
    """Figures by row and column.

    Attributes:
        title: the title above the table.
        rows_are: the title of the first column, such as `emotion`.
        columns_are: what the other columns are, such as `figure`; empty where there is one column.
        cells: the figures by row, then by column.
        note: a line that explains a word of the table, or an empty text.
    """

    title: str
    rows_are: str
    columns_are: str
    cells: Mapping[str, Mapping[str, Cell]]
    note: str = ""

    @property
    def columns(self) -> list[str]:
        """The names of the columns that any row has, in their order."""
        return list(dict.fromkeys(column for row in self.cells.values() for column in row))


@dataclass(frozen=True)
class Section:
    """A part of the metrics.

    Attributes:
        path: the file that has it.
        select: returns this section's part of the content of the file.
        tables: returns the tables of that part.
    """

    path: Path
    select: Callable[[Content], Content]
    tables: Callable[[Content], list[Table]]

    def read(self, metrics: Metrics) -> Content:
        """Return the section's figures as the file has them; empty where the revision lacks the file."""
        return self.select(metrics.files.get(self.path, {}))


def flatten(content: Content, start: str = "") -> dict[str, Any]:
    """Return the values of nested objects by their keys, joined with dots: `test.accuracy`."""
    flat: dict[str, Any] = {}
    for key, value in content.items():
        flat |= flatten(value, f"{start}{key}.") if isinstance(value, Mapping) else {f"{start}{key}": value}
    return flat


def _label(key: str) -> str:
    return LABELS.get(key, key.replace("_", " "))


def _rows(content: Content) -> dict[str, dict[str, Cell]]:
    """Return a row for each object in `content`, with a column for each of its figures.

    A broken file may have something else in place of an object. It is shown as it is.
    """
    return {_label(name): _row(content, name) for name in content}


def _row(content: Content, name: str) -> dict[str, Cell]:
    row = content[name]
    if not isinstance(row, Mapping):
        return {ONE_COLUMN: make_cell(content, name)}
    return {_label(key): make_cell(row, key) for key in find_figures(row)}


def _objects(content: Content) -> dict[str, Content]:
    return {name: value for name, value in content.items() if isinstance(value, Mapping)}


def _turned(rows: Mapping[str, Mapping[str, Cell]]) -> dict[str, dict[str, Cell]]:
    """Return rows as columns, and columns as rows."""
    turned: dict[str, dict[str, Cell]] = {}
    for name, row in rows.items():
        for column, cell in row.items():
            turned.setdefault(column, {})[name] = cell
    return turned


def _part(content: Content, key: str) -> Content:
    """Return the object at `key`; where a broken file has something else there, return that under its key."""
    part = content.get(key, {})
    return part if isinstance(part, Mapping) else {key: part}


def _list(title: str, content: Content, note: str = "") -> Table:
    """Return a table with one figure a row, of objects in objects."""
    flat = flatten(content)
    names = {key: " ".join(map(_label, key.split("."))) for key in flat}
    return Table(title, "figure", "", {names[key]: {ONE_COLUMN: make_cell(flat, key)} for key in flat}, note)


def _overall_tables(content: Content) -> list[Table]:
    objects = _objects(content)
    splits = {name: split for name, split in objects.items() if name != THRESHOLD}
    cells = _turned(_rows({name: _without_temperature(split) for name, split in splits.items()}))
    cells |= {_label(key): {CHOSEN_ON: make_cell(content, key)} for key in content if key not in objects}
    scaled = _turned(_rows({name: _with_temperature(split) for name, split in splits.items()}))
    return [
        Table("Overall", "figure", "split", cells),
        Table("Overall, calibrated with the temperature", "figure", "split", scaled),
        _list("Threshold of two emotions", objects.get(THRESHOLD, {})),
    ]


def _without_temperature(split: Content) -> Content:
    return {key: value for key, value in split.items() if not key.startswith(CALIBRATED)}


def _with_temperature(split: Content) -> Content:
    """Return the figures with the temperature, by the keys of those without it."""
    return {key.removeprefix(CALIBRATED): value for key, value in split.items() if key.startswith(CALIBRATED)}


def _class_tables(content: Content) -> list[Table]:
    return [Table("Test split by class", "emotion", "figure", _rows(content))]


def _group_tables(content: Content) -> list[Table]:
    """Return the figures of each group of a column, their recall by emotion, and the largest gap by column."""
    groups = {
        f"{column}: {value}": scores
        for column, figures in _objects(content).items()
        for value, scores in _objects(_part(figures, "values")).items()
    }
    recalls = {name: _objects(_part(scores, RECALL)) for name, scores in groups.items()}
    gaps = _objects({column: figures.get(GAP) for column, figures in _objects(content).items()})
    return [
        Table("Test split by group", "group", "figure", {name: _without_recall(groups, name) for name in groups}),
        Table("Recall by group", "group", "emotion", {name: _recall(row) for name, row in recalls.items() if row}),
        Table("Largest gap of accuracy", "column", "figure", {column: _row(gaps, column) for column in gaps}, GAP_NOTE),
    ]


def _without_recall(groups: Content, name: str) -> dict[str, Cell]:
    return _row({name: {key: value for key, value in groups[name].items() if key != RECALL}}, name)


def _recall(emotions: Mapping[str, Content]) -> dict[str, Cell]:
    return {emotion: make_cell(scores, RECALL) for emotion, scores in emotions.items() if RECALL in scores}


def _export_tables(content: Content) -> list[Table]:
    return [Table("Exported files on the test split", "file", "figure", _rows(content))]


def _training_tables(content: Content) -> list[Table]:
    return [_list("Training", content, OBJECTIVE_NOTE)]


def _dataset_tables(content: Content) -> list[Table]:
    images = _objects(content).get(IMAGES, {})
    others = {key: value for key, value in content.items() if value is not images}
    splits = _turned(_rows(_objects(images)))
    return [Table("Images by split", "emotion", "split", splits), _list("Data set", others)]


SECTIONS = {
    "overall": Section(
        EVALUATION_METRICS,
        lambda content: {key: value for key, value in content.items() if key not in (BY_CLASS, GROUPS)},
        _overall_tables,
    ),
    "by-class": Section(EVALUATION_METRICS, lambda content: _part(content, BY_CLASS), _class_tables),
    "by-group": Section(EVALUATION_METRICS, lambda content: _part(content, GROUPS), _group_tables),
    "export": Section(EXPORT_METRICS, lambda content: content, _export_tables),
    "training": Section(TRAINING_METRICS, lambda content: content, _training_tables),
    "dataset": Section(DATASET_METRICS, lambda content: content, _dataset_tables),
}
"""The sections by the names that --only takes, in the order of the output."""


def choose_sections(names: Collection[str] | None) -> dict[str, Section]:
    """Return the sections of these names, in the order of SECTIONS; all for None."""
    return {name: section for name, section in SECTIONS.items() if names is None or name in names}
