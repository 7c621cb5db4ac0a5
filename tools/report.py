"""Write the report on a change: its figures, stages and plots against another revision, as Markdown.

`python -m tools.report --base origin/main --output report.md` compares the files on disk, after `dvc repro`, with the
base. .github/workflows/report.yml posts the report on pull requests.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from emotion.app.metrics.rendering import diff_grids, to_markdown
from emotion.app.metrics.revisions import read_metrics, resolve
from emotion.app.metrics.sections import choose_sections, flatten
from emotion.app.programs import run_git, run_program
from emotion.core.errors import InputError, run_command
from emotion.core.paths import PLOTS
from emotion.presentation.markdown import code, escape

LOCK = Path("dvc.lock")
SHORT_HASH = 7
"""Characters of a commit's hash in the report."""

SHOWN_PLOTS = {"Confusion matrix": PLOTS / "confusion.png", "Training": PLOTS / "training.png"}
"""The plots of the report by their titles."""

PARTS = ("cmd", "deps", "params", "outs")
"""The parts of a stage in dvc.lock."""

MACHINE_NOTE = "The stages may have run on another processor than those of the base, which changes the last digits."

Lock = Mapping[str, Mapping[str, Any]]
"""The stages of a dvc.lock by their names."""


def main() -> None:
    """Write the report that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--base", default="origin/main", metavar="REV", help="revision to compare with (%(default)s)")
    parser.add_argument("--output", type=Path, default=Path("report.md"), metavar="FILE", help="default: %(default)s")
    parser.add_argument("--no-plots", action="store_true", help="leave the plots out, where no image can be shown")
    options = parser.parse_args()
    run_command(lambda: options.output.write_text(render(options.base, plots=not options.no_plots), encoding="utf-8"))


def render(base: str, *, plots: bool = True) -> str:
    """Return the report on the files on disk against the revision `base`.

    Raises:
        InputError: there is no such revision, or the pipeline has not run.
    """
    lock, base_lock = read_lock(), read_base_lock(base)
    blocks = [
        render_headline(base),
        render_summary(base),
        render_stages(base_lock, lock),
        render_details(base),
        *(render_plots() if plots else []),
    ]
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def render_headline(base: str) -> str:
    """Return the title, with the commits that are compared."""
    head, other = run_git("rev-parse", "HEAD").strip(), resolve(base)
    return f"## Results of {head[:SHORT_HASH]}, compared with {other[:SHORT_HASH]} ({code(base)})"


def render_summary(base: str) -> str:
    """Return the five main figures and their changes, as `dvc metrics diff` shows them."""
    command = [sys.executable, "-m", "dvc", "metrics", "diff", "--all", "--md", base]
    lines = run_program(command, "dvc metrics diff").splitlines()
    return "\n".join("|".join(f" {escape(cell)} " for cell in line.split("|")).strip() for line in lines)


def render_stages(old: Lock, new: Lock) -> str:
    """Return which stages changed from one dvc.lock to another, and in what."""
    lines = [f"- {code(name)}: {change}" for name, change in find_changes(old, new)]
    if not lines:
        return "No stage changed."
    return "\n".join(["**Stages that changed**", "", *lines, "", MACHINE_NOTE])


def find_changes(old: Lock, new: Lock) -> Iterator[tuple[str, str]]:
    """Yield each stage that differs, with the paths and params that do."""
    for name in dict.fromkeys([*new, *old]):
        if name not in old or name not in new:
            yield name, "new" if name in new else "removed"
        elif old[name] != new[name]:
            parts = ((part, _differing(_entries(old[name], part), _entries(new[name], part))) for part in PARTS)
            yield name, "; ".join(f"{part} {', '.join(names)}" for part, names in parts if names)


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [code(name) for name in dict.fromkeys([*new, *old]) if old.get(name) != new.get(name)]


def _entries(stage: Mapping[str, Any], part: str) -> dict[str, Any]:
    """Return the command, the hashes of dependencies or outputs by path, or the params, all by name."""
    content = stage.get(part, {})
    if isinstance(content, str):
        return {content: True}
    if isinstance(content, list):
        return {entry["path"]: entry.get("md5") for entry in content}
    return {key: value for values in content.values() for key, value in flatten(values).items()}


def render_details(base: str) -> str:
    """Return the changes of all figures, folded up; a base without metrics is named."""
    try:
        old = read_metrics(base)
    except InputError as error:
        return f"No other figures are compared: {escape(str(error))}."
    changed = [grid for grid in diff_grids(choose_sections(None).values(), old, read_metrics()) if grid.rows]
    if not changed:
        return "No other figure changed."
    tables = "\n".join(map(to_markdown, changed))
    return f"<details>\n<summary>All figures, by class as well</summary>\n\n{tables}\n</details>"


def render_plots() -> list[str]:
    """Return the plots that exist, as images. CML uploads what they name."""
    return [f"### {title}\n\n![{title}]({path.as_posix()})" for title, path in SHOWN_PLOTS.items() if path.is_file()]


def read_lock() -> Lock:
    """Return the stages of dvc.lock on disk; raise InputError where the file is missing or has none."""
    if not LOCK.is_file():
        raise InputError(f"{LOCK} is missing; run `dvc repro` in the project's root folder first")
    stages = _stages(LOCK.read_text(encoding="utf-8", errors="replace"))
    if not stages:
        raise InputError(
            f"{LOCK}: got no stages, expected YAML with `stages`; take back the committed file with "
            f"`git checkout HEAD -- {LOCK}`, or remove it and run `dvc repro`"
        )
    return stages


def read_base_lock(base: str) -> Lock:
    """Return the stages of dvc.lock in the revision `base`; none where it has no such file, or a broken one."""
    commit = resolve(base)
    tracked = run_git("ls-tree", "--name-only", commit, "--", LOCK.name).strip()
    return _stages(run_git("show", f"{commit}:./{LOCK.name}")) if tracked else {}


def _stages(text: str) -> Lock:
    """Return the stages in the text of a dvc.lock; none where it is no YAML or has no stages."""
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):  # a date that does not exist is a ValueError
        return {}
    stages = content.get("stages") if isinstance(content, Mapping) else None
    return stages if isinstance(stages, Mapping) else {}


if __name__ == "__main__":
    main()
