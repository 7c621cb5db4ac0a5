"""Check the prose of documents, docstrings, comments and messages: short sentences in plain words.

`python -m tools.prose` prints every fault with its place and ends with status 1 where there is one. Code blocks and
tables are left out. CONTRIBUTING.md states the rules.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

LONGEST = 30
"""Words that a sentence may have."""

LONGEST_ON_AVERAGE = 16
"""Words that the sentences of all documents, and those of all code, may have on average."""

BANNED = ("lest", "what it learnt from", "of its own", "as it stands", "one's own")

QUESTION_WORDS = ("what", "how", "which", "where")
"""Words that no docstring and no heading starts with: a heading is no question, and a docstring names a thing."""

CODE_FOLDERS = ("benchmarks", "emotion", "stages", "tools")

SENTENCE_END = re.compile(r"""(?<=[.!?])["')\]*]*\s+(?=["'(\[*`]*[A-Z0-9À-Ž`_-])""")
ABBREVIATION = re.compile(r"\b(e\.g|i\.e|et al|vs|cf|etc|Art|No|approx|Inc)\.")


@dataclass(frozen=True)
class Text:
    """A paragraph, heading, docstring, comment or message, with the place where it begins."""

    path: Path
    line: int
    kind: str
    words: str


def main() -> None:
    """Print the faults and the averages; exit with status 1 where there is a fault."""
    documents = [text for path in list_files("*.md") for text in read_markdown(path)]
    code = [text for path in list_files(*(f"{folder}/**.py" for folder in CODE_FOLDERS)) for text in read_code(path)]
    faults = [fault for text in documents + code for fault in find_faults(text)]
    for name, texts in (("documents", documents), ("code", code)):
        lengths = [count_words(sentence) for text in texts for sentence in split_sentences(text)]
        print(f"{name}: {len(lengths)} sentences of {mean(lengths):.1f} words on average, at most {max(lengths)}")
        if mean(lengths) > LONGEST_ON_AVERAGE:
            faults.append(f"{name}: at most {LONGEST_ON_AVERAGE} words a sentence on average are allowed")
    if faults:
        sys.exit("\n".join(faults))


def list_files(*patterns: str) -> list[Path]:
    """Return the files of those patterns that git tracks or would track, sorted."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [path for path in map(Path, sorted(set(names))) if path.exists() and path.parts[0] != "store"]


def read_markdown(path: Path) -> Iterator[Text]:
    """Yield the paragraphs, list items and headings of a Markdown file, without code, tables and comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    block: list[str] = []
    start, fence, hidden = 0, "", False
    front_matter = bool(lines) and lines[0] == "---"
    for number, line in enumerate([*lines, ""], start=1):
        stripped = line.strip()
        if front_matter:
            front_matter = number == 1 or stripped != "---"
            continue
        if fence:
            fence = "" if stripped.startswith(fence) else fence
            continue
        hidden = hidden or stripped.startswith(("<!--", "{#"))
        is_fence = stripped.startswith(("```", "~~~"))
        heading = stripped.startswith("#") and not hidden
        ends = not stripped or is_fence or hidden or heading or stripped.startswith(("|", "{%"))
        item = re.match(r"([-*+]|\d+\.)\s+", stripped)
        if block and (ends or item):
            yield Text(path, start, "paragraph", " ".join(block))
            block = []
        fence = stripped[:3] if is_fence else ""
        if heading:
            yield Text(path, number, "heading", stripped.lstrip("# "))
        elif not ends:
            start = start if block else number
            block.append(stripped[item.end() :] if item else stripped)
        hidden = hidden and not stripped.endswith(("-->", "#}"))


def read_code(path: Path) -> Iterator[Text]:
    """Yield the docstrings, the comments and the messages of errors of a Python file."""
    source = path.read_text(encoding="utf-8")
    yield from read_comments(path, source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from read_docstring(path, node.lineno, node.value.value)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            message = render_string(node.exc.args[0])
            if message:
                yield Text(path, node.lineno, "message", message)


def read_docstring(path: Path, line: int, docstring: str) -> Iterator[Text]:
    """Yield the paragraphs of a docstring: its first, then those of each list item and section."""
    blocks = re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\w[\w, *]*:)\s)|:\n", docstring)
    for index, block in enumerate(blocks):
        kind = "docstring" if index == 0 else "paragraph"
        if ">>>" not in block:
            yield Text(path, line, kind, re.sub(r"^\s*[-*]\s|\s+", " ", block).strip())


def read_comments(path: Path, source: str) -> Iterator[Text]:
    """Yield the comments; whole lines of comment that follow one another are one text."""
    block: list[str] = []
    start, last = 0, 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or token.string.startswith(("#!", "# noqa", "# type")):
            continue
        continues = token.start[0] == last + 1 and not token.line[: token.start[1]].strip()
        if block and not continues:
            yield Text(path, start, "comment", " ".join(block))
            block = []
        start = start if block else token.start[0]
        last = token.start[0]
        block.append(re.sub(r"\s*#\s*(noqa|type: ignore).*", "", token.string).lstrip("# "))
    if block:
        yield Text(path, start, "comment", " ".join(block))


def render_string(node: ast.expr) -> str:
    """Return a string, an f-string or a sum of them, with `x` for each value; empty for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(render_string(part) if isinstance(part, ast.Constant) else "x" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return render_string(node.left) + render_string(node.right)
    return ""


def find_faults(text: Text) -> Iterator[str]:
    """Yield what is wrong with a text, each fault with its place."""
    place = f"{text.path}:{text.line}:"
    plain = strip_markup(text.words)
    for banned in BANNED:
        if re.search(rf"\b{banned}\b", plain, re.IGNORECASE):
            yield f"{place} the phrase {banned!r}: say it plainly"
    first = plain.split(maxsplit=1)[0].lower().strip(",.:") if plain else ""
    if text.kind in ("docstring", "heading") and first in QUESTION_WORDS:
        yield f"{place} a {text.kind} that starts with {first!r}: start with a verb or a noun"
    if text.kind == "heading" and plain.endswith("?"):
        yield f"{place} a heading that is a question"
    for sentence in split_sentences(text):
        if (count := count_words(sentence)) > LONGEST:
            yield f"{place} {count} words, {LONGEST} are allowed: {sentence}"


def split_sentences(text: Text) -> list[str]:
    """Return the sentences of a text; none for a heading."""
    if text.kind == "heading":
        return []
    plain = ABBREVIATION.sub(r"\1", strip_markup(text.words))
    return [sentence for sentence in SENTENCE_END.split(plain) if count_words(sentence)]


def count_words(sentence: str) -> int:
    """Return how many words a sentence has; a number is one, and so is a piece of code."""
    return sum(any(letter.isalnum() for letter in word) for word in sentence.split())


def strip_markup(words: str) -> str:
    """Return a text without links, images, HTML and emphasis, with each piece of code as one word."""
    words = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", words)
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", words)
    words = re.sub(r"`+([^`]+)`+", lambda code: "`" + code.group(1).replace(" ", "_") + "`", words)
    words = re.sub(r"\{\{.*?\}\}", "x", words)
    words = re.sub(r"<[^<>]*>", "", words)
    return words.replace("**", "").strip()


if __name__ == "__main__":
    main()
