"""Experiments are read from what `dvc exp show` prints, ranked by a metric, and drawn from two of them to many."""

import stat
import sys

import numpy as np
import pandas as pd
import pytest

from emotion.app import cli
from emotion.app.experiments import comparison as app
from emotion.app.experiments.comparison import DEFAULT_METRIC, compare, find_metric, format_best, read_experiments
from emotion.core.errors import InputError
from emotion.plots import experiments as plots
from emotion.plots import style
from emotion.plots.experiments import Results, plot_experiments
from tests.plots.test_plots import check_png

RATES = ("0.02", "0.06", "0.1")


@pytest.fixture(autouse=True)
def few_pixels(monkeypatch):
    monkeypatch.setattr(style, "DPI", 45)


def make_row(name, accuracy, *, state="Success", typ="branch_commit", rev="abc1234", **params):
    figures = dict.fromkeys(("test.log_loss", DEFAULT_METRIC, "metrics/evaluate.json:validation.accuracy"), accuracy)
    values = {"labels.scheme": "seven", "train.architecture": "residual", "train.learning_rate": "0.08"}
    values |= {key.replace("__", "."): value for key, value in params.items()}
    row = {"Experiment": name, "rev": rev, "typ": typ, "Created": "2026-11-20T13:21:36", "parent": "", "State": state}
    return row | figures | values | {"data/features": "7fb45a.dir"}


def make_shown(*rows):
    """Return a table as `dvc exp show --csv` prints it: workspace, commit, experiments."""
    first = [
        make_row("", "0.99", state="", typ="baseline", rev="workspace"),
        make_row("", "0.5", state="", typ="baseline", rev="main"),
    ]
    return pd.DataFrame([*first, *rows]).fillna("")


def make_sweep():
    rows = [make_row(f"sweep-{rate}", f"0.{place + 4}", train__learning_rate=rate) for place, rate in enumerate(RATES)]
    return make_shown(*rows)


