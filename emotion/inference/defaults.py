"""Default model and default settings of tracking. Help texts show them, so nothing heavy is imported here."""

STANDARD = "photo"
"""The release that predicts where no model is named."""

SMALL_STANDARD = "photo-nano"
"""The release that takes its place where it is missing, as in the wheel, which has to be small."""

STANDARD_FILE = "model_int8.tflite"
"""The file of a release that predicts. It is the smallest and fastest."""

SEARCH_EVERY = 0.0
"""Seconds from one search for faces to the next; 0 searches every frame."""

HALF_LIFE = 0.25
"""Seconds in which half of a change shows in boxes and probabilities."""
