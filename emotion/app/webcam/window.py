"""A window that shows images and takes keys, by pygame."""

import os
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import NoReturn, Self

import numpy as np

from emotion.core.errors import InputError
from emotion.core.quiet import quiet

CLOSED = "closed"
"""The name among the pressed keys that stands for the window's close button."""

INVISIBLE_DRIVERS = ("offscreen", "dummy")
"""Drivers of SDL that show nothing. Without a display SDL takes the first, unless SDL_VIDEODRIVER names another."""

FIRST_SIZE = (640, 480)
"""Width and height of the window until the first image comes."""

LARGEST_SHARE = 0.9
"""The largest share of the screen's width and height that the window opens with."""

SMALLEST_TEXT, LARGEST_TEXT = 12, 28
TEXT_SHARE = 1 / 28
"""The height of letters as a share of the window's."""

TEXT_COLOR, BACKGROUND, RECORDING_COLOR = (255, 255, 255), (0, 0, 0), (230, 40, 40)
TEXT_BACKGROUND_OPACITY = 150
"""Opacity of the background behind lines of text, 0 to 255."""


class Window:
    """The window. Use it as a context manager, which closes it.

    Raises:
        InputError: pygame is not installed, or there is no display.
    """

    def __init__(self, title: str) -> None:
        self._pygame = _load_pygame()
        self._open()
        self._pygame.display.set_caption(title)
        self._font = self._pygame.font.Font(None, SMALLEST_TEXT)
        self._font_size = SMALLEST_TEXT
        self._fitted = False

    def _open(self) -> None:
        try:
            # Libraries that pygame uses print warnings about what is missing.
            with quiet():
                self._pygame.display.init()
                self._pygame.font.init()
                self._screen = self._pygame.display.set_mode(FIRST_SIZE, self._pygame.RESIZABLE)
        except self._pygame.error as error:
            self._fail(str(error))
        driver = self._pygame.display.get_driver()
        if driver in INVISIBLE_DRIVERS and os.environ.get("SDL_VIDEODRIVER") != driver:
            self._fail("there is no display")

    def _fail(self, reason: str) -> NoReturn:
        self._pygame.quit()
        raise InputError(
            f"no window can be opened ({reason}); run the command on a desktop, or use `emotion serve` or "
            "`emotion video`, which need no window"
        )

    def pressed_keys(self) -> Iterator[str]:
        """Yield the names of the keys pressed since the last call (`q`, `escape`, `space`), and CLOSED."""
        for event in self._pygame.event.get():
            if event.type == self._pygame.QUIT:
                yield CLOSED
            elif event.type == self._pygame.KEYDOWN:
                yield self._pygame.key.name(event.key)

    def show(self, image: np.ndarray, *, above: str = "", below: Sequence[str] = (), recording: bool = False) -> None:
        """Show an image as large as the window allows, with text on it.

        Args:
            image: uint8 (height, width, 3), RGB.
            above: a line at the left upper corner.
            below: lines at the bottom; long ones are wrapped.
            recording: whether a red dot stands before the line above.
        """
        self._fit_to(image)
        self._screen.fill(BACKGROUND)
        self._draw_image(image)
        self._draw_texts(above, below, dot=recording)
        self._pygame.display.flip()

    def show_text(self, text: str) -> None:
        """Show `text` without an image."""
        self._screen.fill(BACKGROUND)
        self._draw_texts("", [text])
        self._pygame.display.flip()
        self._pygame.event.pump()

    def _fit_to(self, image: np.ndarray) -> None:
        """Resize the window to the first image, as far as the screen has room."""
        if self._fitted:
            return
        self._fitted = True
        height, width = image.shape[:2]
        screen_width, screen_height = self._pygame.display.get_desktop_sizes()[0]
        scale = min(1.0, LARGEST_SHARE * screen_width / width, LARGEST_SHARE * screen_height / height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        self._screen = self._pygame.display.set_mode(size, self._pygame.RESIZABLE)

    def _draw_image(self, image: np.ndarray) -> None:
        height, width = image.shape[:2]
        surface = self._pygame.image.frombuffer(np.ascontiguousarray(image).data, (width, height), "RGB")
        window_width, window_height = self._screen.get_size()
        scale = min(window_width / width, window_height / height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        if size != (width, height):
            surface = self._pygame.transform.smoothscale(surface, size)
        self._screen.blit(surface, ((window_width - size[0]) // 2, (window_height - size[1]) // 2))

    def _draw_texts(self, above: str, below: Sequence[str], *, dot: bool = False) -> None:
        window_width, window_height = self._screen.get_size()
        self._choose_font(window_height)
        if above:
            self._draw_line(above, 0, dot=dot)
        lines = [line for text in below for line in self._wrap(text, window_width)]
        for row, line in enumerate(lines):
            self._draw_line(line, window_height - (len(lines) - row) * self._line_height)

    def _choose_font(self, window_height: int) -> None:
        size = round(min(max(window_height * TEXT_SHARE, SMALLEST_TEXT), LARGEST_TEXT))
        if size != self._font_size:
            self._font, self._font_size = self._pygame.font.Font(None, round(1.4 * size)), size

    @property
    def _line_height(self) -> int:
        height: int = self._font.get_linesize()
        return round(height * 1.15)

    def _wrap(self, text: str, width: int) -> list[str]:
        """Return `text` in lines that fit, split at its double spaces."""
        lines: list[str] = []
        for part in text.split("  "):
            longer = f"{lines[-1]}  {part}" if lines else part
            if lines and self._font.size(longer)[0] + self._font_size <= width:
                lines[-1] = longer
            else:
                lines.append(part)
        return lines

    def _draw_line(self, text: str, top: int, *, dot: bool = False) -> None:
        letters = self._font.render(text, True, TEXT_COLOR)
        left = self._font_size // 2 + (self._font_size if dot else 0)
        background = self._pygame.Surface((left + letters.get_width() + self._font_size // 2, self._line_height))
        background.set_alpha(TEXT_BACKGROUND_OPACITY)
        self._screen.blit(background, (0, top))
        self._screen.blit(letters, (left, top + (self._line_height - letters.get_height()) // 2))
        if dot:
            center = self._font_size * 3 // 4, top + self._line_height // 2
            self._pygame.draw.circle(self._screen, RECORDING_COLOR, center, self._font_size // 3)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pygame.quit()


def _load_pygame() -> ModuleType:
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    try:
        import pygame
    except ImportError as error:
        raise InputError(
            f"the window needs a package that is not installed ({error}); install it with "
            "pip install 'facial-emotion-pipeline[webcam]'"
        ) from None
    return pygame
