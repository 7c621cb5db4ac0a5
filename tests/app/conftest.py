"""What the tests of several commands share."""

from pathlib import Path

import pytest

from emotion.app import cli
from tests.clips import write_clip


@pytest.fixture(scope="session")
def clip(astronaut, tmp_path_factory) -> Path:
    """A video of one face."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", astronaut)


@pytest.fixture
def run_emotion(monkeypatch, capfd):
    """Run `emotion` in this process; return exit status, standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["emotion", *map(str, arguments)])
        status: int | str | None = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code
        printed = capfd.readouterr()
        return status, printed.out, printed.err

    return run
