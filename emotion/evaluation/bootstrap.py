"""Intervals by resampling the test images, or the groups that they belong to."""

from collections.abc import Callable

import numpy as np

MOST_DRAWS = 2**22
"""Number of counts of groups that are in memory at once."""


def bootstrap_interval(
    confusion: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of `statistic` (Efron and Tibshirani 1993, chapter 13).

    The interval covers the variation between samples of test images, not between training seeds.

    To draw n images with replacement and count them is one draw of a multinomial over the cells of the confusion
    matrix. So the counts are drawn directly, all resamples at once.

    Images of one person or sequence are no independent draws. With a matrix for each group, groups are drawn with all
    of their images: the cluster bootstrap (Davison and Hinkley 1997, section 3.8; Field and Welsh 2007). With few
    groups its intervals are too narrow (Cameron, Gelbach and Miller 2008).

    Args:
        confusion: counts of images, (classes, classes), or those of each group, (groups, classes, classes).
        statistic: maps counts (resamples, classes, classes) to figures (resamples,), as the functions of
            `emotion.evaluation.metrics` do.
        resamples: number of draws.
        seed: of the draws; the same seed gives the same interval.
        level: the share of draws inside the interval, 0 to 1.

    Returns:
        The lower and the upper end; both are NaN where there are no images.
    """
    if not confusion.any():
        return float("nan"), float("nan")
    return percentile_interval(statistic(resample(confusion, resamples=resamples, seed=seed)), level=level)


def resample(counts: np.ndarray, *, resamples: int, seed: int) -> np.ndarray:
    """Return the sums of each resample, (resamples, a, b).

    Args:
        counts: of images, (a, b), each in one cell; or the sums of each group, (groups, a, b). Neither may be empty.
        resamples: number of draws.
        seed: of the draws; the same seed gives the same sums.
    """
    draw = _draw_images if counts.ndim == 2 else _draw_groups
    return draw(counts, resamples, np.random.default_rng(seed))


def percentile_interval(figures: np.ndarray, *, level: float = 0.95) -> tuple[float, float]:
    """Return the ends of the interval that holds the share `level` of `figures`, (resamples,).

    Resamples without a figure (NaN) are left out. Where no resample has one, both ends are NaN.
    """
    known = figures[~np.isnan(figures)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _draw_images(confusion: np.ndarray, resamples: int, generator: np.random.Generator) -> np.ndarray:
    images = int(confusion.sum())
    counts = generator.multinomial(images, confusion.ravel() / images, size=resamples)
    return counts.reshape(resamples, *confusion.shape)


def _draw_groups(confusions: np.ndarray, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """Return (resamples, a, b) sums. Groups with equal sums are counted by one draw."""
    groups, *shape = confusions.shape
    kinds, counts = np.unique(confusions.reshape(groups, -1), axis=0, return_counts=True)
    block = max(1, MOST_DRAWS // len(kinds))
    draws = [
        generator.multinomial(groups, counts / groups, size=min(block, resamples - start)) @ kinds
        for start in range(0, resamples, block)
    ]
    return np.concatenate(draws).reshape(resamples, *shape)
