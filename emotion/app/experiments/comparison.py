"""The experiments of the current commit as `dvc exp show` lists them, read for comparison."""

import difflib
import io
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from emotion.core.errors import InputError
from emotion.core.params import PARAMS_FILE, SECTIONS
from emotion.plots.experiments import Results, figure_text, is_better_smaller, is_numeric, is_of_test, param_text

DEFAULT_METRIC = "metrics/train.json:validation.accuracy"
TRIES = 5
PAUSE = 2.0  # seconds between two tries
HOPELESS = ("not inside of a DVC repository", "not a git repository")  # parts of messages that stay the same
HOW_TO_QUEUE = "dvc exp run --queue -S 'train.learning_rate=0.05,0.1' && dvc exp run --run-all -j 2"
ENDED = ("", "Success")
WORKSPACE = "workspace"
RELEASED = "released."
ABOUT = ("Experiment", "rev", "typ", "Created", "parent", "State", "Executor")
"""The columns before metrics, params and deps."""
TEST_NOTE = (
    "This figure is of the test split. Choosing params by it would spoil the split: it would no longer tell how the "
    "model does on new images. Choose by a figure of validation."
)


def read_experiments(dvc: Path | None = None) -> pd.DataFrame:
    """Return what `dvc exp show --csv` prints, as text: a row each for the workspace, the commit, its experiments.

    While workers of the queue set up their folders, `dvc exp show` fails over half-made ones; so it is tried again.

    Args:
        dvc: the program; the one beside this Python where it is None.

    Raises:
        InputError: there is no such program, or it fails each time.
    """
    dvc = dvc or Path(sys.executable).with_name("dvc")
    for trial in range(TRIES):
        time.sleep(PAUSE if trial else 0)
        try:
            done = subprocess.run([dvc, "exp", "show", "--csv"], capture_output=True, text=True)
        except FileNotFoundError:
            raise InputError(f"{dvc} is missing; install the packages: pip install -r requirements.txt") from None
        if done.returncode == 0:
            return pd.read_csv(io.StringIO(done.stdout), dtype=str, keep_default_na=False)
        if any(message in done.stderr for message in HOPELESS):
            raise InputError(
                f"{Path.cwd()} is no clone of the project with git and DVC, which keep the experiments; run the "
                "command from the project's root"
            )
    raise InputError(f"dvc exp show failed {TRIES} times; it said: {done.stderr.strip() or done.stdout.strip()}")


def compare(shown: pd.DataFrame, key: str = DEFAULT_METRIC) -> Results:
    """Return the experiments that have the metric, best first, with the params in which they differ.

    Args:
        shown: what `read_experiments` returned.
        key: the metric, with its file before a colon or without.

    Raises:
        InputError: there are no experiments, none has ended, they differ in no param, or no metric has that name.
    """
    shown = shown[shown["rev"] != WORKSPACE]
    experiments = shown[shown["typ"] != "baseline"]
    if experiments.empty:
        raise InputError(f"the current commit has no experiments; queue some: {HOW_TO_QUEUE}")
    params = [str(name) for name in shown if _is_param(str(name))]
    metric = find_metric(_metrics(shown, params), key)
    states = shown["State"] if "State" in shown else pd.Series("", index=shown.index)
    figures = pd.to_numeric(shown[metric], errors="coerce").replace([np.inf, -np.inf], np.nan)
    kept = states.isin(ENDED) & figures.notna()
    left_out = _say_left_out(states[experiments.index], kept[experiments.index], metric)
    if not kept[experiments.index].any():
        raise InputError(f"no experiment has ended with {metric}. {left_out} See dvc queue status")
    rows = shown[kept]
    differing = [name for name in params if _differ(rows[name])]
    if not differing:
        raise InputError(f"what has {metric} ({len(rows)}) differs in no param; queue more: {HOW_TO_QUEUE}")
    table = rows[differing].assign(**{metric: figures[kept]})
    table.index = pd.Index(rows["Experiment"].where(rows["Experiment"] != "", rows["rev"]), name="experiment")
    committed = list(table.index[(rows["typ"] == "baseline").to_numpy()])
    table = table.sort_values(metric, ascending=is_better_smaller(metric), kind="stable")
    notes = [note for note in (left_out, TEST_NOTE if is_of_test(metric) else "") if note]
    return Results(table, committed[0] if committed else None, notes)


def find_metric(names: Sequence[str], key: str) -> str:
    """Return the one of `names` that `key` means; DVC writes a metric's file before it only where two have that name.

    Raises:
        InputError: none is meant, or several are; the message names those that may be.
    """
    if key in names:
        return key
    file, _, bare = key.rpartition(":")
    found = [name for name in names if name.rpartition(":")[2] == bare and not (file and ":" in name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"--metric {key} may be any of: {', '.join(found)}")
    close = difflib.get_close_matches(key, names, n=5, cutoff=0.5)
    meant = f"did you mean {' or '.join(close)}?" if close else f"expected one of: {', '.join(names) or 'none yet'}"
    raise InputError(f"no experiment has a metric {key!r}; {meant}")


def format_best(results: Results, count: int = 5) -> str:
    """Return the best experiments as a table in text: name, params that differ, metric."""
    best = results.table.head(count)
    names = [f"{name} (committed)" if name == results.baseline else str(name) for name in best.index]
    columns = [["experiment", *names]]
    columns += [[name, *map(param_text, best[name])] for name in results.params]
    columns += [[results.metric, *(figure_text(figure) for figure in best[results.metric])]]
    widths = [max(map(len, column)) for column in columns]
    lines = zip(*columns, strict=True)
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _is_param(name: str) -> bool:
    section, _, key = name.removeprefix(f"{PARAMS_FILE}:").partition(".")
    return section in SECTIONS and key in SECTIONS[section].model_fields


def _metrics(shown: pd.DataFrame, params: Sequence[str]) -> list[str]:
    """Return the names of columns that hold numbers and no params; those of deps hold checksums.

    Figures of released models stand beside the experiments' own, the same in every row, and are left out.
    """
    names = [str(name) for name in shown if name not in (*ABOUT, *params) and _has_number(shown[name])]
    return [name for name in names if not name.startswith(RELEASED)]


def _has_number(values: pd.Series) -> bool:
    """Return whether any value, given as text, is a number."""
    return bool(pd.to_numeric(values, errors="coerce").notna().any())


def _differ(values: pd.Series) -> bool:
    return (pd.to_numeric(values) if is_numeric(values) else values).nunique() > 1


def _say_left_out(states: pd.Series, kept: pd.Series, metric: str) -> str:
    """Return how many experiments are not compared, and why; nothing where all are."""
    reasons = states[~kept].where(~states.isin(ENDED), f"without {metric.rpartition(':')[2]}").str.lower()
    if reasons.empty:
        return ""
    return f"Left out: {', '.join(f'{count} {reason}' for reason, count in reasons.value_counts(sort=False).items())}."
