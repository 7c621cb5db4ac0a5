"""Presets: the params of a data set or published system, written into params.yaml by name."""

import difflib
import io
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from emotion.core.errors import InputError
from emotion.core.files import atomic_path
from emotion.core.params import PARAMS_FILE, SECTIONS, check_params, read_yaml

PRESETS = Path("presets")


@dataclass(frozen=True)
class Change:
    """A value that a preset changed: `key` is written section.name."""

    key: str
    before: Any
    after: Any


def list_presets(folder: Path = PRESETS) -> dict[str, str]:
    """Return the presets by name, sorted, each with the first line of its file's comment."""
    paths = sorted(folder.glob("*.yaml"), key=lambda path: path.stem)
    return {path.stem: describe_preset(path).partition("\n")[0] for path in paths}


def describe_preset(path: Path) -> str:
    """Return the comment at the head of a preset's file, without the `#` of each line."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return "\n".join(lines)


def find_preset(name: str, folder: Path = PRESETS) -> Path:
    """Return the file of the preset `name`.

    Raises:
        InputError: there is no such preset. The message lists all presets and names the closest one.
    """
    names = list(list_presets(folder))
    if name not in names:
        if not names:
            raise InputError(f"the folder {folder} has no presets; run the command in the root folder of the project")
        close = difflib.get_close_matches(name, names, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise InputError(f"no preset is named {name!r}{hint}; expected one of {', '.join(names)}")
    return folder / f"{name}.yaml"


def apply_preset(name: str, folder: Path = PRESETS, params_file: Path = PARAMS_FILE) -> list[Change]:
    """Write the values of the preset `name` into the params file, keeping its comments and all other values.

    Raises:
        InputError: there is no such preset, or the params with it would not be valid; nothing is written then.
    """
    path = find_preset(name, folder)
    return set_values(read_yaml(path), str(path), params_file)


def set_values(values: dict[str, Any], origin: str, params_file: Path = PARAMS_FILE) -> list[Change]:
    """Write `values` by section and key into the params file, keeping its comments and all other values.

    Args:
        values: such as {"train": {"epochs": 20}}.
        origin: the file they come from, for messages.
        params_file: the file to change.

    Raises:
        InputError: the params with them would not be valid; nothing is written then.
    """
    text, changes = merge_values(values, origin, params_file)
    write_params(text, params_file)
    return changes


def merge_values(values: dict[str, Any], origin: str, params_file: Path = PARAMS_FILE) -> tuple[str, list[Change]]:
    """Return the text that `set_values` would write, and the changes. Raises InputError as that does."""
    yaml = _round_trip_yaml()
    read_yaml(params_file)  # refuses a file that holds no mapping
    content = yaml.load(params_file.read_text(encoding="utf-8"))
    changes = list(_merge(values, content, origin))
    _align_comments(content)
    text = io.StringIO()
    yaml.dump(content, text)
    check_params(YAML(typ="safe").load(text.getvalue()), *SECTIONS, name=f"{params_file} with {origin}")
    return text.getvalue(), changes


def write_params(text: str, params_file: Path = PARAMS_FILE) -> None:
    """Write the text of the params file."""
    with atomic_path(params_file) as temporary:
        temporary.write_text(text, encoding="utf-8")


def to_yaml(value: Any) -> str:
    """Return `value` as params.yaml has it: `false`, `null`, `[0.9, 1.1]`."""
    text = io.StringIO()
    _round_trip_yaml().dump(_in_flow_style(value), text)
    return text.getvalue().removesuffix("...\n").strip()


def _round_trip_yaml() -> YAML:
    yaml = YAML()
    yaml.width = 120
    yaml.preserve_quotes = True
    yaml.representer.add_representer(
        type(None), lambda representer, _: representer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    return yaml


def _align_comments(content: CommentedMap) -> None:
    """Move each comment behind a value to the column where most comments begin."""
    sections = [section for section in content.values() if isinstance(section, CommentedMap)]
    comments = [tokens[2] for section in sections for tokens in section.ca.items.values() if tokens[2] is not None]
    if comments:
        column = statistics.mode(comment.column for comment in comments)
        for comment in comments:
            comment.column = column


def _merge(preset: dict[str, Any], content: Any, name: str) -> Iterator[Change]:
    for section, values in preset.items():
        if not isinstance(values, dict):
            raise InputError(
                f"{name}: got {values!r} for {section}, expected a section with keys, such as `train: {{epochs: 20}}`"
            )
        for key, value in values.items():
            before = content.setdefault(section, CommentedMap()).get(key)
            changed = before != value or isinstance(before, bool) != isinstance(value, bool)
            if changed or isinstance(value, list):  # `dvc exp run -S` writes lists in another style
                _set_value(content[section], key, value)
            if changed:
                yield Change(f"{section}.{key}", before, value)


def _set_value(section: CommentedMap, key: str, value: Any) -> None:
    """Set a value, and keep the comment behind it where it was a list of one item a line."""
    section[key] = _in_flow_style(value)
    if tokens := section.ca.items.get(key):
        section.ca.items[key] = [None, None, tokens[2], None]


def _in_flow_style(value: Any) -> Any:
    """Return a list in the flow style of the lists in params.yaml; other values as they are."""
    if not isinstance(value, list):
        return value
    sequence = CommentedSeq(_in_flow_style(item) for item in value)
    sequence.fa.set_flow_style()
    return sequence
