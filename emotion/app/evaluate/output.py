"""The files that `emotion evaluate` writes: the report as JSON, and the plot of confusions."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from emotion.core.files import rounded
from emotion.plots.confusion import plot_confusion
from emotion.plots.style import save_figure


def to_json(report: Mapping[str, Any]) -> str:
    """Return the report as JSON, with five decimals, as `write_json` writes it."""
    return json.dumps(rounded(report), indent=2, ensure_ascii=False, allow_nan=False)


def write_plot(report: Mapping[str, Any], path: Path) -> None:
    """Write the confusions over all images as a plot, a PNG file."""
    rows = [
        (actual, predicted)
        for actual, answers in report["confusion"].items()
        for predicted, images in answers.items()
        for _ in range(images)
    ]
    predictions = pd.DataFrame(rows, columns=["actual", "predicted"])
    model = report["model"]
    emotions, threshold = model["emotions"], model["threshold"] if len(model["emotions"]) == 2 else None
    figure = plot_confusion(predictions, emotions, report["all"], threshold, where=f"on {report['data']['name']}")
    save_figure(figure, path)