def make_results(count, seed=0):
    """Return experiments of all kinds of params."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "labels.scheme": rng.choice(["seven", "['happy', 'sad', {'other': ['angry', 'fear', 'disgust']}]"], count),
            "train.learning_rate": [f"{10**power:.5g}" for power in rng.uniform(-4, -1, count)],
            "train.epochs": rng.choice(["5", "20"], count),
            "evaluate.flip": rng.choice(["True", "False"], count),
            "source.file": rng.choice(["", "faces.zip"], count),
            DEFAULT_METRIC: np.sort(rng.random(count))[::-1],
        },
        index=[f"name-{number}" for number in range(count)],
    )
    differing = table.loc[:, table.nunique() > 1]
    return Results(differing, "name-1" if count > 2 else None, ["Left out: 1 queued."])


def write_dvc(folder, script):
    """Write a program that stands for dvc, and return its path."""
    dvc = folder / "dvc"
    dvc.write_text(f"#!/bin/sh\n{script}\n")
    dvc.chmod(dvc.stat().st_mode | stat.S_IXUSR)
    return dvc


def texts(figure):
    return [text.get_text() for text in (*figure.texts, *figure.axes[0].texts)]


# --- the table


def test_experiments_come_best_first_with_the_params_that_differ():
    results = compare(make_sweep())
    assert results.table.index.tolist() == ["sweep-0.1", "main", "sweep-0.06", "sweep-0.02"]
    assert results.params == ["train.learning_rate"]
    assert results.metric == DEFAULT_METRIC
    assert (results.baseline, results.best, list(results.notes)) == ("main", 0, [])


def test_of_losses_the_smallest_is_best():
    shown = make_sweep()
    shown["validation.loss"] = ["0.1", "0.9", "0.3", "0.2", "0.4"]
    assert compare(shown, "validation.loss").table.index[0] == "sweep-0.06"


def test_the_best_five_are_listed():
    lines = format_best(compare(make_sweep()), count=2).splitlines()
    assert [line.split() for line in lines] == [
        ["experiment", "train.learning_rate", DEFAULT_METRIC],
        ["sweep-0.1", "0.1", "0.6"],
        ["main", "(committed)", "0.08", "0.5"],
    ]


def test_what_has_not_ended_is_left_out_with_a_line_that_says_so():
    shown = make_shown(
        make_row("slow", "0.6", train__learning_rate="0.02"),
        make_row("waits", "", state="Queued"),
        make_row("waits too", "", state="Queued"),
        make_row("runs", "0.9", state="Running"),
        make_row("broke", "", state="Failed"),
        make_row("unreadable", "!"),
    )
    results = compare(shown)
    assert results.table.index.tolist() == ["slow", "main"]
    (note,) = results.notes
    assert note == "Left out: 2 queued, 1 running, 1 failed, 1 without validation.accuracy."


def test_a_commit_without_the_metric_is_no_row():
    shown = make_sweep()
    shown.loc[1, DEFAULT_METRIC] = ""
    results = compare(shown)
    assert results.baseline is None
    assert "main" not in results.table.index


def test_states_are_not_printed_where_nothing_was_queued():
    assert len(compare(make_sweep().drop(columns="State")).table) == 4


def test_equal_numbers_written_otherwise_do_not_differ():
    shown = make_sweep()
    shown["augmentation.rotation"] = ["10.0", "10.0", "10", "10", "10.0"]
    assert compare(shown).params == ["train.learning_rate"]


def test_params_are_told_from_metrics_of_a_like_name():
    shown = make_sweep()
    shown["train.loss"] = ["1", "2", "3", "4", "5"]
    shown["params.yaml:split.test"] = ["0.1", "0.1", "0.1", "0.2", "0.2"]
    assert compare(shown).params == ["train.learning_rate", "params.yaml:split.test"]
    with pytest.raises(InputError, match="no experiment has a metric"):
        compare(shown, "train.learning_rate")
    shown["rev"] = ["workspace", "1234567", "2345678", "3456789", "4567890"]
    with pytest.raises(InputError, match="no experiment has a metric"):
        compare(shown, "rev")


def test_a_metric_of_the_test_split_comes_with_a_note():
    (note,) = compare(make_sweep(), "test.log_loss").notes
    assert "spoil" in note
    assert any("spoil" in text for text in texts(plot_experiments(compare(make_sweep(), "test.log_loss"))))


# --- names of metrics


def test_a_metric_may_be_named_with_and_without_its_file():
    assert find_metric(["a.json:accuracy", "b.json:accuracy"], "b.json:accuracy") == "b.json:accuracy"
    assert find_metric(["a.json:accuracy"], "accuracy") == "a.json:accuracy"
    assert find_metric(["accuracy", "loss"], "a.json:accuracy") == "accuracy"


def test_a_name_that_means_several_metrics_is_refused():
    with pytest.raises(InputError, match=r"may be any of: a.json:accuracy, b.json:accuracy"):
        find_metric(["a.json:accuracy", "b.json:accuracy"], "accuracy")


@pytest.mark.parametrize("key", ["validation.acuracy", "metrics/trian.json:validation.accuracy"])
def test_an_unknown_metric_is_refused_with_close_ones(key):
    with pytest.raises(InputError, match=f"did you mean .*{DEFAULT_METRIC}"):
        compare(make_sweep(), key)
    with pytest.raises(InputError, match=r"expected one of: .*test.log_loss"):
        compare(make_sweep(), "zzz")


def test_figures_of_released_models_are_no_metrics_of_experiments():
    shown = make_sweep()
    shown["released.fer2013.accuracy"] = "0.8"
    with pytest.raises(InputError) as caught:
        compare(shown, "zzz")
    assert "released" not in str(caught.value)


# --- nothing to compare


def test_a_commit_without_experiments_is_told_how_to_queue_some():
    for shown in (make_shown(), make_shown().head(0)):
        with pytest.raises(InputError, match="no experiments; queue some: dvc exp run --queue -S"):
            compare(shown)


def test_experiments_that_have_not_ended_are_waited_for():
    with pytest.raises(InputError, match=r"no experiment has ended .* Left out: 1 queued. See dvc queue status"):
        compare(make_shown(make_row("waits", "", state="Queued")))


def test_experiments_that_do_not_differ_are_refused():
    with pytest.raises(InputError, match=r"what has .* \(2\) differs in no param; queue more"):
        compare(make_shown(make_row("same", "0.5")))


# --- reading


def test_reading_is_tried_again_while_workers_make_their_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(app, "PAUSE", 0)
    make_sweep().to_csv(tmp_path / "shown.csv", index=False)
    script = 'echo x >> "$0.calls"; test $(wc -l < "$0.calls") -gt 2 || { echo no folder >&2; exit 1; }; cat "$0.csv"'
    dvc = write_dvc(tmp_path, script)
    (tmp_path / "shown.csv").rename(tmp_path / "dvc.csv")
    assert compare(read_experiments(dvc)).table.index[0] == "sweep-0.1"
    assert (tmp_path / "dvc.calls").read_text().count("x") == 3


def test_what_dvc_said_is_shown_where_it_fails_each_time(tmp_path, monkeypatch):
    monkeypatch.setattr(app, "PAUSE", 0)
    with pytest.raises(InputError, match=r"failed 5 times; it said: the disk is full"):
        read_experiments(write_dvc(tmp_path, "echo the disk is full >&2; exit 1"))


@pytest.mark.parametrize("message", app.HOPELESS)
def test_a_folder_without_git_or_dvc_is_explained_at_once(tmp_path, message):
    dvc = write_dvc(tmp_path, f'echo x >> "$0.calls"; echo "ERROR: you are {message}" >&2; exit 253')
    with pytest.raises(InputError, match="run the command from the project's root"):
        read_experiments(dvc)
    assert (tmp_path / "dvc.calls").read_text() == "x\n"


def test_a_missing_dvc_is_explained(tmp_path):
    with pytest.raises(InputError, match="dvc is missing; install the packages"):
        read_experiments(tmp_path / "dvc")


# --- the plot


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("count", [2, 3, 12, 13, 60])
def test_few_and_many_experiments_are_drawn(tmp_path, count):
    results = make_results(count)
    style.save_figure(plot_experiments(results), tmp_path / "one.png")
    style.save_figure(plot_experiments(results), tmp_path / "two.png")
    check_png(tmp_path / "one.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    named = [text for text in texts(plot_experiments(results)) if text.startswith("name-")]
    assert len(named) == (count if count <= plots.MOST_LABELS else 2)


@pytest.mark.filterwarnings("error")
def test_equal_figures_are_drawn(tmp_path):
    results = make_results(4)
    style.save_figure(plot_experiments(Results(results.table.assign(**{DEFAULT_METRIC: 0.25}))), tmp_path / "one.png")
    check_png(tmp_path / "one.png")


def test_the_best_experiment_is_named_and_what_is_committed_told_apart():
    title, subtitle, *rest = texts(plot_experiments(compare(make_sweep())))
    assert title == "Best of 3 experiments: sweep-0.1, 0.6"
    assert "Dashed: what is committed (main), 0.5." in subtitle.replace("\n", " ")
    assert {"sweep-0.1  0.6", "main  0.5"} <= set(rest)
    shown = make_sweep()
    shown.loc[1, DEFAULT_METRIC] = "0.9"
    title, subtitle, *_ = texts(plot_experiments(compare(shown)))
    assert title == "Best of 3 experiments: sweep-0.1, 0.6"
    assert "better than all of them" in subtitle.replace("\n", " ")


def test_numbers_far_apart_are_drawn_on_a_logarithmic_axis():
    figures = np.arange(3.0)
    scale = plots._scale_param(pd.Series(["0.001", "0.01", "0.1"]), figures)
    np.testing.assert_allclose(scale.places, [0, 0.5, 1])
    assert (list(scale.ticks.values()), scale.note) == (["0.001", "0.01", "0.1"], ", log scale")
    scale = plots._scale_param(pd.Series(["0", "5", "20"]), figures)
    np.testing.assert_allclose(scale.places, [0, 0.25, 1])
    assert scale.note == ""


def test_names_lie_in_the_order_of_their_best_figures():
    scale = plots._scale_param(pd.Series(["a", "b", "a", ""]), np.array([0.1, 0.8, 0.9, 0.2]))
    np.testing.assert_allclose(scale.places, [1, 0.5, 1, 0])
    assert scale.ticks == {0: "null", 0.5: "b", 1: "a"}


def test_ticks_keep_apart_and_are_round_where_there_are_many_values():
    scale = plots._scale_param(pd.Series(["0", "0.001", "1"]), np.arange(3.0))
    assert list(scale.ticks.values()) == ["0", "1"]
    scale = plots._scale_param(pd.Series([str(10 ** (-power / 7)) for power in range(15)]), np.arange(15.0))
    assert list(scale.ticks.values()) == ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"]


def test_lines_that_share_a_value_are_moved_apart_in_the_order_of_their_figures():
    places = plots._part_ties(np.array([0.5, 1, 0.5, 0.5]), np.array([0.3, 0.9, 0.1, 0.2]))
    assert places[1] == 1
    assert places[2] < places[3] < places[0]
    assert np.ptp(places[[0, 2, 3]]) <= plots.TIE_WIDTH


def test_names_at_the_right_do_not_touch():
    heights = np.array([0.9, 0.1, 0.91, 0.1, 0.5])
    parted = np.sort(plots._part_labels(heights))
    assert (np.diff(parted) > plots.LABEL_GAP - 1e-9).all()
    assert abs(plots._part_labels(heights)[4] - 0.5) < 1e-9


# --- the command


def test_the_command_draws_and_lists(tmp_path, monkeypatch, capsys):
    make_sweep().to_csv(tmp_path / "dvc.csv", index=False)
    write_dvc(tmp_path, 'cat "$0.csv"')
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["emotion", "experiments"])
    cli.main()
    printed = capsys.readouterr().out.splitlines()
    assert printed[1].split() == ["sweep-0.1", "0.1", "0.6"]
    assert printed[-1] == "plot: experiments.png"
    check_png(tmp_path / "experiments.png")


@pytest.mark.parametrize("name", ["plot.svg", "folder.png"])
def test_a_target_that_cannot_be_written_is_refused_first(tmp_path, monkeypatch, capsys, name):
    (tmp_path / "folder.png").mkdir()
    monkeypatch.setattr(sys, "argv", ["emotion", "experiments", "--out", str(tmp_path / name)])
    with pytest.raises(SystemExit, match=r"error: --out .*expected"):
        cli.main()
