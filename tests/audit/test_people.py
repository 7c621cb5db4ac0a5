"""People's votes, beside suspect labels: from the source, from FER+ beside it, or from the table."""

import pandas as pd
import pytest

from emotion.audit.people import find_people
from emotion.core.errors import InputError
from emotion.core.params import load_params
from emotion.core.paths import REJECTED, TABLE
from emotion.data.table import read_table
from emotion.ingest.ferplus import CARRIED_VOTES
from stages import create_dataframe
from tests.makers import csv_text, make_rows, votes_for, write_ferplus, write_files, write_params

ROWS = make_rows()
VOTES = [votes_for(**{emotion: 6, "unknown": 3, "no_face": 1}) for emotion, _, _ in ROWS]


def people(table=None, here=None, **changes):
    """Return what is found after the stage create_dataframe."""
    write_params(here, **changes)
    create_dataframe.main()
    params = load_params("source", "labels")
    rejected = pd.read_csv(REJECTED, dtype="str", keep_default_na=False)
    return find_people(read_table(TABLE) if table is None else table, rejected, params.source, params.labels)


def test_ferplus_beside_the_source_is_told_under_any_scheme(here):
    write_ferplus(here / "data/raw", ROWS, VOTES)
    found = people(here=here)
    assert found.count(2) == {ROWS[2][0]: 6, "unknown": 3, "no face": 1}
    assert found.describe(2) == f"{ROWS[2][0]} 6, unknown 3, no face 1"
    assert len(found.votes) == len(ROWS)


def test_nobody_is_told_where_nobody_was_asked(here):
    write_files(here / "data/raw", {"fer2013.csv": csv_text(ROWS).encode()})
    assert people(here=here) is None


def test_votes_of_the_source_and_of_the_table_are_told(here):
    write_files(here / "data/raw", {"fer2013.csv": csv_text(ROWS).encode()})
    table = pd.DataFrame({CARRIED_VOTES: ["4 0 0 1 3 2 0 0 0 0", "0 0 0 0 0 0 0 0 0 9"]})
    assert people(table, here).count(1) == {"no face": 9}
    table = pd.DataFrame({"votes": ["4 0 0 1 3 2 0", "0 0 0 0 0 0 9"]})
    assert people(table, here).describe(0) == "angry 4, sad 3, surprise 2, happy 1"


def test_votes_on_other_images_are_refused(here):
    write_ferplus(here / "data/raw", ROWS[:-1], VOTES[:-1])
    write_files(here / "data/raw", {"fer2013.csv": csv_text(ROWS).encode()})
    with pytest.raises(InputError, match=r"fer2013new.csv: 41 rows, but .*fer2013.csv has 42"):
        people(here=here)
