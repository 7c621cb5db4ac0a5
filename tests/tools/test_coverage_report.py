"""`make coverage` fails by the branches alone, and shows the folders where they lack tests."""

import json

import pytest

from emotion.core.errors import InputError
from tools import coverage_report
from tools.coverage_report import add_up, check_branches, group_by_folder, read_files, render


def counts(lines, branches, of=10):
    return {"covered_lines": lines, "num_statements": of, "covered_branches": branches, "num_branches": of}


FILES = {
    "emotion/__init__.py": counts(10, 10),
    "emotion/app/cli.py": counts(10, 4),
    "emotion/app/serve/api.py": counts(9, 5),
    "emotion/core/paths.py": counts(3, 0, of=3) | {"num_branches": 0},
}


def test_folders_have_the_sums_of_their_files():
    folders = group_by_folder(FILES)
    assert list(folders) == ["emotion", "emotion/app", "emotion/core"]
    assert folders["emotion/app"] == counts(19, 9, of=20)
    assert add_up(folders.values()) == add_up(FILES.values())


def test_the_table_has_a_row_for_each_folder_even_without_branches():
    rows = {line.split()[0]: line.split()[1:] for line in render(group_by_folder(FILES))[1:]}
    assert rows["emotion/app"] == ["19", "of", "20", "95.0", "%", "9", "of", "20", "45.0", "%"]
    assert rows["emotion/core"][-1] == "–"


def test_too_few_branches_fail_though_all_lines_are_covered():
    check_branches(counts(0, 9))
    with pytest.raises(InputError, match=r"89 of 100.*90\.0 %"):
        check_branches(counts(100, 89, of=100))


def test_the_report_of_coverage_is_read_and_its_absence_said(tmp_path, monkeypatch, capsys):
    path = tmp_path / "coverage.json"
    with pytest.raises(InputError, match=r"coverage\.json.*make coverage"):
        read_files(path)
    path.write_text(json.dumps({"files": {name: {"summary": summary} for name, summary in FILES.items()}}))
    assert read_files(path) == FILES
    monkeypatch.setattr(coverage_report, "REPORT", path)
    with pytest.raises(InputError, match="19 of 30"):
        coverage_report.main()
    assert "emotion/app" in capsys.readouterr().out
