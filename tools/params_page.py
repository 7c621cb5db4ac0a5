"""The page of the params: the comments of params.yaml, with the types and ranges that the code checks."""

import json
import re
from pathlib import Path
from typing import Any

from emotion.core.params import SECTIONS, read_yaml

COMMENTED = re.compile(r"(?P<indent> *)(?P<key>\w+):.*?\s#\s*(?P<comment>.*)")


def render_params(path: Path) -> str:
    """Return the page: a table for each section, with a row for each key."""
    values = read_yaml(path)
    comments = read_comments(path)
    blocks = [
        "# Params",
        "These are the keys of `params.yaml`. The values are those of the committed run.\n"
        "`emotion preset NAME` writes other values into the file. `dvc exp run -S KEY=VALUE` changes one of them.",
    ]
    for section, model in SECTIONS.items():
        rows = ["| key | committed value | type and range | meaning |", "| --- | --- | --- | --- |"]
        for key, schema in model.model_json_schema()["properties"].items():
            cells = [f"`{key}`", f"`{json.dumps(values[section][key])}`", describe(schema)]
            rows.append(" | ".join(["", *cells, comments.get(f"{section}.{key}", ""), ""]).strip())
        heading = f"## {section}"
        blocks += [heading, *([capitalize(comments[section])] if section in comments else []), "\n".join(rows)]
    return "\n\n".join(blocks) + "\n"


def read_comments(path: Path) -> dict[str, str]:
    """Return the comments of params.yaml by `section` and `section.key`, as a table cell takes them."""
    comments = {}
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if re.match(r"\w+:", line):
            section = line.partition(":")[0]
        if match := COMMENTED.fullmatch(line):
            key = f"{section}.{match['key']}" if match["indent"] else section
            comments[key] = match["comment"].replace("|", "\\|")
    return comments


def describe(schema: dict[str, Any]) -> str:
    """Return a JSON schema of one value in words, such as `integer, 1 to 50`."""
    if "anyOf" in schema:
        return " or ".join(describe(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    if schema["type"] == "array":
        return describe_list(schema)
    if schema["type"] == "object":
        return f"mapping to {describe(schema['additionalProperties'])}"
    return ", ".join([schema["type"], *describe_range(schema)])


def describe_list(schema: dict[str, Any]) -> str:
    """Return the schema of a list in words; of one whose items have types of their own, such as `[integer, number]`."""
    if "prefixItems" in schema:
        return f"[{', '.join(describe(item) for item in schema['prefixItems'])}]"
    count = f"{schema['minItems']} of: " if "minItems" in schema else "of: "
    return f"list {count}{describe(schema['items'])}"


def describe_range(schema: dict[str, Any]) -> list[str]:
    """Return the bounds of a number in words."""
    words = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    return [f"{word} {schema[bound]:,}" for bound, word in words.items() if bound in schema]


def capitalize(comment: str) -> str:
    """Return a comment as a sentence."""
    return comment[:1].upper() + comment[1:] + "."
