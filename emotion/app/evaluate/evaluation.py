"""The evaluation of a model on labeled images, from the source to the report."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from emotion.app.evaluate.crops import CropSettings, FaceSettings, read_crops, resolve_crops
from emotion.app.evaluate.scoring import Answers, Settings, answer, compare_groups, count_answers, score
from emotion.app.evaluate.selection import Selection, count_images, match_classes, select_images
from emotion.core.errors import InputError
from emotion.core.labels import Scheme
from emotion.core.metadata import ModelMetadata
from emotion.core.stores import Location, StoreAddress
from emotion.evaluation.group_columns import select_columns
from emotion.ingest.label_reader import make_label_reader
from emotion.ingest.sources.locate import open_source
from emotion.ingest.sources.source import Source
from emotion.runtimes.engine import Engine

REPORT_VERSION = 1
"""The version of the report. Keys may be added; where one changes its meaning, this number grows."""


@dataclass(frozen=True)
class Choices:
    """The choices of the command line.

    Attributes:
        faces: the search for faces.
        flip: whether the probabilities of each image and its mirror image are averaged; None for the model's own way.
        emotions: those that are scored; None for all that model and data have in common.
        split: as in `select_images`.
        scheme: as in `match_classes`.
        numbers: the meaning of numbers as labels, as in `make_label_reader`.
        groups: the columns whose values are compared, such as `sex`.
        written: the files that the command will write, none of which may be an image of the data.
        settings: of calibration and intervals.
    """

    faces: FaceSettings
    flip: bool | None = None
    emotions: Sequence[str] | None = None
    split: str | None = None
    scheme: Scheme | None = None
    numbers: str | dict[int, str] | None = None
    groups: Sequence[str] = ()
    written: Sequence[Path] = ()
    settings: Settings = field(default_factory=Settings)


def evaluate(engine: Engine, data: Location, choices: Choices) -> dict[str, Any]:
    """Return the report on a model and labeled images; on a terminal, a progress bar is shown.

    Args:
        engine: the loaded model.
        data: a folder, an archive or a table, of a layout that the readers know; or a folder of a store.
        choices: those of the command line.

    Raises:
        InputError: the data cannot be read, none of its images can be scored, one would be overwritten, or the model
            gives no probabilities.
    """
    metadata = engine.metadata
    classes = match_classes(metadata.emotions, choices.scheme)
    source = open_data(data, classes, choices.numbers)
    _check_columns(source, choices.groups)
    if isinstance(data, Path):
        _check_written(source, data if data.is_dir() else data.parent, choices.written)
    selection = select_images(count_images(source), classes, only=choices.emotions, split=choices.split)
    crops = resolve_crops(metadata, choices.faces)
    flip = metadata.flip if choices.flip is None else choices.flip
    # The processes that read images start here, before the thread of the progress bar runs.
    images = read_crops(source, selection.wanted, crops)
    with tqdm(images, total=selection.images, unit=" images", disable=None, leave=False) as progress:
        answers = answer(progress, engine, selection.labels, source, flip=flip)
    groups = compare_groups(answers, metadata, choices.settings, choices.groups)
    return {
        "version": REPORT_VERSION,
        "model": describe_model(metadata, crops, flip=flip),
        "data": describe_data(data, source, selection, answers),
        "faces": count_faces(answers),
        "intervals": describe_intervals(answers, choices.settings),
        "all": score(answers, metadata, choices.settings, only_found=False),
        "found": score(answers, metadata, choices.settings, only_found=True),
        "confusion": count_answers(answers, metadata),
        **({"groups": groups} if groups else {}),
    }


def open_data(data: Location, classes: Scheme, numbers: str | dict[int, str] | None) -> Source:
    """Return the source in the folder or file `data`, or in the folder of a store.

    Raises:
        InputError: no reader knows it, or its labels cannot be read.
    """
    labels = make_label_reader(classes, numbers)
    if isinstance(data, StoreAddress):
        return open_source(data, None, labels)
    return open_source(data, None, labels) if data.is_dir() else open_source(data.parent, data.name, labels)


def _check_columns(source: Source, names: Sequence[str]) -> None:
    """Raise InputError where the data lacks one of the columns, before its images are read."""
    missing = [name for name in names if name not in source.columns]
    select_columns(pd.DataFrame(columns=list(source.columns)), missing, setting="--groups")


def _check_written(source: Source, folder: Path, written: Sequence[Path]) -> None:
    """Raise InputError where one of the files to write is an image of the source."""
    targets = {path.resolve() for path in written if path.exists()}
    names = {path.name for path in targets}
    if not targets or source.count is None:
        return
    for entry in source.preview():
        if Path(entry.image).name in names and (folder / entry.image).resolve() in targets:
            raise InputError(f"{folder / entry.image} is one of the images to score; write to another file")


def describe_model(metadata: ModelMetadata, crops: CropSettings, *, flip: bool) -> dict[str, Any]:
    """Return the emotions of the model and the settings by which it got its images."""
    return {
        "emotions": list(metadata.emotions),
        "flip": flip,
        "temperature": metadata.temperature,
        "threshold": metadata.threshold,
        "detector": crops.detector,
        "margin": crops.margin,
        "smallest": crops.smallest,
        "size": crops.size,
        "color": crops.color,
    }


def describe_data(data: Location, source: Source, selection: Selection, answers: Answers) -> dict[str, Any]:
    """Return the name and layout of the data, and the numbers of images that are scored and that are not."""
    return {
        "name": data.resolve().name if isinstance(data, Path) else data.name,
        "layout": source.layout,
        "split": selection.split,
        "images": len(answers.images),
        "unreadable": len(answers.unreadable),
        "unreadable_images": dict(answers.unreadable),
        "other_splits": selection.other_splits,
        "not_in_model": dict(selection.not_in_model),
        "not_chosen": dict(selection.not_chosen),
    }


def count_faces(answers: Answers) -> dict[str, int]:
    """Return the number of images that were searched for a face, with a face and without, and of those that are one."""
    searched, found = answers.images["searched"], answers.images["found"]
    return {
        "searched": int(searched.sum()),
        "found": int((searched & found).sum()),
        "not_found": int((searched & ~found).sum()),
        "not_searched": int((~searched).sum()),
    }


def describe_intervals(answers: Answers, settings: Settings) -> dict[str, Any]:
    """Return the way in which intervals were made: draws of images, or of groups where the data names some."""
    by = "group" if (answers.images["group"] != "").any() else "image"
    return {"level": 0.95, "bootstrap_by": by, **settings._asdict()}
