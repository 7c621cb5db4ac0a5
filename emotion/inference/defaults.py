"""Default model and default settings of tracking. Help texts show them, so nothing heavy is imported here."""

STANDARD = "fer2013-nano"
"""The release that predicts where no model is named."""

STANDARD_FILE = "model_int8.tflite"
"""The file of STANDARD that predicts. It is the smallest and fastest, and the wheel carries it."""

SEARCH_EVERY = 0.0
"""Seconds from one search for faces to the next; 0 searches every frame."""

HALF_LIFE = 0.25
"""Seconds in which half of a change shows in boxes and probabilities."""
