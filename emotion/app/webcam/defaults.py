"""Default settings of `emotion webcam`. Its command line shows them, so nothing heavy is imported here."""

FIRST_IMAGE_TIMEOUT = 2.0
"""Seconds that a camera has until its first image."""
