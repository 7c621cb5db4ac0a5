"""Intervals by resampling the test images."""

from collections.abc import Callable

import numpy as np


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

    Args:
        confusion: (classes, classes) counts.
        statistic: maps counts (resamples, classes, classes) to figures (resamples,), as the functions of
            `emotion.evaluation.metrics` do.
        resamples: number of draws.
        seed: of the draws; the same seed gives the same interval.
        level: the share of draws inside the interval, 0 to 1.

    Returns:
        The lower and the upper end; both are NaN where there are no images.
    """
    images = int(confusion.sum())
    if not images:
        return float("nan"), float("nan")
    generator = np.random.default_rng(seed)
    counts = generator.multinomial(images, confusion.ravel() / images, size=resamples)
    figures = statistic(counts.reshape(resamples, *confusion.shape))
    low, high = np.quantile(figures, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
