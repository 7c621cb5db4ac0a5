"""What the tests of `emotion timeline` share."""

import pytest

from emotion.app import cli


@pytest.fixture
def emotion_timeline(monkeypatch, capfd):
    """Run `emotion timeline` in this process; return exit status, standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["emotion", "timeline", *map(str, arguments)])
        status: int | str | None = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code
        printed = capfd.readouterr()
        return status, printed.out, printed.err

    return run
