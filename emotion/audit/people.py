"""People's votes on the images of a source, for those who look at suspect labels."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from emotion.core.cells import unguard_table
from emotion.core.labels import resolve_scheme
from emotion.core.params import LabelsParams, SourceParams
from emotion.core.paths import REJECTED
from emotion.data.table import VOTES_COLUMN
from emotion.ingest.collect import Collected
from emotion.ingest.ferplus import CARRIED_VOTES, CHOICES, is_ferplus, match_votes, parse_votes, read_votes
from emotion.ingest.label_reader import make_label_reader
from emotion.ingest.sources.locate import open_source


class People:
    """Votes on each row of a table of images.

    Attributes:
        choices: what people could choose, in the order of the columns of `votes`.
        votes: the number of people by image and choice, (rows, choices).
    """

    def __init__(self, choices: Sequence[str], votes: np.ndarray) -> None:
        self.choices, self.votes = tuple(choices), votes

    def count(self, row: int) -> dict[str, int]:
        """Return the number of votes on an image by choice, most first, without choices that nobody took."""
        order = np.argsort(-self.votes[row].astype(int), kind="stable")
        return {self.choices[one]: int(self.votes[row, one]) for one in order if self.votes[row, one]}

    def describe(self, row: int) -> str:
        """Return the votes on an image as a text: `happy 7, neutral 3`."""
        return ", ".join(f"{choice} {count}" for choice, count in self.count(row).items())


def read_rejected() -> pd.DataFrame:
    """Return data/rejected.csv, the images that could not be read, with all values as texts."""
    return unguard_table(pd.read_csv(REJECTED, dtype="str", keep_default_na=False))


def find_people(
    table: pd.DataFrame, rejected: pd.DataFrame, source: SourceParams, labels: LabelsParams
) -> People | None:
    """Return people's votes on the rows of `table`; None where there are none.

    They are those that the source carries, those of FER+ beside FER2013 under any scheme, or those of the table.

    Args:
        table: the whole table of images.
        rejected: as `read_rejected` returns it.
        source: where the images come from.
        labels: their scheme and numbers.

    Raises:
        InputError: a file of votes is beside the source, and it is not on these images.
    """
    if CARRIED_VOTES in table:
        return People([*CHOICES.values()], parse_votes(table[CARRIED_VOTES]))
    folder = Path(source.folder)
    if folder.is_dir() and any(is_ferplus(path.name) for path in folder.iterdir()):
        scheme = resolve_scheme(labels.scheme)
        opened = open_source(folder, source.file, make_label_reader(scheme, labels.numbers))
        votes = match_votes(read_votes(folder, opened), Collected(table, rejected), opened.name)
        return People([*CHOICES.values()], votes)
    if VOTES_COLUMN in table:
        return People(resolve_scheme(labels.scheme).emotions, parse_votes(table[VOTES_COLUMN]))
    return None
