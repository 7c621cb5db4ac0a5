"""The file of decisions: what it may hold, and the refusal of everything else."""

import re

import pytest

from emotion.core.errors import InputError
from emotion.core.params import check_params, read_yaml
from emotion.ingest.decision_file import COLUMNS, find_decisions, merge_decisions, read_decisions, write_decisions
from tests.ingest.decisions import write_lines
from tests.makers import ROOT

A, B, C = ("a" * 32, "b" * 32, "c" * 32)


def test_decisions_are_read_as_texts_and_once(here):
    path = write_lines(
        f"{A}, sad ,confirm,,", f"{B},sad,change,fear,007", f"{B},sad,change,fear,again", f"{C},sad,drop,,"
    )
    decisions = read_decisions(path)
    assert list(decisions.columns) == list(COLUMNS)
    assert decisions["hash"].tolist() == [A, B, C]
    assert decisions["given"].tolist() == ["sad"] * 3
    assert decisions["emotion"].tolist() == ["", "fear", ""]
    assert decisions["note"].tolist() == ["", "007", ""]


def test_a_note_is_not_needed_and_other_columns_are_left(here):
    path = write_lines(f"me,{A},drop,,sad", header="by,hash,decision,emotion,given")
    assert read_decisions(path).to_dict("records") == [
        {"hash": A, "given": "sad", "decision": "drop", "emotion": "", "note": ""}
    ]


@pytest.mark.parametrize(
    "line, said",
    [
        (f"{A},sad,keep,,", r"line 3.*'keep' as decision.*confirm, change, drop"),
        ("photo.png,sad,drop,,", r"line 3.*'photo.png' as hash.*data/dataframe.csv"),
        (f"{A},,drop,,", "line 3.*'' as given"),
        (f"{A},sad,change,,", "line 3.*'' as emotion.*change"),
        (f"{A},sad,drop,happy,", "line 3.*'happy' as emotion.*change"),
        (f"{B},sad,change,happy,", rf"1 images.*{B} has drop in line 2 and change happy in line 3.*delete the lines"),
        (f"{B},sad,confirm,,", rf"{B} has drop in line 2 and confirm in line 3"),
    ],
)
def test_a_row_that_is_no_decision_is_refused_with_its_line(here, line, said):
    with pytest.raises(InputError, match=said):
        read_decisions(write_lines(f"{B},sad,drop,,", line))


def test_a_note_with_a_comma_needs_quotation_marks(here):
    assert read_decisions(write_lines(f'{A},sad,drop,,"a, b"'))["note"].tolist() == ["a, b"]
    with pytest.raises(InputError, match="put a note with a comma in quotation marks"):
        read_decisions(write_lines(f"{A},sad,drop,,a, b", f"{B},sad,drop,,a, b"))


def test_a_file_without_its_columns_or_text_is_refused(here):
    with pytest.raises(InputError, match=r"image, label, .*missing: hash, given.*emotion labels audit"):
        read_decisions(write_lines("1,2,3,4", header="image,label,decision,emotion"))
    path = write_lines()
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=rf"{path} cannot be read"):
        read_decisions(path)


def test_a_missing_file_is_named_beside_those_that_are_there(here):
    with pytest.raises(InputError, match=r"labels.decisions: got a.csv, .*no decisions.*emotion labels apply.*null"):
        find_decisions("a.csv")
    path = write_lines(name="b.csv")
    with pytest.raises(InputError, match=r"got a.csv, but data/labels has b.csv"):
        find_decisions("a.csv")
    assert find_decisions("b.csv") == path


@pytest.mark.parametrize("name", ["../raw/a.csv", "/tmp/a.csv", "sub\\a.csv", "a.txt", ""])
def test_decisions_are_in_their_folder(name):
    content = read_yaml(ROOT / "params.yaml")
    content["labels"]["decisions"] = name
    with pytest.raises(InputError, match=rf"labels.decisions: got {re.escape(repr(name))}.*data/labels.*decisions.csv"):
        check_params(content, "labels")


def test_of_two_files_the_later_decision_counts(here):
    earlier = read_decisions(write_lines(f"{B},sad,drop,,", f"{A},sad,drop,,"))
    later = read_decisions(write_lines(f"{C},sad,drop,,", f"{A},sad,confirm,,sure"))
    path = here / "merged.csv"
    write_decisions(path, merge_decisions(earlier, later))
    assert path.read_text(encoding="utf-8").splitlines()[1:] == [
        f"{A},sad,confirm,,sure",
        f"{B},sad,drop,,",
        f"{C},sad,drop,,",
    ]
