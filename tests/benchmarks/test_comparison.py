"""The comparison of systems: its table in docs/figures.md is what its runs left, and it understands DVC's queue."""

import json

import pytest

from benchmarks import comparison, comparison_report
from benchmarks.comparison_report import FOLDER, MARKS, PLOT, SYSTEMS, Row, plot_accuracy, read_rows, render_table
from emotion.app.preset.presets import list_presets
from emotion.core.errors import InputError
from emotion.core.params import read_yaml
from tests.pages import ROOT, read_documents
from tests.records import read_record

FILES = ("evaluate", "train")
BEFORE = {"train.teacher_inputs": "augmented"}
"""What there was before a param came, where that is not null."""
STATUS = """Task     Name                        Created    Status
788de62  compare-happy-sad-rgb       01:16 PM   Running
7afb64b  compare-five-webcam         01:16 PM   Failed
1458e62  compare-vgg-bn              Nov 02, 2026   Queued
e7f4bd0  other                       01:16 PM   Failed
02f04cd  compare-five-webcam         01:14 PM   Success

Worker status: 2 active, 0 idle
"""


@pytest.fixture(autouse=True)
def project(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_the_table_is_that_of_the_figures():
    text = comparison_report.PAGE.read_text(encoding="utf-8")
    assert MARKS[0] + render_table(read_rows()) + MARKS[1] in text
    assert PLOT.as_posix() in text


def test_every_system_is_a_preset_and_has_its_figures():
    assert set(SYSTEMS) <= set(list_presets())
    assert set(comparison.CUTS) == set(SYSTEMS)
    assert [row.name for row in read_rows()][: len(SYSTEMS)] == [f"`{name}`" for name in SYSTEMS]


@pytest.mark.parametrize("name", [name for name in SYSTEMS if name != "fer2013"])  # that one has changed since
def test_a_run_was_of_the_preset_but_for_what_was_cut_short(name):
    cut = {change.partition("=")[0] for change in comparison.CUTS[name]} | {"train.precision", "compute.threads"}
    check_params(FOLDER / name, name, cut)
    assert not read_yaml(FOLDER / name / "params.yaml")["split"]["keep_copies"]


def check_params(folder, name, cut=()):
    """Hold a run's params against its preset's but for those in `cut`; one that came after the run is as in BEFORE."""
    ran = read_yaml(folder / "params.yaml")
    for section, values in read_yaml(ROOT / f"presets/{name}.yaml").items():
        for key, value in values.items():
            if f"{section}.{key}" not in cut:
                assert ran[section].get(key, BEFORE.get(f"{section}.{key}")) == value, f"{section}.{key}"


@pytest.mark.parametrize("name", [name for name in SYSTEMS if name != "fer2013"])
def test_a_preset_states_what_its_run_gave(name):
    scores = {file: json.loads((FOLDER / name / f"{file}.json").read_text(encoding="utf-8")) for file in FILES}
    evaluation, epochs = scores["evaluate"], scores["train"]["epochs"]
    header = (ROOT / f"presets/{name}.yaml").read_text(encoding="utf-8").partition("source:")[0]
    test, validation = (100 * evaluation[split]["accuracy"] for split in ("test", "validation"))
    macro_f1 = evaluation["test"]["macro_f1"]
    assert f"{test:.1f} % on PrivateTest, {validation:.1f} % on PublicTest, macro F1 {macro_f1:.3f}." in header
    planned = read_yaml(ROOT / f"presets/{name}.yaml")["train"]["epochs"]
    assert (f"cut short at {epochs} of {planned} epochs" in header) == (epochs < planned)


def test_what_ferplus_gave_is_stated():
    folder = ROOT / "results/ferplus"
    evaluation, time = (read_record(folder / f"{file}.json") for file in ("evaluate", "time"))
    test, minutes = evaluation["test"], f"n {time['seconds'] / 60:.0f} minutes"
    accuracy, low, high = (f"{100 * test[f'accuracy{end}']:.1f}" for end in ("", "_low", "_high"))
    validation, macro_f1 = f"{100 * evaluation['validation']['accuracy']:.1f}", f"macro F1 {test['macro_f1']:.3f}"
    text = " ".join(read_documents().split())
    assert f"I{minutes} on two cores the preset gave {accuracy} % ({low} to {high}) on the 3,546 images" in text
    assert f"{macro_f1}, and {validation} % on PublicTest ([figures](../results/ferplus))" in text
    raw, fitted = (f"{test[f'{prefix}expected_calibration_error']:.3f}" for prefix in ("", "calibrated_"))
    assert f"(calibration error {raw}); the temperature that travels with the model mends that ({fitted})" in text
    header = (ROOT / "presets/ferplus.yaml").read_text(encoding="utf-8").partition("source:")[0]
    header = " ".join(header.replace("#", "").split())
    scores = f"{accuracy} % on PrivateTest, {validation} % on PublicTest, {macro_f1}"
    assert f"i{minutes}, interrupted once: {scores}, by FER+'s own labels" in header
    assert test["images"] == 3_546
    check_params(folder, "ferplus")


def test_states_are_read_from_the_queue_and_the_newest_counts(monkeypatch):
    monkeypatch.setattr(comparison, "_dvc", lambda *arguments: STATUS)
    assert comparison.read_states() == {"happy-sad-rgb": "Running", "five-webcam": "Failed", "vgg-bn": "Queued"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "resnet"], "--only: got resnet, expected some of happy-sad-rgb"),
        (["--fer2013", "/somewhere/fer2013.tar.gz"], "--fer2013: got /somewhere/fer2013.tar.gz, expected FER2013 as"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_queued(arguments, said):
    with pytest.raises(InputError, match=said):
        comparison.check_options(comparison._parser().parse_args(arguments))


def test_a_page_without_its_marks_is_refused(tmp_path, monkeypatch):
    page = tmp_path / "figures.md"
    page.write_text("# A page\n", encoding="utf-8")
    monkeypatch.setattr(comparison_report, "PAGE", page)
    with pytest.raises(InputError, match="lacks the lines <!-- comparison -->"):
        comparison_report.write_report()


def test_the_plot_has_a_panel_for_each_number_of_classes():
    row = Row("`one`", 2, 100, 0.6, 0.7, 0.65, 0.75, 0.7, 1, 1, "", "", 0.1, (0.9, 1.0))
    figure = plot_accuracy([row, row._replace(classes=7, stated=None), row._replace(classes=7)])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["2 classes", "7 classes"]
    assert len(figure.axes[1].get_yticks()) == 2
