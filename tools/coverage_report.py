"""Print the coverage of each folder of emotion/, and fail where fewer branches are covered than the project wants.

`make coverage` runs the tests, which write coverage.json, and then this. The `fail_under` of coverage does not serve
here: it counts lines and branches together.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from emotion.core.errors import InputError, run_command
from emotion.presentation.formats import percent

FEWEST_BRANCHES = 0.9
"""Share of the branches of emotion/ that the tests have to cover."""

REPORT = Path("coverage.json")

Counts = Mapping[str, int]
"""Numbers of lines and branches, under the names that coverage gives them."""

COLUMNS = {"lines": ("covered_lines", "num_statements"), "branches": ("covered_branches", "num_branches")}


def main() -> None:
    """Print the table; exit with status 1 where too few branches are covered."""
    files = read_files(REPORT)
    total = add_up(files.values())
    print("\n".join(render(group_by_folder(files) | {"all": total})))
    check_branches(total)


def read_files(path: Path) -> dict[str, Counts]:
    """Return the counts of each file in a report of coverage.

    Raises:
        InputError: there is no such report.
    """
    if not path.exists():
        raise InputError(
            f"{path}: expected the report that `pytest --cov --cov-report=json` writes; run `make coverage`"
        )
    files = json.loads(path.read_text(encoding="utf-8"))["files"]
    return {name: file["summary"] for name, file in files.items()}


def group_by_folder(files: Mapping[str, Counts]) -> dict[str, Counts]:
    """Return the counts of each folder of emotion/, in the order of their names."""
    folders = sorted({folder_of(name) for name in files})
    return {folder: add_up(counts for name, counts in files.items() if folder_of(name) == folder) for folder in folders}


def folder_of(name: str) -> str:
    """Return the folder of emotion/ that holds a file: `emotion/app` for `emotion/app/serve/api.py`."""
    return "/".join(PurePosixPath(name).parent.parts[:2])


def add_up(counts: Iterable[Counts]) -> Counts:
    """Return the sums of the counts that the table shows."""
    total: Counter[str] = Counter()
    for count in counts:
        total.update({key: count[key] for keys in COLUMNS.values() for key in keys})
    return total


def render(rows: Mapping[str, Counts]) -> list[str]:
    """Return the lines of the table, one for each row."""
    width = max(map(len, rows))
    cells = {name: "".join(f"{share_text(counts, column):>24}" for column in COLUMNS) for name, counts in rows.items()}
    head = f"{'folder':{width}}" + "".join(f"{column:>24}" for column in COLUMNS)
    return [head, *(f"{name:{width}}{cells[name]}" for name in rows)]


def share_text(counts: Counts, column: str) -> str:
    """Return covered and all lines or branches, with their share: `1271 of 1412 90.0 %`."""
    covered, all_ = (counts[key] for key in COLUMNS[column])
    return f"{covered} of {all_} {percent(covered / all_ if all_ else None):>7}"


def check_branches(total: Counts) -> None:
    """Raise an InputError where fewer branches are covered than FEWEST_BRANCHES."""
    covered, all_ = (total[key] for key in COLUMNS["branches"])
    if covered < FEWEST_BRANCHES * all_:
        raise InputError(
            f"the tests cover {covered} of {all_} branches ({percent(covered / all_)}), and at least "
            f"{percent(FEWEST_BRANCHES)} are wanted; add tests of the lines listed above"
        )


if __name__ == "__main__":
    run_command(main)
