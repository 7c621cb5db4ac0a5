"""The commands in README.md run as they stand there, one block after the other, in a clone with small params.

A block under a line `<!-- not run: reason -->` is left out.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.pipeline.project import ROOT, SMALL, change_yaml

BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]*?) -->\n+)?^```bash\n(?P<script>.*?)^```$", re.DOTALL | re.MULTILINE
)
INSTALLS = re.compile(r"-m venv|pip3? install|git clone")


class Block(NamedTuple):
    line: int
    reason: str | None
    script: str


def read_blocks() -> list[Block]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [
        Block(text.count("\n", 0, match.start("script")), match["reason"], match["script"])
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
    project.dvc("push")
    project.commit("Small preset, and results in the store")
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


def test_the_readme_has_commands_to_run():
    assert [block for block in read_blocks() if block.reason is None]
    assert "```bash" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("block", read_blocks(), ids=lambda block: f"line {block.line}")
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
                raise AssertionError(f"README.md, block at line {block.line}: {error}") from None
