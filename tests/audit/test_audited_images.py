"""The images that are audited: used ones of training and validation, beside their rows of the table."""

import numpy as np
import pytest

from emotion.audit.audited_images import find_undecided, select_images
from emotion.core.errors import InputError
from tests.audit.images import make_arrays, make_table

SPLITS = ["val", "train", "test", "train", "train", "val"]


def test_used_images_of_training_and_validation_are_audited():
    table = make_table([0, 1, 2, 0, 1, 2], SPLITS, excluded=["", "", "", "copy of val", "", ""], group=list("abcabb"))
    images = select_images(table, make_arrays(table))
    assert images.rows.index.tolist() == [1, 4, 0, 5]
    assert images.x[:, 0, 0, 0].tolist() == [1, 4, 0, 5]
    assert images.labels.tolist() == [1, 1, 0, 2]
    units = images.units.tolist()
    assert units[0] == units[1] == units[3] != units[2]
    assert images.votes is None


def test_votes_are_those_of_the_table():
    table = make_table([0, 1], votes=["3 1", "0 9"])
    np.testing.assert_array_equal(select_images(table, make_arrays(table)).votes, [[3, 1], [0, 9]])


@pytest.mark.parametrize("labels", [[0, 1, 2, 0, 1, 1], [0, 1, 2, 0, 1, 2, 0]])
def test_arrays_of_another_table_are_refused(labels):
    arrays = make_arrays(make_table([0, 1, 2, 0, 1, 2], SPLITS))
    with pytest.raises(InputError, match=r"data/features holds 5 images.*dvc repro extract_features"):
        select_images(make_table(labels, (SPLITS * 2)[: len(labels)]), arrays)


def test_images_with_a_decision_are_decided():
    assert find_undecided(make_table([0, 1])).tolist() == [True, True]
    assert find_undecided(make_table([0, 1, 1], decision=["confirm", "", "change"])).tolist() == [False, True, False]
