"""Counts in messages."""


def number_of(number: int, noun: str) -> str:
    """Return a number and its noun, such as `1 face` or `2,000 faces`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
