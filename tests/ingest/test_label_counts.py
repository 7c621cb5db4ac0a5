"""Counts of a source's labels."""

import pandas as pd

from emotion.core.labels import resolve_scheme
from emotion.ingest.label_counts import LISTED, count_labels, describe_labels

SEVEN = resolve_scheme("seven")


def images(*pairs: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["source_label", "emotion"])


def test_each_label_is_counted_with_its_emotion_numbers_first():
    counts = count_labels(images(("joy", "happy"), ("10", "sad"), ("joy", "happy"), ("7", "contempt")), SEVEN)
    assert list(counts) == ["7", "10", "joy"]
    assert counts["joy"] == {"emotion": "happy", "in_scheme": True, "images": 2}
    assert counts["7"] == {"emotion": "contempt", "in_scheme": False, "images": 1}


def test_a_line_says_what_is_left_out():
    lines = describe_labels(count_labels(images(("Ahegao", "ahegao"), ("Sad", "sad")), SEVEN), SEVEN)
    assert [line.split()[:3] for line in lines[1:]] == [["Ahegao", "ahegao", "1"], ["Sad", "sad", "1"]]
    assert "left out" in lines[1]
    assert "left out" not in lines[2]


def test_under_ferplus_a_line_says_that_votes_replace_the_labels():
    ferplus = resolve_scheme("ferplus")
    lines = describe_labels(count_labels(images(("0", "angry")), ferplus), ferplus)
    assert lines[1:] == ["0      angry         1", "the votes of FER+ replace these labels"]


def test_of_many_labels_the_first_are_shown():
    many = count_labels(images(*((f"text {number:03}", f"text {number:03}") for number in range(500))), SEVEN)
    lines = describe_labels(many, SEVEN)
    assert len(lines) == LISTED + 2
    assert "470 more" in lines[-1]
