"""The model that benchmarks measure where none is named."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

RELEASED_MODEL = Path("models/released/fer2013/model_int8.tflite")
"""The file of the release that the figures in the documents are measured with, below ROOT."""

DEFAULT_MODEL = ROOT / RELEASED_MODEL
