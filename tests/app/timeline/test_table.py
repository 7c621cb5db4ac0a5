"""Tables that cannot be right are refused by name, and one that is cut off is read up to there."""

import re
from pathlib import Path

import pytest

from emotion.app.timeline.table import FaceRows
from emotion.core.errors import InputError
from tests.app.timeline.face_tables import EMOTIONS, HAPPY, HEADER, SAD, line_of, write_table

GOOD = line_of((0, 0.0, 1, HAPPY))


def test_rows_come_as_they_were_written(here):
    rows = FaceRows(write_table(here / "a.csv", [(0, 0.0, 1, HAPPY), (0, 0.0, 2, SAD), (7, 0.28, 1, SAD)]))
    assert rows.emotions == EMOTIONS
    assert [tuple(row) for row in rows] == [
        (0, 0.0, 1, 0, list(HAPPY)),
        (0, 0.0, 2, 1, list(SAD)),
        (7, 0.28, 1, 1, list(SAD)),
    ]
    assert not rows.cut_off


def test_a_byte_order_mark_and_other_line_ends_change_nothing(here):
    (here / "a.csv").write_bytes("\r\n".join(["\ufeff" + HEADER, GOOD, ""]).encode())
    assert len(list(FaceRows(here / "a.csv"))) == 1


@pytest.mark.parametrize(
    "content, problem",
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff\xfe\x00bad", "UTF-8"),
        (b"path,face,status,emotion,confidence,x,y,width,height,happy,sad\n", r"emotion predict --csv.*no times"),
        (b"frame,seconds,face,emotion,happy\n", "no column detected, confidence, x, y, width, height"),
        (HEADER.replace(",", ";").encode(), "no column frame, seconds"),
        (HEADER.removesuffix(",sad,neutral").encode(), "has the columns frame, .*each emotion"),
        ((HEADER + ",sad").encode(), "has the columns frame, .*each emotion once"),
        (HEADER.replace("frame,seconds", "seconds,frame").encode(), "in this order"),
    ],
)
def test_another_table_is_refused(content, problem, here):
    (here / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=rf"a\.csv .*{problem}") as error:
        FaceRows(here / "a.csv")
    assert re.search("expected", str(error.value))


@pytest.mark.parametrize(
    "line, problem",
    [
        ("1,0.1,1", "3 values, expected 13"),
        (GOOD + ",7", "14 values, expected 13"),
        (GOOD.replace("0,0.000,1", "one,0.000,1", 1), "'one'"),
        (GOOD.replace("0,0.000,1", "-1,0.000,1", 1), "frame -1"),
        (GOOD.replace("0,0.000,1", "0,nan,1", 1), "seconds nan"),
        (GOOD.replace("0,0.000,1", "0,-0.1,1", 1), r"seconds -0\.1"),
        (GOOD.replace("0,0.000,1", "0,1e30,1", 1), r"seconds 1e\+30"),
        (GOOD.replace("0,0.000,1", "0,0.000,0", 1), "face 0"),
        (GOOD.replace("happy", "angry"), "'angry', expected one of happy, sad, neutral"),
        (GOOD.replace("0.8,0.1,0.1", "1.8,0.1,0.1"), r"1\.8, 0\.1, 0\.1; expected .*sum to 1"),
        (GOOD.replace("10,20,30,30,0.8,0.1,0.1", "10,20,30,30,nan,0.1,0.1"), "nan, .*sum to 1"),
        (GOOD.replace("10,20,30,30,0.8,0.1,0.1", "10,20,30,30,0.3,0.1,0.1"), "sum to 1"),
        (line_of((2, 0.08, 1, HAPPY)) + "\n" + line_of((1, 0.09, 1, HAPPY)), "frame 1 at .* after frame 2"),
        (line_of((2, 0.08, 1, HAPPY)) + "\n" + line_of((3, 0.05, 1, HAPPY)), "frame 3 at 0.05 s after frame 2 at 0.08"),
        (line_of((2, 0.08, 1, HAPPY)) + "\n" + line_of((2, 0.08, 1, SAD)), "face 1 twice in frame 2"),
        ('"' + "x" * 200_000 + '"', "field larger than"),
        ("1,\udcff", "UTF-8"),
    ],
)
def test_a_row_that_cannot_be_right_is_named_with_its_line(line, problem, here):
    content = f"{HEADER}\n{line}\n{line_of((9, 9.0, 1, HAPPY))}\n"
    (here / "a.csv").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=rf"a\.csv.*{problem}") as error:
        list(FaceRows(here / "a.csv"))
    assert re.search(r"line [23]\b|UTF-8", str(error.value))


@pytest.mark.parametrize("kept", range(1, len(GOOD)))
def test_a_last_line_that_is_cut_off_is_left_out(kept, here):
    (here / "a.csv").write_text(f"{HEADER}\n{GOOD}\n{line_of((1, 0.04, 1, HAPPY))[:kept]}", encoding="utf-8")
    rows = FaceRows(here / "a.csv")
    read = list(rows)
    assert (len(read), rows.cut_off) in [(1, True), (2, False)]  # the last digits can be missing
    assert rows.cut_off or kept > len(GOOD) - 3


def test_a_missing_file_and_a_folder_are_refused(here):
    with pytest.raises(InputError, match=r"no\.csv does not exist; expected .*emotion video --csv"):
        FaceRows(here / "no.csv")
    with pytest.raises(InputError, match="is not a file"):
        FaceRows(here)


def test_a_file_that_may_not_be_read_is_named(here, monkeypatch):
    path = write_table(here / "a.csv", [(0, 0.0, 1, HAPPY)])

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"a\.csv cannot be read: Permission denied.*permissions"):
        FaceRows(path)
