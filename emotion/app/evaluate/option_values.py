"""The values of options that the pipeline reads from params.yaml, and messages that name these options."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml.error import YAMLError

from emotion.core.errors import InputError
from emotion.core.labels import SCHEMES, Scheme, resolve_scheme
from emotion.core.params import parse_yaml
from emotion.inference.predictor import find_released, find_standard, list_released
from emotion.ingest.label_reader import NUMBERINGS
from emotion.ingest.sources.locate import HOW_TO_GET_IMAGES

KERAS_FILE, INT8_FILE = "model.keras", "model_int8.tflite"

OPTIONS = {
    HOW_TO_GET_IMAGES: "Name a folder, an archive or a table of labeled images",
    "labels.numbers in params.yaml": "--numbers",
    "labels.numbers": "--numbers",
    "labels.scheme": "--scheme",
    "source.folder and source.file": "--data",
    "source.folder": "--data",
    "source.file": "--data",
}
"""Names of params in messages of the readers, and the options that take their place here; the remedy as well."""


@contextmanager
def named_as_options() -> Iterator[None]:
    """Let the messages of errors in the block name options in place of params."""
    try:
        yield
    except InputError as error:
        text = str(error)
        for param, option in OPTIONS.items():
            text = text.replace(param, option)
        raise InputError(text) from None


def find_model(model: Path | None) -> Path:
    """Return the model file: the one named, that of the release of this name or folder, or by default the standard one.

    Raises:
        InputError: there is no default model.
    """
    if model is None:
        return find_standard()
    if model.is_dir():
        files = [model / name for name in (KERAS_FILE, INT8_FILE) if (model / name).is_file()]
    elif model.exists() or model.suffix or model.name != str(model):
        return model
    else:
        files = [path for name in (KERAS_FILE, INT8_FILE) if (path := find_released(model.name, name))]
    if not files:
        raise InputError(
            f"--model: got {str(model)!r}, which is neither a file nor a released model; name a .keras, .tflite or "
            f".onnx file, or one of the releases {', '.join(list_released())}"
        )
    return files[0]


def parse_numbers(text: str | None) -> str | dict[int, str] | None:
    """Return the numbering that `--numbers` names, or its mapping of numbers to emotions.

    Raises:
        InputError: it is neither.
    """
    if text is None or text in NUMBERINGS:
        return text
    value = _read_yaml(text)
    if isinstance(value, dict) and value and all(isinstance(key, int) and key >= 0 for key in value):
        return {key: str(name) for key, name in value.items()}
    raise InputError(
        f"--numbers: got {text!r}, expected one of {', '.join(NUMBERINGS)}, or numbers and their emotions, such as "
        "'{0: neutral, 1: happy}'"
    )


def parse_scheme(text: str | None) -> Scheme | None:
    """Return the classes that `--scheme` names or lists, as labels.scheme does.

    Raises:
        InputError: it is no such text.
    """
    if text is None:
        return None
    value = text if text in SCHEMES else _read_yaml(text)
    if not isinstance(value, list) and text not in SCHEMES:
        raise InputError(
            f"--scheme: got {text!r}, expected one of {', '.join(SCHEMES)}, or a list such as "
            "'[neutral, {positive: [happy, surprise]}]'"
        )
    with named_as_options():
        return resolve_scheme(value)


def _read_yaml(text: str) -> Any:
    try:
        return parse_yaml(text)
    except (YAMLError, ValueError):
        return None
