"""The table that `emotion predict` prints for people, row by row while images are read.

The widths of its columns are known before the first row. rich measures how many columns of a terminal a text takes. Its
Table would lay out all rows at once and cut texts at their end, so the rows are made here.
"""

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from emotion.app.predict.results import ImageResult
from emotion.core.stores import Location
from emotion.inference.predictor import Face
from emotion.presentation.formats import percent

BLOCK, ASCII_BLOCK = "\N{FULL BLOCK}", "#"
ELLIPSIS, UNPRINTABLE = "\N{HORIZONTAL ELLIPSIS}", "\N{REPLACEMENT CHARACTER}"

BOX_WIDTH, BAR_WIDTH, LEAST_PATH_WIDTH = 24, 10, 20
LEAST_RUNNER_UP = 0.01
"""The probability below which the table names no second emotion."""


class Table:
    """Aligned columns for a terminal.

    Args:
        emotions: the names of the probabilities, in their order.
        paths: of all images to come; they give the first column its width.
        columns: the width of the terminal.
        encoding: the terminal's encoding. Where it has no blocks, bars are drawn with `#`.
    """

    def __init__(self, emotions: Sequence[str], paths: Sequence[Location], *, columns: int, encoding: str) -> None:
        self._emotions = emotions
        self._block = BLOCK if _can_encode(BLOCK, encoding) else ASCII_BLOCK
        self._emotion_width = max(len("emotion"), *map(len, emotions))
        others = len("  face  ") + BOX_WIDTH + self._emotion_width + len("  100.0 %  ") + BAR_WIDTH
        longest = max((cell_len(_printable(path)) for path in paths), default=0)
        self._path_width = max(len("image"), min(longest, max(LEAST_PATH_WIDTH, columns - others - 1)))

    def header(self) -> list[str]:
        """Return the line with the names of the columns."""
        image, box, emotion = "image".ljust(self._path_width), "box".ljust(BOX_WIDTH), self._in_column("emotion")
        return [f"{image}  face  {box}{emotion}  confidence"]

    def lines(self, result: ImageResult) -> list[str]:
        """Return one line per face; the first names the image."""
        path = _fit(_printable(result.path), self._path_width)
        if not result.faces:
            return [f"{path}     -  {_printable(result.status)}"]
        starts = [path] + [" " * self._path_width] * (len(result.faces) - 1)
        faces = enumerate(zip(starts, result.faces, strict=True), start=1)
        return [f"{start}  {number:4}  {self._face_cells(face)}" for number, (start, face) in faces]

    def _face_cells(self, face: Face) -> str:
        x, y, width, height = face.box
        box = f"{width} x {height} at {x}, {y}  ".ljust(BOX_WIDTH)
        bar = (self._block * round(BAR_WIDTH * face.confidence)).ljust(BAR_WIDTH)
        emotion = self._in_column(face.emotion)
        return f"{box}{emotion}  {100 * face.confidence:5.1f} %  {bar}  {self._runner_up(face)}".rstrip()

    def _in_column(self, emotion: str) -> str:
        return emotion.ljust(self._emotion_width)

    def _runner_up(self, face: Face) -> str:
        """Return the most probable of the other emotions: `neutral 3 %`."""
        others = zip(self._emotions, face.probabilities, strict=True)
        probability, name = max((float(probability), name) for name, probability in others if name != face.emotion)
        return f"{name} {percent(probability, 0)}" if probability >= LEAST_RUNNER_UP else ""


def _can_encode(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (LookupError, UnicodeError):
        return False
    return True


def _printable(text: Location | str) -> str:
    """Return `text` with a replacement for each character that moves the cursor or cannot be shown."""
    return "".join(letter if letter.isprintable() else UNPRINTABLE for letter in str(text))


def _fit(text: str, width: int) -> str:
    """Return `text` in `width` columns of a terminal. A longer one loses its start, since ends tell files apart."""
    if cell_len(text) > width:
        while cell_len(text) > width - 1:
            text = text[1:]
        text = ELLIPSIS + text
    return set_cell_size(text, width)
