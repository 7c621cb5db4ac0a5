"""Images and rows for the tests of the audit."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from emotion.audit.audited_images import AuditedImages


def make_table(labels: Sequence[int], splits: Sequence[str] | None = None, **columns: Any) -> pd.DataFrame:
    """Return a table of used images with these labels and the hashes `h0`, `h1` and so on."""
    count = len(labels)
    table = pd.DataFrame({"image": [f"row {row}" for row in range(count)], "hash": [f"h{row}" for row in range(count)]})
    own: dict[str, Any] = {"label": list(labels), "split": list(splits or ["train"] * count), "group": ""}
    return table.assign(**(own | {"blank": False, "excluded": ""} | columns))


def make_arrays(table: pd.DataFrame, size: int = 4) -> dict[str, np.ndarray]:
    """Return the arrays of a table; all pixels of an image are the number of its row."""
    used = table[table["excluded"] == ""]
    arrays = {}
    for split in ("train", "val"):
        rows = used[used["split"] == split]
        arrays[f"x_{split}"] = (
            np.zeros((len(rows), size, size, 1), np.uint8) + rows.index.to_numpy(np.uint8)[:, None, None, None]
        )
        arrays[f"y_{split}"] = rows["label"].to_numpy(np.int32)
    return arrays


def make_images(labels: Sequence[int], units: Sequence[int] | None = None, **columns: Any) -> AuditedImages:
    """Return audited images with these labels; all pixels of an image are its number."""
    table = make_table(labels, **columns)
    own = np.arange(len(table)) if units is None else np.array(units)
    return AuditedImages(table, make_arrays(table)["x_train"], np.array(labels, np.int32), own, None)
