"""Suspect labels: planted faults are found, and each image is named once."""

import numpy as np
import pytest

from emotion.audit.suspects import count_pairs, find_suspects
from tests.audit.images import make_images

pytestmark = pytest.mark.medium  # cleanlab takes seconds to load

NAMES = ("happy", "sad", "neutral")
TRUE = np.arange(300) % 3
WRONG = [7, 30, 31, 77, 200]
GIVEN = np.where(np.isin(np.arange(300), WRONG), (TRUE + 1) % 3, TRUE)


@pytest.fixture
def probabilities():
    """Those of networks that know the true labels, more or less surely."""
    shares = np.random.default_rng(1).dirichlet([2, 2, 2], 300) * 0.4
    shares[np.arange(300), TRUE] += 0.6
    return shares


def test_planted_faults_are_found_with_what_is_likely(probabilities):
    suspects = find_suspects(make_images(GIVEN.tolist()), probabilities, NAMES)
    assert set(suspects.index) == set(WRONG)
    assert suspects["quality"].is_monotonic_increasing
    assert suspects["quality"].between(0, 1).all()
    for row, (_, suspect) in zip(suspects.index.tolist(), suspects.iterrows(), strict=True):
        assert suspect["hash"] == f"h{row}"
        assert (suspect["given"], suspect["suggested"]) == (NAMES[GIVEN[row]], NAMES[TRUE[row]])
        assert [suspect[f"p_{name}"] for name in NAMES] == pytest.approx(probabilities[row])
    pairs = count_pairs(suspects)
    assert pairs["images"].sum() == len(WRONG)
    assert pairs["images"].is_monotonic_decreasing


def test_copies_are_named_once_and_decided_images_not_at_all(probabilities):
    hashes = [f"h{row}" for row in range(300)]
    hashes[30] = hashes[7]
    decided = ["confirm" if row == 77 else "" for row in range(300)]
    suspects = find_suspects(make_images(GIVEN.tolist(), hash=hashes, decision=decided), probabilities, NAMES)
    assert len(suspects) == 3
    assert set(suspects["hash"]) == {"h7", "h31", "h200"}
    worst = min((7, 30), key=lambda row: probabilities[row, GIVEN[row]] - probabilities[row, TRUE[row]])
    assert worst in suspects.index


def test_right_labels_are_not_suspect(probabilities):
    assert find_suspects(make_images(TRUE.tolist()), probabilities, NAMES).empty
