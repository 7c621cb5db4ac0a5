"""What the tests of `emotion webcam` share."""

from pathlib import Path

import pytest

from emotion.app import cli
from tests.clips import write_clip


@pytest.fixture(scope="session")
def clip(astronaut, tmp_path_factory) -> Path:
    """A video of one face."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", astronaut)


@pytest.fixture
def dummy_display(monkeypatch) -> None:
    """Windows that do not show."""
    pytest.importorskip("pygame", reason="the window is pygame's")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


@pytest.fixture
def press_keys(dummy_display):
    """A function that makes pygame's next events be these keys."""
    import pygame

    def press(*names):
        for name in names:
            pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.key.key_code(name)))

    return press


@pytest.fixture
def emotion_webcam(model, monkeypatch, capfd):
    """Run `emotion webcam` in this process; return exit status, standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["emotion", "webcam", "--model", str(model), *map(str, arguments)])
        status: int | str | None = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code
        printed = capfd.readouterr()
        return status, printed.out, printed.err

    return run
