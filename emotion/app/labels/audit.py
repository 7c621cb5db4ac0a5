"""The audit of labels: from the table and the arrays of the pipeline to a table of suspects and a page."""

import hashlib

import numpy as np
import pandas as pd

from emotion.app.labels.files import FOLDS, PAGE, SUSPECTS
from emotion.app.labels.page import Suspect, write_page
from emotion.app.preset.presets import find_preset
from emotion.audit.audited_images import AuditedImages, select_images
from emotion.audit.cross_validation import cross_validate
from emotion.audit.people import People, find_people, read_rejected
from emotion.audit.recipe import shorten_recipe
from emotion.audit.suspects import count_pairs, find_suspects
from emotion.core.errors import InputError
from emotion.core.files import write_csv
from emotion.core.labels import resolve_scheme
from emotion.core.params import SECTIONS, Params, check_params, load_params, read_yaml
from emotion.core.paths import FEATURES, TABLE
from emotion.data.feature_arrays import load_features
from emotion.data.table import read_table

PAIRS = 8
"""Pairs of a given and a suggested label that are printed."""


def audit_labels(preset: str | None, folds: int, epochs: int | None, page: int) -> None:
    """Write SUSPECTS and PAGE.

    Args:
        preset: name of the preset whose training is used; None for that of params.yaml.
        folds: number of folds.
        epochs: of each network; None for the recipe's, within a bound.
        page: suspects on the page.

    Raises:
        InputError: the files of the pipeline, the params or the preset cannot be used.
    """
    params = load_params(*SECTIONS)
    recipe = shorten_recipe(read_recipe(preset, params), epochs)
    emotions = resolve_scheme(params.labels.scheme).emotions
    table = read_table(TABLE)
    images = select_images(table, load_features(FEATURES))
    people = read_people(table, images, params)
    probabilities = cross_validate(images, len(emotions), recipe, folds, FOLDS)
    suspects = find_suspects(images, probabilities, emotions)
    told = ["" if people is None else people.describe(row) for row in suspects.index]
    write_csv(SUSPECTS, suspects.assign(votes=told))
    write_page(PAGE, list_suspects(suspects.head(page), images, people, emotions), emotions, _name(suspects))
    report(suspects, images, probabilities, page)


def read_recipe(preset: str | None, params: Params) -> Params:
    """Return the sections train, augmentation and compute: those of a preset, completed by those of `params`."""
    if preset is None:
        return params
    path = find_preset(preset)
    values = read_yaml(path)
    sections = {
        name: getattr(params, name).model_dump() | (values.get(name) or {})
        for name in ("train", "augmentation", "compute")
    }
    return check_params(sections, *sections, name=str(path))


def read_people(table: pd.DataFrame, images: AuditedImages, params: Params) -> People | None:
    """Return people's votes on the audited images, or None with a warning where they cannot be used."""
    try:
        people = find_people(table, read_rejected(), params.source, params.labels)
    except InputError as error:
        print(f"warning: people's votes are left out: {error}")
        return None
    return people and People(people.choices, people.votes[images.rows.index])


def list_suspects(
    suspects: pd.DataFrame, images: AuditedImages, people: People | None, emotions: tuple[str, ...]
) -> list[Suspect]:
    """Return what the page shows of each suspect."""
    columns = [f"p_{name}" for name in emotions]
    rows = zip(suspects.index, suspects["hash"], suspects["given"], suspects[columns].to_numpy(), strict=True)
    return [
        Suspect(images.x[row], key, given, probabilities.tolist(), {} if people is None else people.count(row))
        for row, key, given, probabilities in rows
    ]


def _name(suspects: pd.DataFrame) -> str:
    """Return a name for an audit, under which the browser keeps decisions: other suspects, another name."""
    return hashlib.blake2b("\n".join(suspects["hash"] + suspects["given"]).encode(), digest_size=8).hexdigest()


def most_common_share(labels: np.ndarray) -> float:
    """Return the share of the most common label."""
    return float(np.bincount(labels.astype(int)).max() / len(labels))


def report(suspects: pd.DataFrame, images: AuditedImages, probabilities: np.ndarray, page: int) -> None:
    """Print how many labels are suspect, which ones, and what to do next."""
    agreement, commonest = (probabilities.argmax(axis=1) == images.labels).mean(), most_common_share(images.labels)
    share = len(suspects) / len(images.rows)
    print(f"{len(images.rows):,} labels of training and validation audited; the networks agree with {agreement:.1%}")
    if agreement <= commonest:
        print(
            f"warning: always naming the most common emotion agrees with {commonest:.1%}, so the networks learned too "
            "little to doubt a label; train more epochs with --epochs, or another network with --preset"
        )
    print(f"{len(suspects):,} images with suspect labels ({share:.1%})")
    for pair in count_pairs(suspects).head(PAIRS).itertuples():
        print(f"  {pair.images:6,}  labeled {pair.given}, likely {pair.suggested}")
    print(f"written: {SUSPECTS}")
    print(f"written: {PAGE}, with {min(page, len(suspects)):,} of them; open it in a browser to decide")
