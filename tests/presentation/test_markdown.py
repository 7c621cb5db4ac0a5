"""Texts of others are shown in Markdown as they are."""

import pytest
from markdown_it import MarkdownIt

from emotion.presentation.markdown import code, escape

TEXTS = [
    "create_dataframe",
    "_low_ *high* ~~old~~",
    "![shot](private.png) [a](b)",
    "`x` ``y",
    "`",
    "<img src=x> &amp; <https://example.com>",
    r"a \\ b \| c",
]


def shown(markdown):
    """Return the only token of a paragraph: its type and its text."""
    ((token,),) = inline_tokens(markdown)
    return token.type, token.content


def inline_tokens(markdown):
    """Return the tokens of each paragraph, and of each cell of a table."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    return [token.children or [] for token in tokens if token.type == "inline"]


@pytest.mark.parametrize("text", TEXTS)
def test_an_escaped_text_is_plain_text(text):
    assert shown(escape(text)) == ("text", text)


@pytest.mark.parametrize("text", TEXTS)
def test_code_is_shown_as_it_is(text):
    assert shown(code(text)) == ("code_inline", text)


@pytest.mark.parametrize("text", TEXTS)
def test_an_escaped_text_is_one_cell_of_a_table(text):
    *_, first, second = inline_tokens(f"| a | b |\n| --- | --- |\n| {escape(text)} | 1 |")
    assert [[token.content for token in cell] for cell in (first, second)] == [[text], ["1"]]


@pytest.mark.parametrize("write", [escape, code])
def test_a_text_with_several_lines_stays_on_one(write):
    assert "\n" not in write("a\n\n# b\r\nc")


def test_a_plain_name_needs_no_escape():
    assert escape("train.label_smoothing") == "train.label_smoothing"
    assert code("train.label_smoothing") == "`train.label_smoothing`"
