"""Default settings of tracking. Command lines show them in their help, so nothing heavy is imported here."""

SEARCH_EVERY = 0.15
"""Seconds from one search for faces to the next."""

HALF_LIFE = 0.25
"""Seconds in which half of a change shows in boxes and probabilities."""
