"""The table of releases and peers: its rows, its marks, its plots, and that README.md has it as it is."""

import csv
import json
import shutil
import sys
from functools import partial
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import released, released_plots
from benchmarks.documents import fill_between
from benchmarks.released_plots import LATENCY_PLOT, TRAINING_PLOT, plot_latency, plot_training_time
from benchmarks.released_report import (
    HEADER,
    MARKS,
    PACKAGE,
    PEERS,
    README,
    RUNS,
    TIMES,
    System,
    find_releases,
    read_package,
    read_peers,
    read_systems,
    render_table,
)
from emotion.app.release.results import RELEASED
from emotion.core.errors import InputError
from emotion.core.files import write_json

ROOT = Path(__file__).parents[2]
TIME = {"seconds": 3180, "processor": "AMD EPYC", "threads": 2, "accelerator": None, "backend": "tensorflow"}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with the figures of `fer`, the peers, three releases, and a README.md for the table."""
    monkeypatch.chdir(tmp_path)
    for path in (PACKAGE, PEERS):
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, path)
    make_release("fer2013", 0.70131, TIME)
    make_release("fer2013-quick", 0.67214, TIME | {"seconds": 840}, flip=False)
    make_release("fer2013-nano", 0.66043, None)
    milliseconds = {"fer2013": 0.99, "fer2013-quick": 0.5, "fer2013-nano": 0.1, "fer": 0.24}
    write_json(TIMES, {"machine": "AMD EPYC", "milliseconds_a_face": milliseconds})
    README.write_text(f"# Here\n\n{MARKS[0]}old\n{MARKS[1]}\nEnd\n", encoding="utf-8")
    return tmp_path


def make_release(
    name: str, accuracy: float, time: dict | None, *, flip: bool = True, **train: str | list[str] | None
) -> Path:
    """Write what a release has beside its model: the figures are those of `fer` but for the accuracy."""
    folder = RELEASED / name
    package = json.loads((ROOT / PACKAGE).read_text(encoding="utf-8"))
    package["test"] |= {"accuracy": accuracy, "accuracy_low": accuracy - 0.015, "accuracy_high": accuracy + 0.015}
    write_json(folder / "evaluate.json", package)
    write_json(folder / "train.json", {"parameters": 1_514_815, "multiply_adds": 104_032_128})
    if time:
        write_json(folder / "time.json", time)
    params = {"evaluate": {"flip": flip}, "train": {"teacher": None} | train}
    (folder / "params.yaml").write_text(json.dumps(params), encoding="utf-8")
    (folder / "README.md").write_text(f"# {name}\n", encoding="utf-8")
    return folder


def rows() -> list[list[str]]:
    """Return the cells of the table between README.md's marks, without its header."""
    table = README.read_text(encoding="utf-8").partition(MARKS[0])[2].partition(MARKS[1])[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_the_table_in_the_readme_is_that_of_the_figures(monkeypatch):
    monkeypatch.chdir(ROOT)
    if not (RELEASED / "metrics.json").is_file():
        pytest.skip("nothing was released with a card")
    table = render_table(read_systems(), read_package(), read_peers())
    assert fill_between(README, MARKS, table) == README.read_text(encoding="utf-8")


def test_every_release_has_a_row_the_most_accurate_first(project):
    released.compare(table_only=True)
    text = README.read_text(encoding="utf-8")
    assert text.startswith("# Here\n\n<!-- released -->\n| model | PrivateTest accuracy (95 %) | ")
    assert text.endswith("<!-- /released -->\n\nEnd\n")
    assert rows()[:3] == [
        [
            "[`fer2013`](models/released/fer2013)",
            "70.1 % (68.6 to 71.6)",
            "64.3 %",
            "0.639",
            "0.057, 0.022",
            "1,514,815",
            "104.0",
            "53 min on 2 threads of AMD EPYC",
            "2 × 0.99",
        ],
        [
            "[`fer2013-quick`](models/released/fer2013-quick)",
            "67.2 % (65.7 to 68.7)",
            *rows()[0][2:7],
            "14 min on 2 threads of AMD EPYC",
            "0.50",
        ],
        ["[`fer2013-nano`](models/released/fer2013-nano)", "66.0 % (64.5 to 67.5)", *rows()[0][2:7], "", "2 × 0.10"],
    ]
    assert all(len(row) == len(HEADER) for row in rows())


def test_peers_are_marked_as_measured_or_stated(project):
    released.compare(table_only=True)
    package, *others = rows()[3:]
    figures = ["65.8 % (64.3 to 67.4), measured", "64.3 %", "0.639", "0.057, 0.022", "58,423", "10.2", "", "0.24"]
    assert package == ["package `fer` 25.10.3", *figures]
    assert [row[0].partition(" (")[0] for row in others] == [peer.system for peer in read_peers()]
    assert all(row[1].endswith(" %, stated") for row in others)
    assert ["people (Goodfellow et al. 2013)", "65 ± 5 %, stated"] in [row[:2] for row in others]
    assert "picks the epoch on PrivateTest" in next(row[0] for row in others if row[0].startswith("LetheSec"))


def test_the_facts_of_peers_are_marked():
    with (ROOT / PEERS).open(encoding="utf-8", newline="") as lines:
        peers = list(csv.DictReader(lines))
    assert {peer["kind"] for peer in peers} <= {"stated", "measured"}
    assert all(peer["system"] and peer["accuracy"] and None not in peer for peer in peers)


@pytest.mark.parametrize("text", ["# A page\n", MARKS[0], MARKS[1] + MARKS[0]])
def test_a_readme_without_its_marks_is_refused(project, text):
    README.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="lacks the lines <!-- released --> and <!-- /released -->"):
        released.compare(table_only=True)
    assert README.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "change, text",
    [
        ({}, "53 min on 2 threads of AMD EPYC"),
        ({"threads": 1}, "53 min on 1 thread of AMD EPYC"),
        ({"backend": "jax"}, "53 min on 2 threads of AMD EPYC, jax"),
        ({"backend": "jax", "accelerator": "NVIDIA H200"}, "53 min on NVIDIA H200, jax"),
    ],
)
def test_the_table_says_what_training_took(project, change, text):
    make_release("fer2013", 0.70131, TIME | change)
    released.compare(table_only=True)
    assert rows()[0][-2] == text


