"""Suspect labels by confident learning (Northcutt, Jiang and Chuang 2021), as the library cleanlab finds them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from emotion.audit.audited_images import AuditedImages, find_undecided

SCORE = "normalized_margin"
"""The label quality score of cleanlab by which suspects are ranked: the probability of the given label, less the
largest one of another label, from 0 (worst) to 1.
"""

FILTER = "prune_by_noise_rate"
"""The method of cleanlab: as many suspects for each pair of labels as their estimated noise says."""


def find_suspects(images: AuditedImages, probabilities: np.ndarray, emotions: Sequence[str]) -> pd.DataFrame:
    """Return the images with suspect labels, the most suspect ones first.

    Of images with equal pixels the most suspect one stands for all. Images on which a person decided are left out.

    Args:
        images: the audited images.
        probabilities: for each image from a network that did not train on it, (images, classes).
        emotions: the names of the classes.

    Returns:
        The columns `hash`, `image`, `split`, `given` (the label), `suggested` (the most probable one), `quality`
        (0 to 1) and for each class its probability, `p_happy`. The index is the position in the audited images.
    """
    # Loading takes seconds, and other commands have no use for it.
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    labels = images.labels.astype(int)
    quality = get_label_quality_scores(labels, probabilities, method=SCORE)
    suspect = find_label_issues(labels, probabilities, filter_by=FILTER, n_jobs=1)
    names = np.array(emotions, dtype=object)
    table = (
        images.rows[["hash", "image", "split"]]
        .reset_index(drop=True)
        .assign(
            given=names[labels],
            suggested=names[probabilities.argmax(axis=1)],
            quality=quality,
            **{f"p_{name}": probabilities[:, label] for label, name in enumerate(emotions)},
        )
    )
    chosen = table[suspect & find_undecided(images.rows)].sort_values(["quality", "hash"], kind="stable")
    first: pd.DataFrame = chosen.drop_duplicates("hash")
    return first


def count_pairs(suspects: pd.DataFrame) -> pd.DataFrame:
    """Return the number of suspects by given and suggested label, the most frequent pairs first."""
    counts = suspects.groupby(["given", "suggested"]).size().reset_index(name="images")
    return counts.sort_values(["images", "given", "suggested"], ascending=[False, True, True], ignore_index=True)
