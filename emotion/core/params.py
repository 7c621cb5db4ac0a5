"""The params of a run: params.yaml as frozen classes, one per section, checked when loaded.

The comments in params.yaml describe every key.
"""

import math
import re
from pathlib import Path, PureWindowsPath
from reprlib import Repr
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent

from emotion.core.errors import InputError, check_regular
from emotion.core.metadata import CHANNELS, MARGINS
from emotion.core.paths import LABELS, SAMPLE_FOLDER
from emotion.core.stores import describe_form, hide_secrets, is_store_address, parse_address

PARAMS_FILE = Path("params.yaml")

SHARED_REMOTE = "store"
"""The DVC remote inside the git repository. Whoever clones the repository gets its content."""

LONGEST_FILE_NAME = 255
"""Bytes that file systems allow for a name."""

MOST_YAML, DEEPEST_YAML, MOST_ALIASES = 200_000, 50, 20
"""Letters of a YAML text, brackets in one another, and aliases. Files of the project have up to 20,000, 4 and none."""

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 200


def shorten(value: Any) -> str:
    """Return the text of a value for a message, not longer than people read, without passwords of addresses."""
    return _SHORT.repr(hide_secrets(value) if isinstance(value, str) else value)


Seed = Annotated[int, Field(ge=0, lt=2**32)]
Share = Annotated[float, Field(ge=0, lt=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
ImageSize = Annotated[int, Field(ge=8, le=1024)]
Positive = Annotated[int, Field(ge=1)]

TO_SHARE = "divide epochs by train.epochs: 44 of 120 epochs are 0.3667"


def _check_share_of_epochs(share: Any) -> Any:
    """Return what may be a share; refuse a number of epochs, which earlier versions took."""
    if isinstance(share, int | float) and share >= 1:
        raise ValueError(f"a share of the epochs, below 1; {TO_SHARE}")
    return share


def _check_size_and_share(pair: Any) -> tuple[int, float]:
    """Return the pair [pixels, share of the epochs] as a tuple; refuse any other value."""
    match pair:
        case [int(size), float(share)] if size >= 1 and 0 < share < 1:
            return size, share
    raise ValueError(f"a size in pixels and a share of the epochs, such as [32, 0.6]; {TO_SHARE}")


ShareOfEpochs = Annotated[Share, BeforeValidator(_check_share_of_epochs)]
SizeAndShare = Annotated[tuple[int, float], BeforeValidator(_check_size_and_share)]


class Section(BaseModel):
    """A section of params.yaml. It has no unknown keys, converts no types and cannot be changed after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SampleParams(Section):
    """The drawn sample: its seed and number of images."""

    seed: Seed
    images: Annotated[int, Field(ge=200, le=100_000)]


class SourceParams(Section):
    """The raw data: where it lies, and the share of its images that may be unreadable."""

    folder: str
    file: str | None
    remote: str
    rejected_share: Probability

    @field_validator("remote")
    @classmethod
    def _store_is_for_the_sample(cls, remote: str, info: ValidationInfo) -> str:
        if remote == SHARED_REMOTE and Path(info.data.get("folder", SAMPLE_FOLDER)) != SAMPLE_FOLDER:
            raise ValueError(
                "private, with plot.share_images: false, as `emotion preset folder` sets them. "
                f"{SHARED_REMOTE} is part of this git repository and serves the sample only"
            )
        return remote

    @field_validator("folder", "file")
    @classmethod
    def _names_are_not_too_long(cls, path: str | None) -> str | None:
        # The system would refuse longer names while the pipeline runs.
        if any(len(part.encode()) > LONGEST_FILE_NAME for part in (path or "").split("/")):
            raise ValueError(f"names of at most {LONGEST_FILE_NAME} bytes")
        return path

    @field_validator("folder")
    @classmethod
    def _address_is_one_of_dvc(cls, folder: str) -> str:
        if not is_store_address(folder):
            return folder
        try:
            address = parse_address(folder)
        except InputError:
            raise ValueError(describe_form(folder.partition(":")[0].lower())) from None
        # DVC compares the text, and knows no other names of these stores.
        known = {"az": "azure", "sftp": "ssh"}.get(address.scheme, address.scheme)
        written = str(address._replace(scheme=known))
        if written != folder:
            raise ValueError(f"the address as DVC writes it, {written}")
        return folder

    @field_validator("file")
    @classmethod
    def _file_is_inside_folder(cls, file: str | None) -> str | None:
        # The rules of Windows know both separators, and hold on every system.
        path = PureWindowsPath(file or "")
        if path.anchor or ".." in path.parts:
            raise ValueError(
                "a path inside source.folder, which is all that DVC watches; move the file there, or set "
                "source.folder to the folder that holds it"
            )
        return file


class SplitParams(Section):
    """Shares of the validation and test splits, what stays on one side, and whether copies across splits stay."""

    validation: Annotated[float, Field(gt=0, lt=0.5)]
    test: Annotated[float, Field(gt=0, lt=0.5)]
    seed: Seed
    group: dict[str, str] | None
    near_copies: Annotated[int, Field(ge=0, le=16)] | None
    keep_copies: bool

    @field_validator("group")
    @classmethod
    def _group_is_column_or_pattern(cls, group: dict[str, str] | None) -> dict[str, str] | None:
        if group is None:
            return None
        if set(group) not in ({"column"}, {"pattern"}):
            raise ValueError("null, {column: person}, or {pattern: '(S\\d+)_'}")
        if "pattern" in group:
            _check_pattern(group["pattern"])
        return group


def _check_pattern(pattern: str) -> None:
    """Raise ValueError where `pattern` is no regular expression with a group in parentheses."""
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"a regular expression ({error})") from None
    if not groups:
        raise ValueError("a regular expression with the group in parentheses, such as '(S\\d+)_'")


class LabelsParams(Section):
    """The classes, the meaning of numbers, the kind of training targets, and the file of decisions on labels."""

    scheme: list[str | dict[str, list[str]]] | str
    numbers: Literal["fer2013", "ckplus", "rafdb", "affectnet", "ferplus", "alphabetical"] | dict[int, str] | None
    targets: Literal["majority", "votes"]
    source_votes: Annotated[int, Field(ge=0, le=100)]
    decisions: str | None

    @field_validator("decisions")
    @classmethod
    def _decisions_are_in_their_folder(cls, name: str | None) -> str | None:
        if name is not None and not is_table_name(name):
            raise ValueError(f"null, or the name of a file in {LABELS}, such as decisions.csv")
        return name

    @field_validator("numbers")
    @classmethod
    def _numbers_are_some(cls, numbers: Any) -> Any:
        if isinstance(numbers, dict) and (not numbers or min(numbers) < 0):
            raise ValueError("numbers from 0 and their emotions, such as {0: neutral, 1: happy}")
        return numbers


class FeaturesParams(Section):
    """The part of an image that is taken; size in pixels, color and file format of the feature arrays."""

    faces: Literal["as_is", "detect", "auto"]

    # Not `size`: DVC's run cache ignores keys of that name and would restore arrays of another size
    # (treeverse/dvc#10296).
    image_size: ImageSize
    color: Literal["grayscale", "rgb"]
    format: Literal["npy", "pkl"]

    @property
    def channels(self) -> int:
        """The number of channels of an image: 1 or 3."""
        return CHANNELS[self.color]


class AugmentationParams(Section):
    """Random changes of training images: rotation in degrees, shifts as shares of the image."""

    flip: bool
    rotation: Annotated[float, Field(ge=0, le=180)]
    zoom: Annotated[list[Annotated[float, Field(gt=0, le=4)]], Field(min_length=2, max_length=2)]
    shift: Annotated[float, Field(ge=0, le=0.5)]
    brightness: Probability
    contrast: Probability
    erase: Probability
    mixup: Annotated[float, Field(ge=0, le=10)]

    @field_validator("zoom")
    @classmethod
    def _zoom_is_ordered(cls, zoom: list[float]) -> list[float]:
        if zoom[0] > zoom[1]:
            raise ValueError("the smaller factor first")
        return zoom


class TrainParams(Section):
    """The network and its training."""

    architecture: str
    seed: Seed
    epochs: Positive
    batch_size: Positive
    optimizer: Literal["sgd", "adam", "muon"]
    learning_rate: Annotated[float, Field(gt=0, le=10)]
    weight_decay: Share
    schedule: Literal["cosine", "constant"]
    warmup: ShareOfEpochs
    label_smoothing: Share
    class_weights: Literal["none", "balanced"]
    logit_adjustment: Annotated[float, Field(ge=0, le=2)]
    progressive_sizes: list[SizeAndShare]
    inference_size: ImageSize | None
    init_from: str | None
    monitor: Literal["accuracy", "loss", "last"]
    patience: Annotated[int, Field(ge=0)]
    teacher: str | list[str] | None
    teacher_share: Probability
    teacher_inputs: Literal["augmented", "original"]
    precision: Literal["auto", "float32", "mixed_bfloat16"]
    processes: Annotated[int, Field(ge=1, le=256)]

    @property
    def teachers(self) -> list[str]:
        """The names of the teachers' model files; empty where there is no teacher."""
        if self.teacher is None:
            return []
        return [self.teacher] if isinstance(self.teacher, str) else self.teacher

    @field_validator("progressive_sizes")
    @classmethod
    def _shares_leave_epochs(cls, sizes: list[tuple[int, float]]) -> list[tuple[int, float]]:
        if math.fsum(share for _, share in sizes) >= 1:
            raise ValueError("shares that are below 1 together; the last epochs have images of features.image_size")
        return sizes


class EvaluateParams(Section):
    """Mirror images, threshold of two emotions, settings of intervals and calibration, and columns of groups."""

    flip: bool
    threshold: Annotated[float, Field(gt=0, lt=1)]
    bootstrap: Annotated[int, Field(ge=100, le=100_000)]
    bins: Annotated[int, Field(ge=2, le=100)]
    seed: Seed
    groups: list[str]

    @field_validator("groups")
    @classmethod
    def _columns_differ(cls, groups: list[str]) -> list[str]:
        if len(set(groups)) < len(groups):
            raise ValueError("each column once, such as [sex, age]")
        return groups


class FacesParams(Section):
    """Detection of faces for the model: detector, margin as a share of the box, smallest side in pixels."""

    detector: Literal["yunet", "cascade"]
    margin: Annotated[float, Field(ge=MARGINS[0], le=MARGINS[1])]
    smallest: Positive


class PlotParams(Section):
    """Numbers of images on the plots, and whether git gets the sheets that show images."""

    images_per_class: Annotated[int, Field(ge=1, le=50)]
    mistakes: Annotated[int, Field(ge=1, le=200)]
    share_images: bool


class ExplainParams(Section):
    """Number of explained images per emotion."""

    images: Annotated[int, Field(ge=1, le=10)]


class ComputeParams(Section):
    """Number of processor threads."""

    threads: Annotated[int, Field(ge=1, le=1024)]


RENAMED = {
    "sample.pictures": "images",
    "plot.pictures_per_class": "images_per_class",
    "explain.pictures": "images",
    "train.smaller_first": "progressive_sizes",
    "train.enlarge_to": "inference_size",
    "train.start_from": "init_from",
    "train.teacher_sees": "teacher_inputs",
    "train.warmup_epochs": "warmup",
}
"""Keys of earlier versions, and their current names."""

CONVERSIONS = {"train.warmup_epochs": TO_SHARE}
"""Keys of earlier versions whose values had another unit, and the way to convert them."""

RENAMED_VALUES = {"features.color": {"grey": "grayscale"}, "train.teacher_inputs": {"changed": "augmented"}}

SECTIONS: dict[str, type[Section]] = {
    "sample": SampleParams,
    "source": SourceParams,
    "split": SplitParams,
    "labels": LabelsParams,
    "features": FeaturesParams,
    "augmentation": AugmentationParams,
    "train": TrainParams,
    "evaluate": EvaluateParams,
    "faces": FacesParams,
    "plot": PlotParams,
    "explain": ExplainParams,
    "compute": ComputeParams,
}


class Params:
    """The loaded sections, as attributes. Access to another section is an AttributeError.

    So a stage cannot read a section that its `params:` in dvc.yaml does not list.
    """

    sample: SampleParams
    source: SourceParams
    split: SplitParams
    labels: LabelsParams
    features: FeaturesParams
    augmentation: AugmentationParams
    train: TrainParams
    evaluate: EvaluateParams
    faces: FacesParams
    plot: PlotParams
    explain: ExplainParams
    compute: ComputeParams

    def __init__(self, **sections: Any) -> None:
        self.__dict__.update(sections)


def is_table_name(name: str) -> bool:
    """Return whether `name` is that of a .csv file without a folder, on all systems."""
    return PureWindowsPath(name).name == name and name.endswith(".csv")


def load_params(*sections: str, path: Path = PARAMS_FILE) -> Params:
    """Read and check the named sections of the params file at `path`.

    Raises:
        InputError: the file is missing, is not valid YAML, has an unknown section or lacks a named one. The error is
            also raised where a named section has an unknown key, lacks a key, or has a value that is not allowed.
    """
    return check_params(read_yaml(path), *sections, name=str(path))


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a mapping from a YAML 1.2 file, as DVC does, so that `1e-3` is a number.

    Raises:
        InputError: the file is missing or no file, not valid YAML, not a mapping, or beyond the bounds of `parse_yaml`.
    """
    check_regular(path, "replace it with a file of that name")
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{path} is missing; run the command from the project's root, or restore the file "
            f"with `git checkout {path}`"
        ) from None
    except (YAMLError, ValueError) as error:
        raise InputError(f"{path} is not valid YAML, correct it there: {error}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: got {type(content).__name__}, expected sections such as `train:`")
    return content


def parse_yaml(text: str) -> Any:
    """Return the content of a YAML 1.2 text.

    Aliases, nesting and sheer length can make a short text take minutes, so they are bounded.

    Raises:
        YAMLError: the text is not valid YAML.
        ValueError: it is beyond the bounds, or has a number of thousands of digits.
    """
    if len(text) > MOST_YAML:
        raise ValueError(f"it has {len(text):,} letters, expected at most {MOST_YAML:,}")
    if _depth(text) > DEEPEST_YAML:
        raise ValueError(f"it has more than {DEEPEST_YAML} brackets in one another")
    if text.count("*") > MOST_ALIASES and "&" in text:
        aliases = sum(isinstance(event, AliasEvent) for event in YAML(typ="safe").parse(text))
        if aliases > MOST_ALIASES:
            raise ValueError(f"it has {aliases} aliases, expected at most {MOST_ALIASES}")
    try:
        return YAML(typ="safe").load(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _depth(text: str) -> int:
    """Return the most brackets that are open at a time, those in comments and texts included."""
    depth = deepest = 0
    for bracket in re.findall(r"[][{}]", text):
        depth = max(0, depth + (1 if bracket in "[{" else -1))
        deepest = max(deepest, depth)
    return deepest


def check_params(content: dict[str, Any], *sections: str, name: str = str(PARAMS_FILE)) -> Params:
    """Check the named sections of `content`, which came from the file `name`, and return them.

    Raises:
        InputError: as in `load_params`. The message lists every problem, one per line.
    """
    problems = [
        f"{key}: unknown section, expected one of {', '.join(SECTIONS)}" for key in content if key not in SECTIONS
    ]
    problems += [f"{key}: section is missing" for key in sections if key not in content]
    checked = {}
    for key in sections:
        if key in content:
            try:
                checked[key] = SECTIONS[key].model_validate(content[key])
            except ValidationError as error:
                problems += _explain(key, error)
    if problems:
        raise InputError(f"{name} cannot be used:\n  " + "\n  ".join(problems))
    return Params(**checked)


def _explain(section: str, error: ValidationError) -> list[str]:
    """Return one line per problem: the key, its value, and what is expected."""
    known = list(SECTIONS[section].model_fields)
    renamed = {RENAMED.get(f"{section}.{problem['loc'][0]}") for problem in error.errors() if problem["loc"]}
    expectations: dict[str, list[str]] = {}
    values = {}
    for problem in error.errors():
        # A value that may have two types gives a problem for each; pydantic appends the type to its location.
        location = [str(part) for part in problem["loc"] if part in known or isinstance(part, int)]
        if problem["type"] == "extra_forbidden":
            location = [str(problem["loc"][0])]
            expected = _explain_unknown(section, location[0], known)
        elif problem["type"] == "missing" and problem["loc"][-1] in renamed:
            continue
        elif problem["type"] == "missing":
            expected = "is missing"
        elif not location:
            values[section], expected = problem["input"], f"the keys {', '.join(known)}"
        else:
            values[".".join([section, *location])] = problem["input"]
            expected = re.sub("^(Input should be|List should have|Value error,) ", "", problem["msg"])
            new = RENAMED_VALUES.get(".".join([section, *location]), {}).get(str(problem["input"]))
            expected += f" (it was renamed to {new!r})" if new else ""
        expectations.setdefault(".".join([section, *location]), []).append(expected)
    return [
        f"{key}: " + (f"got {shorten(values[key])}, expected " if key in values else "") + " or ".join(expected)
        for key, expected in expectations.items()
    ]


def _explain_unknown(section: str, key: str, known: list[str]) -> str:
    new = RENAMED.get(f"{section}.{key}")
    if not new:
        return f"unknown key, expected {', '.join(known)}"
    conversion = CONVERSIONS.get(f"{section}.{key}")
    return f"was renamed; write {section}.{new}" + (f", and {conversion}" if conversion else "")
