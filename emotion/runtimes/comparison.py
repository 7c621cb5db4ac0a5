"""Comparison of the exported files of a network: accuracy, agreement and speed."""

import statistics
import time
from collections.abc import Mapping

import numpy as np

from emotion.core.metadata import ModelMetadata
from emotion.evaluation.metrics import predicted_labels
from emotion.model_files.probabilities import predict_probabilities
from emotion.runtimes.engine import Engine

REPETITIONS, SECONDS = 7, 0.05
"""Number of timings of an engine, and the length of each. The median is reported."""


def compare_engines(
    engines: Mapping[str, Engine], images: np.ndarray, y_true: np.ndarray, metadata: ModelMetadata
) -> dict[str, dict[str, float]]:
    """Return the accuracy of each engine, and its agreement with the first.

    Args:
        engines: by name. The first is the reference, from which the others were converted.
        images: uint8 (n, size, size, channels), of the test split.
        y_true: (n,) labels of the images.
        metadata: of the model; `flip` and `threshold` are used.

    Returns:
        Figures by name of the engine, all from 0 to 1. `agreement` is the share of predicted labels that are equal to
        those of the first engine. `largest_difference` is the largest one of a probability from the first engine's.
    """
    outputs = {name: predict_probabilities(engine, images, flip=metadata.flip) for name, engine in engines.items()}
    first = next(iter(outputs.values()))
    return {name: _agree(probabilities, first, y_true, metadata.threshold) for name, probabilities in outputs.items()}


def _agree(probabilities: np.ndarray, reference: np.ndarray, y_true: np.ndarray, threshold: float) -> dict[str, float]:
    y_pred = predicted_labels(probabilities, threshold)
    return {
        "accuracy": float((y_pred == y_true).mean()),
        "agreement": float((y_pred == predicted_labels(reference, threshold)).mean()),
        "largest_difference": float(np.abs(probabilities - reference).max()),
    }


def time_one_image(engine: Engine, image: np.ndarray) -> float:
    """Return the milliseconds that `engine` takes for a batch of one `image`, uint8 (size, size, channels)."""
    batch = image[None]
    _calls_per_second(engine, batch)  # the first calls allocate memory
    return statistics.median(1000 / _calls_per_second(engine, batch) for _ in range(REPETITIONS))


def _calls_per_second(engine: Engine, batch: np.ndarray) -> float:
    start, calls, seconds = time.perf_counter(), 0, 0.0
    while seconds < SECONDS:
        engine.predict(batch, batch_size=1, verbose=0)
        calls, seconds = calls + 1, time.perf_counter() - start
    return calls / seconds
