"""Default settings of `emotion webcam`. Its command line shows them, so nothing heavy is imported here."""

FIRST_IMAGE_TIMEOUT = 2.0
"""Seconds that a camera has until its first image."""

STREAM_TIMEOUT = 20.0
"""Seconds that a stream has until its first image: 10 to connect, and 10 until it sends one."""
