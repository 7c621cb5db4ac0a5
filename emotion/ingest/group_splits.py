"""Choice of a split by units: images of one group, exact copies and near copies stay together."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from emotion.data.table import COPY, GROUP, NEAR_COPY
from emotion.ingest.components import find_components
from emotion.ingest.copies import link_keys

MOST_ATTEMPTS, MOST_VISITS, MOST_MOVES = 50, 100_000, 50
"""Number of random orders of the units that are tried, of units in all of them beyond one order, and of later moves."""

LACKING = 1e9
"""The weight of an emotion that no chosen unit has. It is above every distance from the target."""

SMALLEST_GAIN = 1e-9
"""The difference of weighted distances that counts as one."""


class Task(NamedTuple):
    """The choice of a split.

    Attributes:
        counts: images by unit and emotion, and their sum in the last column, (units, emotions + 1).
        target: the wanted sum of the counts, (emotions + 1,).
        keep: the number of units of each emotion that other splits need.
    """

    counts: np.ndarray
    target: np.ndarray
    keep: int

    @property
    def weighted(self) -> np.ndarray:
        """The counts divided by the number of images of each emotion, so that rare emotions weigh as much."""
        return np.asarray(self.counts / np.maximum(1, self.counts.sum(axis=0)))

    def misfit(self, chosen: np.ndarray) -> tuple[int, float]:
        """Return the number of emotions that the chosen units lack, and the weighted distance from the target."""
        sums = self.counts[chosen].sum(axis=0)
        lacking = int(((sums == 0) & (self.target > 0)).sum())
        return lacking, float(((sums - self.target) ** 2 / np.maximum(1, self.counts.sum(axis=0))).sum())


def number_units(images: pd.DataFrame) -> np.ndarray:
    """Return the number of the unit of each image, (n,). The numbers do not depend on the order of the images.

    Images are in one unit where they share a group, a hash or a near copy, or are linked to the same one. Blank images
    link no groups. Units are numbered by the smallest hash in them.

    Args:
        images: with the columns image, hash and blank, and group or near_copy_of.
    """
    blank = images["blank"].to_numpy(dtype=bool)
    keys = link_keys(images)
    groups, hashes = keys.get(GROUP, np.full(len(images), -1)), keys[COPY]
    edges = [_star(groups, groups >= 0), _star(hashes, ~blank | (groups < 0))]
    if NEAR_COPY in keys:
        edges.append(_star(keys[NEAR_COPY], ~blank))
    ends = np.concatenate(edges, axis=1)
    units = find_components(ends[0], ends[1], len(images))
    # A blank image may be in several units, so its hash counts last.
    smallest = np.full(units.max(initial=-1) + 1, np.iinfo(np.int64).max)
    np.minimum.at(smallest, units, np.where(blank, hashes + len(images), hashes))
    ranks = np.empty_like(smallest)
    ranks[np.argsort(smallest, kind="stable")] = np.arange(len(smallest))
    return np.asarray(ranks[units])


def _star(codes: np.ndarray, linked: np.ndarray) -> np.ndarray:
    """Return pairs (2, n) of each linked image and the first linked one with the same code."""
    places = np.flatnonzero(linked)
    _, first, members = np.unique(codes[places], return_index=True, return_inverse=True)
    return np.stack([places, places[first[members]]])


def choose_units(units: np.ndarray, emotions: pd.Series, share: float, seed: list[int], keep: int) -> np.ndarray:
    """Return which images are chosen, (n,) booleans: about `share` of each emotion, and at least one unit.

    Of several random choices, the one nearest to the shares is taken. Units that are the last ones with some emotion
    are left to the other splits.

    Args:
        units: the number of the unit of each image, as `number_units` returns it.
        emotions: of the images.
        share: 0 to 1.
        seed: of the random orders.
        keep: the number of other splits, each of which needs a unit of every emotion.
    """
    codes, kinds = pd.factorize(emotions, sort=True)
    present, members = np.unique(units, return_inverse=True)
    shape = len(present), len(kinds)
    counts = np.bincount(members * shape[1] + codes, minlength=shape[0] * shape[1]).reshape(shape).astype(float)
    target = np.maximum(1, share * counts.sum(axis=0))
    task = Task(_with_sum(counts), _with_sum(target), keep)
    generator = np.random.default_rng(seed)
    attempts = min(MOST_ATTEMPTS, 1 + MOST_VISITS // len(present))
    choices = [_fill(task, generator.permutation(len(present))) for _ in range(attempts)]
    return np.asarray(min(choices, key=task.misfit)[members])


def _with_sum(counts: np.ndarray) -> np.ndarray:
    return np.concatenate([counts, counts.sum(axis=-1, keepdims=True)], axis=-1)


def _fill(task: Task, order: np.ndarray) -> np.ndarray:
    """Return a choice of units, (units,) booleans, that takes them in `order` while they come nearer to the target."""
    counts, weighted = task.counts, task.weighted
    squares = (weighted * counts).sum(axis=1)
    sizes = counts[:, -1].tolist()
    rest, holders = task.target.copy(), (counts > 0).sum(axis=0)
    chosen = np.zeros(len(counts), bool)
    for unit in order.tolist():
        if sizes[unit] > rest[-1] or 2 * weighted[unit] @ rest <= squares[unit]:
            continue
        if (holders - (counts[unit] > 0) >= task.keep)[counts[unit] > 0].all():
            chosen[unit] = True
            rest -= counts[unit]
            holders -= counts[unit] > 0
    return _improve(task, chosen, order)


def _improve(task: Task, chosen: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return the choice after units are added and dropped, one at a time, while it lacks fewer emotions or is nearer.

    An added unit must leave enough units of its emotions to the other splits.
    """
    counts, weighted, taken = task.counts[order], task.weighted[order], chosen[order]
    squares, held = (weighted * counts).sum(axis=1), (counts > 0).astype(float)
    rest, holders, left = task.target - counts[taken].sum(axis=0), held[taken].sum(axis=0), held[~taken].sum(axis=0)
    for _ in range(MOST_MOVES):
        nearer = np.where(taken, -2, 2) * (weighted @ rest) - squares
        fewer = np.where(taken, -(held @ (holders == 1)), held @ (holders == 0))
        allowed = taken | (held @ (left <= task.keep) == 0)
        gain = np.where(allowed, nearer + LACKING * fewer, -np.inf)
        unit = gain.argmax()
        if gain[unit] <= SMALLEST_GAIN:
            break
        sign = -1 if taken[unit] else 1
        rest, holders, left = rest - sign * counts[unit], holders + sign * held[unit], left - sign * held[unit]
        taken[unit] ^= True
    if not taken.any():
        taken[nearer.argmax()] = True
    result = np.zeros_like(chosen)
    result[order] = taken
    return result
