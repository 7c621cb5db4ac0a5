"""The window shows images and texts, and names its keys."""

import sys

import numpy as np
import pytest

from emotion.app.webcam.display import HELP
from emotion.app.webcam.window import CLOSED, FIRST_SIZE, Window
from emotion.core.errors import InputError
from tests.clips import plain_image

pytestmark = pytest.mark.usefixtures("dummy_display")


def pixels(window):
    import pygame

    return pygame.surfarray.array3d(window._screen).transpose(1, 0, 2)


def test_an_image_shows_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    with Window("test") as window:
        window.show(image)
        np.testing.assert_array_equal(pixels(window), image)


def test_text_shows_above_and_below():
    with Window("test") as window:
        window.show(plain_image(100, (240, 320)), above="30 frames/s", below=[HELP])
        changed = (pixels(window) != 100).any(axis=(1, 2))
    assert changed[:10].any()
    assert changed[-10:].any()
    assert not changed[60:120].any()


def test_a_window_of_another_shape_shows_all_of_the_image():
    import pygame

    with Window("test") as window:
        window.show(plain_image(200, (240, 320)))
        window._screen = pygame.display.set_mode((400, 500), pygame.RESIZABLE)
        window.show(plain_image(200, (240, 320)))
        screen = pixels(window)
    assert (screen[100:399] == 200).all()
    assert (screen[:95] == 0).all()


def test_an_image_larger_than_the_screen_is_made_smaller():
    with Window("test") as window:
        window.show(plain_image(1, (4000, 9000)))
        width, height = window._screen.get_size()
        assert width < 9000
        assert width / height == pytest.approx(9 / 4, rel=0.01)


def test_keys_have_names(press_keys):
    import pygame

    with Window("test") as window:
        list(window.pressed_keys())
        press_keys("q", "space", "escape")
        pygame.event.post(pygame.event.Event(pygame.QUIT))
        assert list(window.pressed_keys()) == ["q", "space", "escape", CLOSED]


def test_long_lines_are_wrapped():
    with Window("test") as window:
        window.show_text(HELP)
        lines = window._wrap(HELP, 200)
        assert len(lines) > 2
        assert "  ".join(lines) == HELP
        assert all(window._font.size(line)[0] <= 200 for line in lines)
        assert window._screen.get_size() == FIRST_SIZE


def test_without_pygame_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(InputError, match=r"pip install 'facial-emotion-pipeline\[webcam\]'"):
        Window("test")


def test_a_driver_that_shows_nothing_is_no_display(monkeypatch):
    import pygame

    monkeypatch.setattr(pygame.display, "get_driver", lambda: "offscreen")
    with pytest.raises(InputError, match=r"no display.*`emotion video`"):
        Window("test")
