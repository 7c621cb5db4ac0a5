"""`emotion metrics` shows every figure on disk, and how figures change between revisions."""

import hashlib
import json
import re

import pytest

from emotion.app import cli
from emotion.app.metrics.command import SECTION_NAMES
from emotion.app.metrics.revisions import STAGES, resolve
from emotion.app.metrics.sections import SECTIONS
from emotion.core.errors import InputError
from emotion.core.paths import (
    DATASET_METRICS,
    EVALUATION_METRICS,
    EXPORT_METRICS,
    EXPORT_TIME,
    MODEL,
    TRAINING_METRICS,
)
from tests.app.metrics.repository import CONTENTS, TWO_EMOTIONS, commit, edit, git, make_repository, write
from tests.pages import ROOT

pytestmark = pytest.mark.medium


@pytest.fixture
def repository(tmp_path, monkeypatch):
    make_repository(tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture
def show(monkeypatch, capsys):
    """Run `emotion metrics` and return its output."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["emotion", "metrics", *arguments])
        cli.main()
        return capsys.readouterr().out

    return run


def fails(show, *arguments):
    with pytest.raises(SystemExit) as end:
        show(*arguments)
    message = str(end.value.code)
    assert message.startswith("error: ")
    return message


def cells(output):
    """Return the lines of tables as lists of cells."""
    return [re.split(r"\s{2,}", line.strip()) for line in output.splitlines()]


def test_the_help_names_every_section():
    assert tuple(SECTIONS) == SECTION_NAMES


def test_every_section_is_shown(repository, show):
    rows = cells(show())
    assert ["accuracy", "94.0 % (91.0 to 97.0)", "93.0 %", "92.0 %"] in rows
    assert ["happy", "0.950", "200"] in rows
    assert ["onnx", "1,234,567", "90.0 %", "50.0 %"] in rows
    assert ["train accuracy", "92.5 %"] in rows
    assert ["happy", "588", "73"] in rows
    assert ["source images", "3,000"] in rows


def test_figures_of_no_split_stand_with_the_validation_split(repository, show):
    rows = cells(show("--only", "overall"))
    assert ["figure", "test", "without copies", "validation"] in rows
    assert ["temperature", "-", "-", "0.500"] in rows


def test_the_thresholds_of_two_emotions_have_a_table(repository, show):
    assert "Threshold" not in show("--only", "overall")
    write(EVALUATION_METRICS, TWO_EMOTIONS)
    rows = cells(show("--only", "overall"))
    assert ["figure", "test", "without copies", "validation"] in rows
    assert ["used", "0.500"] in rows
    assert ["validation choice", "0.310"] in rows
    assert ["at validation choice test accuracy", "92.5 %"] in rows
    assert json.loads(show("--json"))["overall"]["threshold"] == TWO_EMOTIONS["threshold"]
    assert "| used | 0.500 |" in show("--md").splitlines()


def test_groups_have_tables_and_are_compared(repository, show):
    female = {"images": 70, "accuracy": 0.9, "accuracy_low": 0.8, "accuracy_high": 0.95}
    recall = {"happy": {"images": 40, "recall": 0.925, "recall_low": 0.9, "recall_high": 0.95}, "sad": {"images": 3}}
    gap = {"higher": "female", "lower": "male", "accuracy_difference": 0.15, "accuracy_difference_by_chance": 0.125}
    values = {"female": female | {"recall": recall}, "male": female | {"accuracy": 0.75}, "(empty)": {"images": 3}}
    groups = {
        "sex": {"values": values, "largest_gap": gap},
        "age": {"values": {"1": {"images": 9}}, "largest_gap": None},
    }
    assert "by group" not in show()
    write(EVALUATION_METRICS, CONTENTS[EVALUATION_METRICS] | {"groups": groups})
    rows = cells(show())
    assert ["sex: female", "70", "90.0 % (80.0 to 95.0)"] in rows
    assert ["sex: (empty)", "3", "-"] in rows
    assert ["sex: female", "0.925 (0.900 to 0.950)"] in rows
    assert ["sex", "female", "male", "0.150", "0.125"] in rows
    assert "groups" not in show("--only", "overall")
    commit()
    edit(EVALUATION_METRICS, "groups", "sex", "largest_gap", "accuracy_difference", value=0.1)
    assert ["sex", "difference", "0.1500", "0.1000", "-0.0500"] in cells(show("HEAD", "--only", "by-group"))


def test_thresholds_are_compared(repository, show):
    write(EVALUATION_METRICS, TWO_EMOTIONS)
    commit()
    edit(EVALUATION_METRICS, "threshold", "at_validation_choice", "test", "accuracy", value=0.935)
    changed = ["at validation choice test accuracy", "92.50 %", "93.50 %", "+1.00 points"]
    assert changed in cells(show("HEAD"))
    assert f"| {' | '.join(changed)} |" in show("HEAD", "--md").splitlines()
    assert json.loads(show("HEAD", "--json"))["overall"] == {
        "threshold.at_validation_choice.test.accuracy": {"old": 0.925, "new": 0.935, "diff": 0.01}
    }


def test_two_emotions_are_compared_with_more_in_both_directions(repository, show):
    git("tag", "seven")
    write(EVALUATION_METRICS, TWO_EMOTIONS)
    commit()
    git("tag", "two")
    assert ["used", "-", "0.5000", "-"] in cells(show("seven", "two"))
    assert ["used", "0.5000", "-", "-"] in cells(show("two", "seven"))
    assert "| used | 0.5000 | - | - |" in show("two", "seven", "--md").splitlines()
    for revisions, values in ((("seven", "two"), (None, 0.5)), (("two", "seven"), (0.5, None))):
        change = json.loads(show(*revisions, "--json"))["overall"]["threshold.used"]
        assert change == {"old": values[0], "new": values[1], "diff": None}


def test_figures_with_the_temperature_have_a_table_under_the_same_names(repository, show):
    names = ("calibrated_expected_calibration_error", "expected_calibration_error")
    for name, value in zip(names, (0.03, 0.1), strict=True):
        edit(EVALUATION_METRICS, "test", name, value=value)
    plain, scaled, *_ = show("--only", "overall").split("\n\n")
    assert ["calibration error", "0.100", "-", "-"] in cells(plain)
    assert "temperature" in scaled.splitlines()[0]
    assert ["calibration error", "0.030"] in cells(scaled)


def test_the_loss_of_the_training_and_the_log_loss_have_different_names(repository, show):
    assert ["train objective", "0.650"] in cells(show("--only", "training"))
    assert not any("loss" in row[0] for row in cells(show("--only", "training"))[:-2])


def test_a_figure_without_a_value_is_a_dash_with_a_note(repository, show):
    output = show("--only", "by-class")
    assert ["sad", "-", "100"] in cells(output)
    assert output.splitlines()[-1].startswith("-: ")
    edit(EVALUATION_METRICS, "by_class", "sad", "recall", value=0.5)
    assert "-: " not in show("--only", "by-class")
    assert re.search(r"^-: .*revision", show("HEAD", "--only", "by-class"), re.MULTILINE)


@pytest.mark.parametrize("arguments", [[], ["main"], ["main", "--all"]])
def test_a_table_of_the_committed_figures_fits_a_terminal(repository, show, arguments):
    for path in STAGES:
        (repository / path).write_bytes((ROOT / path).read_bytes())
    output = show(*arguments)
    assert max(map(len, output.splitlines())) <= 80
    assert "\x1b" not in output


def test_sections_are_chosen_by_name(repository, show):
    rows = cells(show("--only", "dataset", "--only", "export"))
    assert ["onnx", "1,234,567", "90.0 %", "50.0 %"] in rows
    assert ["source images", "3,000"] in rows
    assert not any(row[0] == "temperature" for row in rows)


def test_times_are_shown_where_they_belong_to_the_model(repository, show):
    MODEL.parent.mkdir()
    MODEL.write_bytes(b"model")
    times = {"md5": hashlib.md5(b"model").hexdigest(), "milliseconds_a_face": {"keras": 1.5, "onnx": 0.25}}
    write(EXPORT_TIME, times)
    assert ["onnx", "1,234,567", "90.0 %", "50.0 %", "0.250"] in cells(show("--only", "export"))
    MODEL.write_bytes(b"another model")
    assert ["onnx", "1,234,567", "90.0 %", "50.0 %"] in cells(show("--only", "export"))


def test_changes_have_a_sign_and_their_unit(repository, show):
    edit(EVALUATION_METRICS, "test", "accuracy", value=0.9433)
    edit(EVALUATION_METRICS, "test", "log_loss", value=0.2)
    edit(EXPORT_METRICS, "onnx", "bytes", value=1234000)
    output = show("HEAD")
    rows = cells(output)
    assert ["figure", "split", "HEAD", "workspace", "change"] in rows
    assert ["accuracy", "test", "94.00 %", "94.33 %", "+0.33 points"] in rows
    assert ["log loss", "test", "0.2500", "0.2000", "-0.0500"] in rows
    assert ["onnx", "bytes", "1,234,567", "1,234,000", "-567"] in rows
    assert not any("recall" in row for row in rows)
    assert ["happy", "recall", "0.9500", "0.9500", "+0.0000"] in cells(show("HEAD", "--all"))


def test_figures_of_one_revision_only_are_dashes_in_the_other(repository, show):
    edit(EVALUATION_METRICS, "test", "roc_auc", value=0.99)
    edit(EVALUATION_METRICS, "by_class", value={"happy": {"recall": 0.95, "support": 200}})
    TRAINING_METRICS.unlink()
    rows = cells(show("HEAD"))
    assert ["ROC AUC", "test", "-", "0.9900", "-"] in rows
    assert ["sad", "images", "100", "-", "-"] in rows
    assert ["best epoch", "17", "-", "-"] in rows


def test_texts_are_compared(repository, show):
    edit(TRAINING_METRICS, "precision", value="bfloat16")
    assert ["precision", "float32", "bfloat16", "-"] in cells(show("HEAD"))


def test_two_revisions_are_compared_without_the_workspace(repository, show):
    git("tag", "first")
    edit(EVALUATION_METRICS, "test", "accuracy", value=0.5)
    commit()
    EVALUATION_METRICS.unlink()
    rows = cells(show("first", "main"))
    assert ["accuracy", "test", "94.00 %", "50.00 %", "-44.00 points"] in rows


def test_files_of_a_project_in_a_subfolder_are_found(repository, show, monkeypatch):
    inner = repository / "inner"
    inner.mkdir()
    (repository / "metrics").rename(inner / "metrics")
    commit()
    monkeypatch.chdir(inner)
    edit(EVALUATION_METRICS, "test", "accuracy", value=0.5)
    assert ["accuracy", "test", "94.00 %", "50.00 %", "-44.00 points"] in cells(show("HEAD"))


def test_words_of_earlier_versions_are_read(repository, show):
    content = CONTENTS[DATASET_METRICS]
    write(DATASET_METRICS, {"source_pictures": 3000, "pictures": content["images"], "sha256": content["sha256"]})
    commit()
    write(DATASET_METRICS, content)
    assert {row[-1] for row in cells(show("HEAD", "--all", "--only", "dataset")) if "happy" in row} == {"+0"}
    assert json.loads(show("HEAD", "--json")) == {name: {} for name in SECTIONS}


def test_an_experiment_is_found_by_its_name(repository, show):
    base = git("rev-parse", "HEAD")
    edit(EVALUATION_METRICS, "test", "accuracy", value=0.5)
    git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/lousy-noil", commit())
    git("reset", "--quiet", "--hard", base)
    assert ["accuracy", "test", "50.00 %", "94.00 %", "+44.00 points"] in cells(show("lousy-noil"))


def test_of_two_experiments_with_a_name_that_of_head_counts(repository):
    first = git("rev-parse", "HEAD")
    second = commit("second")
    for base in (first, second):
        git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/twice", base)
    assert resolve("twice") == second
    commit("third")
    with pytest.raises(InputError, match=rf"twice.*refs/exps/{first[:2]}") as error:
        resolve("twice")
    assert f"refs/exps/{second[:2]}" in str(error.value)


def test_a_wrong_name_lists_what_exists(repository, show):
    base = git("rev-parse", "HEAD")
    git("tag", "fer2013@v1.0.0")
    git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/lousy-noil", base)
    git("update-ref", "refs/exps/exec/EXEC_HEAD", base)
    message = fails(show, "lousy-nail")
    assert re.search(r"'lousy-nail'.*lousy-noil\?.*workspace, main, fer2013@v1\.0\.0, lousy-noil,", message)
    assert "EXEC_HEAD" not in message


@pytest.mark.parametrize("name", ["^HEAD", "^main", "HEAD^@", "--all", ""])
def test_what_names_no_commit_is_a_wrong_name(repository, name):
    with pytest.raises(InputError, match=rf"{re.escape(repr(name))}.*workspace, main"):
        resolve(name)


def test_a_commit_to_leave_out_is_refused(repository, show):
    assert re.search(r"'\^HEAD'.*workspace, main", fails(show, "^HEAD"))


def test_without_a_repository_git_says_why(here, show):
    for path, content in CONTENTS.items():
        write(path, content)
    assert ["happy", "0.950", "200"] in cells(show())
    assert "not a git repository" in fails(show, "HEAD")


def test_without_results_the_message_says_what_to_run(here, show):
    message = fails(show)
    assert EVALUATION_METRICS.as_posix() in message
    assert "dvc repro" in message


@pytest.mark.parametrize("arguments", [[], ["HEAD"], ["HEAD", "main"]])
def test_in_a_subfolder_the_message_names_the_root_folder(repository, show, monkeypatch, arguments):
    (repository / "docs").mkdir()
    monkeypatch.chdir(repository / "docs")
    assert "root folder" in fails(show, *arguments)


def test_a_revision_without_results_is_named(repository, show):
    git("rm", "--quiet", "-r", "metrics")
    commit()
    assert re.search(r"HEAD.*metrics/evaluate\.json.*committed", fails(show, "main", "HEAD"))


def test_a_missing_file_is_named_with_the_stage_that_writes_it(repository, monkeypatch, capsys):
    EXPORT_METRICS.unlink()
    monkeypatch.setattr("sys.argv", ["emotion", "metrics"])
    cli.main()
    printed = capsys.readouterr()
    assert "Training" in printed.out
    assert re.search(r"metrics/export\.json.*dvc repro export`$", printed.err.strip())


def test_a_section_without_its_file_is_an_error(repository, show):
    EXPORT_METRICS.unlink()
    assert re.search(r"metrics/export\.json.*dvc repro export", fails(show, "--only", "export"))


def test_a_broken_file_of_a_revision_is_named(repository, show):
    EVALUATION_METRICS.write_text("{", encoding="utf-8")
    commit()
    assert re.search(r"HEAD:metrics/evaluate\.json", fails(show, "HEAD", "HEAD"))


@pytest.mark.parametrize("content", [[], "x", 3, None], ids=repr)
def test_a_file_without_an_object_is_named(repository, show, content):
    write(EVALUATION_METRICS, content)
    assert re.search(rf"^error: metrics/evaluate\.json.*{re.escape(json.dumps(content))}.*dvc repro", fails(show))
    commit()
    EVALUATION_METRICS.unlink()
    message = fails(show, "HEAD", "HEAD")
    assert re.search(rf"HEAD:metrics/evaluate\.json.*{re.escape(json.dumps(content))}.*name a revision", message)


@pytest.mark.parametrize(
    "path, content, row",
    [
        (EVALUATION_METRICS, {"by_class": []}, ["by class", "[]"]),
        (EVALUATION_METRICS, {"by_class": {"happy": 3}}, ["happy", "3"]),
        (EVALUATION_METRICS, {"test": {"accuracy": [1, 2]}}, ["accuracy", "[1, 2]"]),
        (EVALUATION_METRICS, {"test": {"accuracy": True}}, ["accuracy", "true"]),
        (EVALUATION_METRICS, {"test": {"accuracy": {"a": 1}}}, ["accuracy", '{"a": 1}']),
        (EVALUATION_METRICS, {"test": {}, "threshold": [1]}, ["threshold", "[1]"]),
        (EXPORT_METRICS, {"keras": 3}, ["keras", "3"]),
        (TRAINING_METRICS, {"train": [1]}, ["train", "[1]"]),
        (DATASET_METRICS, {"images": [1]}, ["images", "[1]"]),
        (DATASET_METRICS, {"images": {"train": {"happy": []}}}, ["happy", "[]"]),
    ],
)
def test_a_value_of_the_wrong_kind_is_shown_as_text(repository, show, path, content, row):
    write(path, content)
    assert row in cells(show())
    assert row[-1].strip() in show("HEAD", "--all")
    assert f"| {row[0]} | {row[1]} |".replace("[", r"\[").replace("]", r"\]") in show("--md").splitlines()
    assert json.loads(show("HEAD", "--json"))
    edited = commit()
    assert cells(show("main~1", edited))


def test_an_interval_without_two_numbers_is_left_out(repository, show):
    edit(EVALUATION_METRICS, "test", "accuracy_low", value=[])
    assert ["accuracy", "94.0 %", "93.0 %", "92.0 %"] in cells(show("--only", "overall"))


@pytest.mark.parametrize("times", [None, [], {"onnx": [1]}])
def test_broken_times_are_no_traceback(repository, show, times):
    MODEL.parent.mkdir()
    MODEL.write_bytes(b"model")
    write(EXPORT_TIME, {"md5": hashlib.md5(b"model").hexdigest(), "milliseconds_a_face": times})
    write(EXPORT_METRICS, {"keras": 3, **CONTENTS[EXPORT_METRICS]})
    assert "1,234,567" in show("--only", "export")


def test_json_has_the_figures_as_the_files_have_them(repository, show):
    shown = json.loads(show("--json"))
    assert list(shown) == list(SECTIONS)
    assert shown["overall"]["test"] == CONTENTS[EVALUATION_METRICS]["test"]
    assert shown["by-class"] == CONTENTS[EVALUATION_METRICS]["by_class"]


def test_json_of_changes_has_old_new_and_difference(repository, show):
    edit(EVALUATION_METRICS, "test", "accuracy", value=0.91)
    edit(TRAINING_METRICS, "precision", value="bfloat16")
    shown = json.loads(show("HEAD", "--json"))
    assert shown["overall"] == {"test.accuracy": {"old": 0.94, "new": 0.91, "diff": -0.03}}
    assert shown["training"] == {"precision": {"old": "float32", "new": "bfloat16", "diff": None}}
    assert shown["by-class"] == {}


def test_markdown_has_the_same_cells(repository, show):
    edit(EVALUATION_METRICS, "test", "accuracy", value=0.91)
    lines = show("HEAD", "--md", "--only", "overall").splitlines()
    assert "| figure | split | HEAD | workspace | change |" in lines
    assert "| --- | --- | ---: | ---: | ---: |" in lines
    assert "| accuracy | test | 94.00 % | 91.00 % | -3.00 points |" in lines


def test_long_names_of_revisions_keep_the_table_narrow(repository, show):
    edit(EVALUATION_METRICS, "test", "accuracy", value=0.91)
    output = show(git("rev-parse", "HEAD"))
    assert max(map(len, output.splitlines())) <= 80
