"""Calibration: how well confidence agrees with accuracy, and the temperature that corrects it.

In this module the predicted emotion is the most probable one. The threshold of two emotions has no effect.

Both follow Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
"""

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from emotion.evaluation.metrics import apply_temperature, log_loss, most_probable_labels

TEMPERATURES = (0.05, 20.0)
"""The range that is searched. Its upper end is reached where the probabilities carry no information.

The lower end is reached where every prediction is right.
"""


def fit_temperature(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the temperature that makes the log loss of these images smallest (Guo et al. 2017, section 4.2).

    A temperature above 1 lowers the confidence, one below 1 raises it. The order of the emotions never changes. The
    logarithms of the probabilities serve as logits. They differ from the network's logits by one constant per image.

    Args:
        y_true: (n,) labels of the validation split, never of another split.
        probabilities: (n, classes) of the same images.

    Raises:
        ValueError: there are no images.
    """
    if not len(y_true):
        raise ValueError("got no images, expected those of the validation split")
    lowest, highest = np.log(TEMPERATURES)
    minimum = minimize_scalar(
        lambda logarithm: log_loss(y_true, apply_temperature(probabilities, np.exp(logarithm))),
        bounds=(lowest, highest),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(minimum.x))


def reliability_bins(confidence: np.ndarray, hits: np.ndarray, *, bins: int) -> pd.DataFrame:
    """Return the accuracy of predictions by confidence, in bins of equal width.

    Empty bins are left out.

    Args:
        confidence: (n,), 0 to 1.
        hits: (n,) booleans, whether the prediction was right.
        bins: number of bins.

    Returns:
        Columns bin_low, bin_high, confidence (mean), accuracy (share of hits), images (count), lowest bin first.
    """
    bin_of = number_bins(confidence, bins=bins)
    images = np.bincount(bin_of, minlength=bins)
    filled = np.flatnonzero(images)
    return pd.DataFrame(
        {
            "bin_low": filled / bins,
            "bin_high": (filled + 1) / bins,
            "confidence": np.bincount(bin_of, weights=confidence, minlength=bins)[filled] / images[filled],
            "accuracy": np.bincount(bin_of, weights=hits, minlength=bins)[filled] / images[filled],
            "images": images[filled],
        }
    )


def number_bins(confidence: np.ndarray, *, bins: int) -> np.ndarray:
    """Return the bin of each confidence, (n,), 0 to bins - 1.

    A bin includes its upper end: bin m of M, from 1, is ((m - 1) / M, m / M].
    """
    numbers: np.ndarray = np.clip(np.ceil(np.asarray(confidence) * bins).astype(np.int64) - 1, 0, bins - 1)
    return numbers


def expected_calibration_error(y_true: np.ndarray, probabilities: np.ndarray, *, bins: int) -> float:
    """Return the expected calibration error, 0 (best) to 1; NaN where there are no images.

    It is the mean gap between confidence and accuracy over all images, by bins (Guo et al. 2017, equation 3). The
    confidence is the largest probability.
    """
    if not len(y_true):
        return float("nan")
    rows = reliability_bins(probabilities.max(axis=1), most_probable_labels(probabilities) == y_true, bins=bins)
    gaps = (rows["accuracy"] - rows["confidence"]).abs()
    return float((gaps * rows["images"]).sum() / len(y_true))
