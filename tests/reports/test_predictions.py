"""The table of predictions is read as `dvc repro evaluate` wrote it, or refused with the stage that makes it."""

import pytest

from emotion.core.errors import InputError
from emotion.reports.predictions import PREDICTION_COLUMNS, read_predictions

HEADER = ",".join(PREDICTION_COLUMNS)


def test_an_emotion_may_be_called_na(tmp_path):
    path = tmp_path / "predictions.csv"
    path.write_text(f"{HEADER},NA\n7,NA,NA,0.9,True,0.9\n", encoding="utf-8")
    [row] = read_predictions(path).to_dict("records")
    assert (row["row"], row["actual"], row["confidence"]) == (7, "NA", 0.9)


@pytest.mark.parametrize(
    "content",
    [None, b"", b"\xff\xfe\xff", f"{HEADER}\n1,2,3,4,5\n1,2,3,4,5,6,7\n".encode(), b"image,label\na.png,happy\n"],
    ids=["missing", "empty", "no text", "rows of several lengths", "other columns"],
)
def test_other_files_are_refused(content, tmp_path):
    path = tmp_path / "predictions.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"(?s)predictions\.csv.*`dvc repro evaluate`"):
        read_predictions(path)
