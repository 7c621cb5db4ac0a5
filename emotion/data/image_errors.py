"""The reasons why an image cannot be used, and the limit of its size."""

from emotion.core.errors import InputError

MAX_PIXELS = 64 * 2**20
"""Images of more pixels than this are refused before they are decoded."""

UNREAD = "no image that can be read here"
"""The start of the message on an image of a known format that has no reader."""


class ImageError(InputError):
    """An image cannot be used; the message has the reason, without the image's name."""


class UnknownFormatError(ImageError):
    """A file is no image, or an image of a format that is not read."""


def check_size(width: int, height: int) -> None:
    """Raise ImageError where an image has more than MAX_PIXELS pixels, or none."""
    if width * height > MAX_PIXELS:
        raise ImageError(f"got {width}x{height} pixels, expected at most {MAX_PIXELS}; scale the image down")
    if width < 1 or height < 1:
        raise ImageError(f"the image has no pixels: its size is {width}x{height}")
