"""The size of a frame whose pixels are not square, as it is to be shown."""

ASPECT_RATIOS = 0.25, 4.0
"""Lowest and highest ratio of a pixel's width to its height that counts as plausible. DVDs reach 2.9."""

ASPECT_TOLERANCE = 0.02
"""A ratio that differs from 1 by at most this counts as 1. The least of the standards' differs by 0.09."""


def square_pixel_size(height: int, width: int, aspect_ratio: float) -> tuple[int, int]:
    """Return the height and width at which a frame has square pixels. No side becomes shorter.

    Args:
        height: in pixels.
        width: in pixels.
        aspect_ratio: width of a pixel over its height. An implausible one is taken as 1.
    """
    plausible = ASPECT_RATIOS[0] <= aspect_ratio <= ASPECT_RATIOS[1]
    if not plausible or abs(aspect_ratio - 1) <= ASPECT_TOLERANCE:
        return height, width
    if aspect_ratio > 1:
        return height, round(width * aspect_ratio)
    return round(height / aspect_ratio), width
