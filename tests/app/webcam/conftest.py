"""What the tests of `emotion webcam` share."""

from functools import partial

import pytest


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
def emotion_webcam(model, run_emotion):
    """Run `emotion webcam` in this process; return exit status, standard output and standard error."""
    return partial(run_emotion, "webcam", "--model", model)