def test_a_run_that_was_not_released_has_a_row_and_no_milliseconds(project):
    shutil.move(RELEASED / "fer2013-quick", RUNS / "fer2013-quick")
    released.compare(table_only=True)
    assert rows()[1][0] == "[`fer2013-quick`](presets/fer2013-quick.yaml), not released"
    assert rows()[1][-2:] == ["14 min on 2 threads of AMD EPYC", ""]
    assert TRAINING_PLOT.is_file()
    assert LATENCY_PLOT.is_file()


def test_the_time_of_a_teacher_is_not_hidden(project):
    make_release("fer2013-nano", 0.66043, TIME, teacher="large.keras")
    released.compare(table_only=True)
    assert rows()[2][-2] == "53 min plus its teacher's on 2 threads of AMD EPYC"
    make_release("fer2013-nano", 0.66043, TIME, teacher=["a.keras", "b.keras"], init_from="a.keras")
    released.compare(table_only=True)
    assert rows()[2][-2] == "53 min plus that of its start and its teachers' on 2 threads of AMD EPYC"


def test_a_release_that_was_not_timed_is_refused(project):
    make_release("fer2013-large", 0.71, TIME)
    with pytest.raises(InputError, match=r"released\.json lacks fer2013-large; run `python -m benchmarks\.released`"):
        released.compare(table_only=True)


def test_without_times_the_command_says_how_to_get_them(project):
    TIMES.unlink()
    with pytest.raises(InputError, match=r"released\.json is missing; run `python -m benchmarks\.released` without"):
        released.compare(table_only=True)


def test_folders_without_card_or_figures_have_no_row(project):
    (make_release("old", 0.7, None) / "README.md").unlink()
    (make_release("unscored", 0.7, None) / "evaluate.json").unlink()
    assert [folder.name for folder in find_releases()] == ["fer2013", "fer2013-nano", "fer2013-quick"]


