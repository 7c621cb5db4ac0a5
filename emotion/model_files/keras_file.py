"""Model files for Keras. They hold the metadata, have reproducible bytes, and run no code when loaded."""

import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from emotion.core.errors import InputError, first_line
from emotion.core.files import atomic_path
from emotion.core.metadata import FIXED_TIME, METADATA_MEMBER, ModelMetadata, read_metadata, write_metadata
from emotion.model_files.remedies import find_remedy

WEIGHTS_MEMBER = "model.weights.h5"

MAX_UNPACKED_BYTES = 2**31
"""Files that would unpack to more bytes than this are refused."""

HARMLESS_PACKAGES = frozenset(
    {
        "activations",
        "attention",
        "convolutional",
        "core",
        "merging",
        "normalization",
        "pooling",
        "regularization",
        "reshaping",
    }
)
"""Packages of keras.layers with layers that only compute. They read no files and call no functions from a config."""

HARMLESS_LAYERS = frozenset({"Rescaling"})
HARMFUL_LAYERS = frozenset({"Lambda", "Wrapper"})
HARMLESS_MODULES = frozenset({"keras.initializers", "keras.regularizers", "keras.constraints"})
HARMLESS_CLASSES = frozenset(
    {
        ("keras", "DTypePolicy"),
        ("keras", "Sequential"),
        ("keras.src.models.functional", "Functional"),
        ("keras.src.ops.image", "Resize"),
        (None, "__keras_tensor__"),
    }
)


def save_model(path: Path, model: keras.Model, metadata: ModelMetadata) -> None:
    """Write `model` and `metadata` as a .keras file, which `keras.models.load_model` can load, too."""
    with atomic_path(path) as temporary:
        model.save(temporary)
        members = _read_members(temporary)
        members["metadata.json"] = _canonical_metadata(members["metadata.json"])
        members["config.json"] = _canonical_config(members["config.json"])
        members[METADATA_MEMBER] = write_metadata(metadata).encode()
        _write_members(temporary, members)


def load_model(path: Path) -> tuple[keras.Model, ModelMetadata]:
    """Return the model in the file at `path`, not compiled, and its metadata.

    Raises:
        InputError: the file is missing, is no model of this project, or contains more than layers that only compute.
    """
    if not path.is_file():
        raise InputError(f"{path} is missing; {find_remedy(path)}")
    try:
        members = _read_members(path)
        metadata = read_metadata(members[METADATA_MEMBER], str(path))
        check_config(json.loads(members["config.json"]), str(path))
    except InputError:
        raise
    except KeyError:
        raise InputError(f"{path} has no metadata, so its emotions are unknown; {find_remedy(path)}") from None
    except (zipfile.BadZipFile, zlib.error, ValueError, RuntimeError, OSError) as error:
        raise InputError(f"{path} cannot be loaded as a model ({error}); {find_remedy(path)}") from None
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True), metadata
    # Keras can raise any error on a config that it did not write itself.
    except Exception as error:
        raise InputError(f"{path} cannot be loaded as a model ({first_line(error)}); {find_remedy(path)}") from None


def check_config(config: Any, where: str) -> None:
    """Raise InputError where the `config` of a network names a class that may do more than compute.

    Keras' `safe_mode` refuses a list of dangerous classes. This function accepts a list of harmless classes and
    refuses all others.

    Args:
        config: the content of the file's config.json, or a part of it.
        where: the file's name, for the message.
    """
    if isinstance(config, list):
        for item in config:
            check_config(item, where)
    elif isinstance(config, dict):
        if "class_name" in config and not _is_harmless(config.get("module"), config["class_name"]):
            raise InputError(
                f"{where} is refused, since it holds {config.get('module')}.{config['class_name']}, which could run "
                "code; expected only layers of Keras that compute"
            )
        for item in config.values():
            check_config(item, where)


def _is_harmless(module: object, name: object) -> bool:
    if not isinstance(name, str) or not isinstance(module, str | None):
        return False
    if module == "keras.layers":
        kind = getattr(keras.layers, name, None)
        package = getattr(kind, "__module__", "").removeprefix("keras.src.layers.").partition(".")[0]
        return name in HARMLESS_LAYERS or (package in HARMLESS_PACKAGES and name not in HARMFUL_LAYERS)
    return module in HARMLESS_MODULES or (module, name) in HARMLESS_CLASSES


def halve_weights(source: Path, target: Path) -> None:
    """Write the model file `source` as `target`, half as large, with float32 weights rounded to float16.

    Its members are compressed, which saves another tenth. Files of the pipeline are not, since other versions of zlib
    write other bytes.

    Keras casts the weights to the type of their layer when it loads them. So the model still computes in float32. An
    array with a value that float16 cannot hold (beyond 65504) is not changed.

    Raises:
        InputError: `source` is not a .keras file.
    """
    try:
        members = _read_members(source)
        members[WEIGHTS_MEMBER] = _halve(members[WEIGHTS_MEMBER])
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise InputError(f"{source} cannot be read as a .keras file ({error}); {find_remedy(source)}") from None
    with atomic_path(target) as temporary:
        _write_members(temporary, members, zipfile.ZIP_DEFLATED)


def _halve(content: bytes) -> bytes:
    """Return the HDF5 file `content` with smaller weights, as a new file: one changed in place keeps its size."""
    halved = io.BytesIO()
    with h5py.File(io.BytesIO(content), "r") as source, h5py.File(halved, "w") as target:
        target.attrs.update(source.attrs)
        source.visititems(lambda name, item: _copy_halved(item, name, target))
    return halved.getvalue()


def _copy_halved(item: h5py.Group | h5py.Dataset, name: str, target: h5py.File) -> None:
    if isinstance(item, h5py.Group):
        copy = target.create_group(name)
    else:
        # Times in the file would give the same weights other bytes.
        copy = target.create_dataset(name, data=_round_weights(item[()]), track_times=False)
    copy.attrs.update(item.attrs)


def _round_weights(values: np.ndarray) -> np.ndarray:
    """Return float32 values as float16 where float16 can hold them all. Values of other types are not changed."""
    if values.dtype != np.float32:
        return values
    with np.errstate(over="ignore"):
        halved = values.astype(np.float16)
    return halved if np.isfinite(halved).all() else values


def _read_members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise zipfile.BadZipFile(f"it would unpack to {unpacked / 2**30:,.0f} GiB")
        return {name: archive.read(name) for name in archive.namelist()}


def _write_members(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(members):
            archive.writestr(zipfile.ZipInfo(name, FIXED_TIME), members[name], compression)


def _canonical_metadata(text: bytes) -> bytes:
    return json.dumps(json.loads(text) | {"date_saved": "1980-01-01@00:00:00"}).encode()


def _canonical_config(text: bytes) -> bytes:
    """Number shared objects by first appearance, since Keras numbers them by memory address."""
    return json.dumps(_renumber(json.loads(text), {})).encode()


def _renumber(value: Any, numbers: dict[int, int]) -> Any:
    if isinstance(value, list):
        return [_renumber(item, numbers) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: numbers.setdefault(item, len(numbers)) if key == "shared_object_id" else _renumber(item, numbers)
        for key, item in value.items()
    }
