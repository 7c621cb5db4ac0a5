"""The commands in README.md and docs/ run as they stand there, one after the other, in a clone with small params.

A block under a line `<!-- not run: reason -->` is left out.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.pages import DOCUMENTS, ROOT
from tests.pipeline.project import SMALL, change_yaml

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]*?) -->\n+)?^```bash\n(?P<script>.*?)^```$", re.DOTALL | re.MULTILINE
)
INSTALLS = re.compile(r"-m venv|pip3? install|git clone")


class Block(NamedTuple):
    document: str
    line: int
    reason: str | None
    script: str

    @property
    def place(self) -> str:
        return f"{self.document}, line {self.line}"


def read_blocks() -> list[Block]:
    return [block for document in DOCUMENTS for block in _blocks_of(document)]


def _blocks_of(document: Path) -> list[Block]:
    text, name = document.read_text(encoding="utf-8"), document.relative_to(ROOT).as_posix()
    return [
        Block(name, text.count("\n", 0, match.start("script")), match["reason"], match["script"])
        for match in BLOCK.finditer(text)
    ]


@pytest.fixture
def reader(project):
    """A clone like that of someone who followed the README so far: the environment is there, and params are small."""
    _lend_environment(project.path / ".venv")
    for name in ("requirements.txt", "requirements-dev.txt", "pyproject.toml"):
        (project.path / name).touch()
    for stamp in (".installed", ".installed-dev"):
        (project.path / ".venv" / stamp).touch()
    change_yaml(project.path / "presets/sample.yaml", SMALL, known_only=True)
    project.commit("Small preset")
    project.commit_store()
    # The command `emotion` of the lent environment imports the code of the clone.
    project.environment["PYTHONPATH"] = str(project.path)
    project.environment["PATH"] = f"{project.path / '.venv/bin'}:{project.environment['PATH']}"
    yield project
    project.dvc("queue", "stop", "--kill")


def _lend_environment(folder: Path) -> None:
    """Make `folder` a virtual environment that shows the packages of the one in which the tests run."""
    folder.mkdir()
    for part in Path(sys.prefix).iterdir():
        if not part.name.startswith(".installed"):
            (folder / part.name).symlink_to(part)


def test_every_page_is_read():
    assert {path for path in DOCUMENTS if path != ROOT / "README.md"} == set((ROOT / "docs").glob("*.md"))


def test_there_are_commands_to_run():
    assert [block for block in read_blocks() if block.reason is None]
    assert len(read_blocks()) == sum(document.read_text("utf-8").count("```bash\n") for document in DOCUMENTS)


@pytest.mark.parametrize("block", read_blocks(), ids=lambda block: block.place)
def test_blocks_that_are_not_run_say_why(block):
    assert block.reason is None or len(block.reason) > 10
    # Run in the lent environment, these would change the environment of the tests.
    assert block.reason is not None or not INSTALLS.search(block.script), "mark this block as not run"


def test_the_commands_run_as_written(reader):
    for block in read_blocks():
        if block.reason is None:
            try:
                reader.run("bash", "-euo", "pipefail", "-c", block.script)
            except AssertionError as error:
                raise AssertionError(f"{block.place}: {error}") from None