def test_what_was_scored_on_other_images_has_no_row(project, capsys):
    path = make_release("ferplus", 0.75, TIME) / "evaluate.json"
    evaluation = json.loads(path.read_text(encoding="utf-8"))
    evaluation["by_class"]["contempt"] = evaluation["by_class"]["disgust"]
    write_json(path, evaluation)
    released.compare(table_only=True)
    assert "left out: ferplus, scored on other images" in capsys.readouterr().out
    assert not any("ferplus" in row[0] for row in rows())


def test_a_project_without_releases_is_refused(project):
    shutil.rmtree(RELEASED)
    with pytest.raises(InputError, match=r"holds no release .* `emotion release NAME`"):
        released.compare(table_only=True)


def test_models_that_were_not_pulled_are_named(project):
    (RELEASED / "fer2013/model_int8.tflite").touch()
    missing = "models/released/fer2013-nano/model_int8.tflite models/released/fer2013-quick/model_int8.tflite"
    with pytest.raises(InputError, match=f"`dvc pull {missing}`"):
        released.measure(find_releases())


def test_releases_and_fer_are_timed_in_one_sitting(project, monkeypatch):
    for folder in find_releases():
        (folder / "model_int8.tflite").write_text(folder.name, encoding="utf-8")
    expected = {"fer2013": 1.0, "fer2013-nano": 0.1, "fer2013-quick": 0.5, "fer": 0.2}
    times: dict[bytes, float] = {name.encode(): time for name, time in expected.items()}
    times[b"its own file"] = times.pop(b"fer")
    stand_in(
        monkeypatch,
        "emotion.model_files.keras_setup",
        processor=lambda: "a processor",
        set_up=lambda threads, seed: None,
    )
    stand_in(monkeypatch, "benchmarks.latency", milliseconds_a_face=times.__getitem__)
    stand_in(
        monkeypatch,
        "benchmarks.fer_package",
        TFLITE=Path("network.tflite"),
        install=lambda folder: (folder / "network.tflite").write_bytes(b"its own file"),
    )
    monkeypatch.setattr(sys, "argv", ["released"])
    released.main()
    written = json.loads(TIMES.read_text(encoding="utf-8"))
    assert written == {"machine": "a processor", "milliseconds_a_face": expected}
    assert rows()[0][-1] == "2 × 1.00"


def stand_in(monkeypatch, name: str, **members) -> None:
    """Let `from NAME import …` give `members`, with no TensorFlow behind them."""
    monkeypatch.setitem(sys.modules, name, SimpleNamespace(**members))


def test_both_plots_are_written(project):
    released.compare(table_only=True)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in (TRAINING_PLOT, LATENCY_PLOT))


def test_only_trainings_on_two_threads_of_a_processor_are_compared(project, monkeypatch):
    for name, change in (("one-thread", {"threads": 1}), ("gpu", {"accelerator": "NVIDIA H200"})):
        make_release(name, 0.7, TIME | change)
    write_json(
        TIMES, {"machine": "", "milliseconds_a_face": dict.fromkeys([f.name for f in find_releases()] + ["fer"], 1)}
    )
    drawn = []
    monkeypatch.setattr(released_plots, "plot_training_time", lambda systems, package: drawn.extend(systems))
    monkeypatch.setattr(released_plots, "save_figure", lambda figure, path: None)
    released.compare(table_only=True)
    assert [system.name for system in drawn] == ["fer2013", "fer2013-quick"]


def system(name: str, accuracy: float, seconds: float, milliseconds: float) -> System:
    test = {"accuracy": accuracy, "accuracy_low": accuracy - 0.015, "accuracy_high": accuracy + 0.015}
    return System(name, name, test, {}, 1, 1, TIME | {"seconds": seconds}, milliseconds, passes=1)


CLOSE = [
    system("fer2013", 0.701, 3180, 0.52),
    system("fer2013-quick", 0.672, 840, 0.26),
    system("fer2013-nano", 0.664, 1020, 0.21),
]
FER = system("fer 25.10.3", 0.658, 0, 0.24)


@pytest.mark.parametrize("plot", [plot_training_time, partial(plot_latency, machine="AMD EPYC")])
def test_labels_keep_clear_of_each_other_and_stay_inside(plot):
    figure = plot(CLOSE, FER)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    boxes = [label.get_window_extent() for label in axes.texts]
    assert len(boxes) == 4
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert all(axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1 for box in boxes)
