"""Images of every kind come out as PNG, for any number of emotions, and the same bytes twice."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageColor

from emotion.core.files import rounded
from emotion.core.params import EvaluateParams
from emotion.evaluation import curves
from emotion.evaluation.groups import group_figures
from emotion.evaluation.report import SplitPredictions, make_report
from emotion.plots import style
from emotion.plots.confusion import plot_confusion
from emotion.plots.curves import find_points, plot_precision_recall, plot_reliability, plot_roc
from emotion.plots.dataset import plot_class_balance, plot_images
from emotion.plots.groups import plot_groups
from emotion.plots.sheets import draw_image, most_confident, plot_mistakes, plot_predictions, spread
from emotion.plots.training import plot_training
from emotion.presentation.colors import COLORS

pytestmark = pytest.mark.medium

PARAMS = EvaluateParams(flip=False, threshold=0.5, bootstrap=100, bins=10, seed=3, groups=[])
IMAGES = 200


@pytest.fixture(autouse=True)
def few_pixels(monkeypatch):
    monkeypatch.setattr(style, "DPI", 45)


def make_case(classes, channels=1, absent=None, all_right=False, emotions=None, size=12):
    """Return all that can be drawn: a dict from an image's name to a function that makes the figure."""
    emotions = emotions or tuple(COLORS)[:classes]
    rng = np.random.default_rng(classes)
    y_true = np.arange(IMAGES) % classes
    if absent is not None:
        y_true = np.where(y_true == absent, (absent + 1) % classes, y_true)
    probabilities = rng.dirichlet(np.ones(classes), IMAGES) * 0.7 + 0.3 * np.eye(classes)[y_true]
    if all_right:
        probabilities = 0.1 * probabilities + 0.9 * np.eye(classes)[y_true]
    images = rng.integers(0, 256, (IMAGES, size, size, channels), dtype=np.uint8)
    answers = SplitPredictions(y_true, probabilities)
    whole = np.ones(IMAGES, dtype=bool)
    report = rounded(make_report(answers, answers, unique=whole, emotions=emotions, params=PARAMS))
    predictions = curves.tabulate_predictions(range(IMAGES), y_true, probabilities, emotions, threshold=0.5)
    points = find_points(predictions, emotions, report["threshold"]) if classes == 2 else None
    used = 0.5 if classes == 2 else None
    roc = curves.tabulate_roc(y_true, probabilities, emotions)
    precision_recall = curves.tabulate_precision_recall(y_true, probabilities, emotions)
    temperature = report["temperature"]
    reliability = curves.tabulate_reliability(y_true, probabilities, emotions, temperature=temperature, bins=10)
    table = pd.DataFrame(
        {
            "emotion": np.array(emotions)[y_true],
            "split": rng.choice(["train", "val", "test"], IMAGES),
            "excluded": rng.choice(["", "copy of test"], IMAGES, p=[0.9, 0.1]),
        }
    )
    texts = {"sex": ["male", "female"] * 100, "a long name, such as the place": ["a"] * 190 + [""] * 10}
    groups = rounded(group_figures(texts, answers, emotions, temperature=temperature, params=PARAMS))
    return {
        "training": lambda: plot_training(make_history(), 3),
        "confusion": lambda: plot_confusion(predictions, emotions, report["test"], used),
        "roc": lambda: plot_roc(roc, report["by_class"], points),
        "precision_recall": lambda: plot_precision_recall(precision_recall, report["by_class"], points),
        "reliability": lambda: plot_reliability(reliability, emotions, temperature),
        "groups": lambda: plot_groups(groups, report["test"]),
        "no groups": lambda: plot_groups({}, report["test"]),
        "class_balance": lambda: plot_class_balance(table, emotions),
        "images": lambda: plot_images(images, y_true, emotions, per_class=10),
        "predictions": lambda: plot_predictions(images, predictions, emotions),
        "mistakes": lambda: plot_mistakes(images, predictions, emotions, most=24),
    }


def make_history(sizes=(32, 32, 48, 48)):
    epochs = np.arange(1, len(sizes) + 1)
    columns = {"epoch": epochs, "size": sizes, "loss": 2 / epochs, "accuracy": 1 - 1 / (epochs + 1)}
    return pd.DataFrame(columns | {"val_loss": 2.1 / epochs, "val_accuracy": 1 - 1.1 / (epochs + 1)})


def check_png(path):
    with Image.open(path) as image:
        image.load()
        assert image.format == "PNG"
        assert not image.info.keys() & {"Software", "Creation Time"}
        assert 100 < image.width < 1000
        assert np.ptp(np.asarray(image.convert("L"))) > 200


CASES = [
    {"classes": 2, "absent": 1},
    {"classes": 7},
]
RARE_CASES = [
    {"classes": 2},
    {"classes": 5},
    {"classes": 8, "channels": 3},
    {"classes": 3, "emotions": ("happy", "unpleasant", "something quite different")},
    {"classes": 3, "absent": 1},
    {"classes": 4, "all_right": True},
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "options", [*CASES, *(pytest.param(case, marks=pytest.mark.slow) for case in RARE_CASES)], ids=str
)
def test_every_image_is_drawn(tmp_path, options):
    for name, draw in make_case(**options).items():
        style.save_figure(draw(), tmp_path / f"{name}.png")
        check_png(tmp_path / f"{name}.png")


@pytest.mark.slow
def test_the_same_bytes_twice(tmp_path):
    for name, draw in make_case(3).items():
        savers = {"mistakes": style.save_gray_sheet, "images": style.save_indexed}
        save = savers.get(name, style.save_figure)
        save(draw(), tmp_path / "one.png")
        save(draw(), tmp_path / "two.png")
        assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes(), name


def test_axes_stand_at_rounded_places_since_the_layout_differs_in_last_bits(tmp_path):
    figure = plot_training(make_history(), 1)
    style.save_indexed(figure, tmp_path / "one.png")
    places = [place for axes in figure.axes for place in axes.get_position(original=True).bounds]
    assert places == pytest.approx([round(place, style.PLACE_DECIMALS) for place in places], abs=1e-12)


def test_drawing_changes_no_setting_of_matplotlib():
    import matplotlib

    before = dict(matplotlib.rcParams)
    plot_training(make_history(), 1)
    assert dict(matplotlib.rcParams) == before


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("sizes", [(48,), (48, 48), (32, 40, 48)], ids=str)
def test_short_trainings_are_drawn(tmp_path, sizes):
    style.save_figure(plot_training(make_history(sizes), 1), tmp_path / "training.png")
    check_png(tmp_path / "training.png")


@pytest.mark.parametrize("per_class", [1, 3, 25])
def test_the_sheet_takes_any_number_of_images(tmp_path, per_class):
    images = np.zeros((40, 10, 10, 1), dtype=np.uint8)
    figure = plot_images(images, np.arange(40) % 2, ("happy", "sad"), per_class=per_class)
    assert len(figure.axes[0].images) == 2 * min(per_class, 20)


def test_mistakes_come_with_the_most_confident_first():
    predictions = pd.DataFrame({"confidence": [0.5, 0.9, 0.7, 0.9]}, index=[4, 6, 8, 10])
    assert most_confident(predictions).tolist() == [6, 10, 8, 4]
    assert spread(np.arange(9), 3).tolist() == [0, 4, 8]


def test_titles_state_the_figure():
    case = make_case(7)
    titles = {name: draw().texts[0].get_text() for name, draw in case.items()}
    assert titles["confusion"].startswith("Accuracy on the test split ")
    assert titles["training"] == "Best epoch 3 of 4: validation accuracy 72.5 %, loss 0.700"
    assert "times as common" in titles["class_balance"]


def test_what_is_left_out_is_named_by_its_links():
    table = pd.DataFrame({"emotion": "happy", "split": ["train", "train", "test", "val"], "excluded": ""})
    table.loc[0, "excluded"] = "near copy of test"
    table.loc[1, "excluded"] = "group of val"
    figure = plot_class_balance(table, ["happy", "sad"])
    assert "2 left out (near copies or groups of validation or test images)" in str(figure.texts)
    table.loc[2, "excluded"] = "dropped"
    figure = plot_class_balance(table, ["happy", "sad"])
    assert "3 left out (near copies or groups of validation or test images, dropped images)" in str(figure.texts)
    figure = plot_class_balance(table[2:3], ["happy", "sad"])
    assert "1 left out (dropped images)" in str(figure.texts)


def test_a_gray_sheet_is_written_in_few_colors_that_hardly_move(tmp_path):
    figure = make_case(7)["images"]
    style.save_figure(figure(), tmp_path / "full.png")
    style.save_gray_sheet(figure(), tmp_path / "sheet.png")
    full, sheet = (Image.open(tmp_path / f"{name}.png") for name in ("full", "sheet"))
    assert (full.mode, sheet.mode) == ("RGB", "P")
    moved = np.abs(np.asarray(full, dtype=int) - np.asarray(sheet.convert("RGB"), dtype=int))
    assert moved.max() < 24
    assert moved.mean() < 1.5
    assert sheet.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_a_sheet_of_color_images_is_written_in_colors_that_hardly_move(tmp_path):
    figure = make_case(8, channels=3)["predictions"]
    style.save_figure(figure(), tmp_path / "full.png")
    style.save_indexed(figure(), tmp_path / "sheet.png")
    full, sheet = (Image.open(tmp_path / f"{name}.png") for name in ("full", "sheet"))
    assert (full.mode, sheet.mode) == ("RGB", "P")
    assert (tmp_path / "sheet.png").stat().st_size < 0.6 * (tmp_path / "full.png").stat().st_size
    moved = np.abs(np.asarray(full, dtype=int) - np.asarray(sheet.convert("RGB"), dtype=int))
    assert moved.mean() < 4
    # Paper and bars keep their colors.
    kept = {tuple(color) for color in np.unique(np.asarray(sheet.convert("RGB")).reshape(-1, 3), axis=0).tolist()}
    assert sheet.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert {ImageColor.getrgb(color) for color in COLORS.values()} <= kept


def test_sheets_of_large_color_images_stay_small(tmp_path, monkeypatch):
    monkeypatch.setattr(style, "DPI", 110)
    # Noise smoothed over some pixels: finer than a face is
    rng = np.random.default_rng(0)
    grain = rng.integers(0, 256, (70, 43, 43, 3), dtype=np.uint8)
    images = np.stack([np.asarray(Image.fromarray(one).resize((256, 256))) for one in grain])
    emotions = tuple(COLORS)[:7]
    figure = plot_images(images, np.arange(70) % 7, emotions, per_class=10)
    style.save_indexed(figure, tmp_path / "images.png")
    assert (tmp_path / "images.png").stat().st_size < 500_000


@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_more_pixels_than_are_drawn_are_shrunk(channels):
    _, axes = style.new_sheet(4, 4, "")
    for number, size in enumerate((48, 256)):
        images = np.full((size, size, channels), 200, dtype=np.uint8)
        draw_image(axes, images, left=number, top=0, side=0.75)
    small, large = (np.asarray(image.get_array()) for image in axes.images)
    assert small.shape[:2] == (48, 48)
    assert large.shape[0] < 100
    assert (large == 200).all()


# --- emotions and their names


def test_known_emotions_keep_their_colors_and_others_borrow_free_ones():
    assert style.colors_of(tuple(COLORS)) == COLORS
    colors = style.colors_of(("happy", "sad", "negative", "rest"))
    assert (colors["happy"], colors["sad"]) == (COLORS["happy"], COLORS["sad"])
    assert len(set(colors.values())) == 4
    assert set(style.LENDERS) == set(COLORS)


def test_long_names_are_written_smaller():
    assert style.fitting_size("sad", 11, 0.9) == 11
    assert 5 < style.fitting_size("something else", 11, 0.9, weight="bold") < 11


@pytest.mark.parametrize("emotions", [("happy", "sad"), tuple(COLORS)], ids=len)
def test_labels_of_usual_length_are_not_slanted(emotions):
    figure = make_case(len(emotions), emotions=emotions)["confusion"]()
    assert {label.get_rotation() for axes in figure.axes for label in axes.get_xticklabels()} == {0}


# --- the threshold of two emotions


def make_predictions(second, actual, threshold):
    labels, second = np.array(actual), np.array(second)
    probabilities = np.stack([1 - second, second], axis=1)
    return curves.tabulate_predictions(range(len(labels)), labels, probabilities, ("happy", "sad"), threshold=threshold)


def test_points_lie_where_the_thresholds_do():
    predictions = make_predictions([0.1, 0.4, 0.6, 0.3, 0.7, 0.8], [0, 0, 0, 1, 1, 1], 0.5)
    points = find_points(predictions, ("happy", "sad"), {"used": 0.5, "validation_choice": 0.35})
    # Above 0.5: one of three happy ones and two of three sad ones. Above 0.35: two of three happy ones, the same sad.
    expected = [
        ("happy", False, 1 / 3, 2 / 3, 2 / 3),
        ("sad", False, 1 / 3, 2 / 3, 2 / 3),
        ("happy", True, 1 / 3, 1 / 3, 1 / 2),
        ("sad", True, 2 / 3, 2 / 3, 2 / 4),
    ]
    assert points[["emotion", "hollow"]].to_numpy().tolist() == [list(row[:2]) for row in expected]
    figures = points[["false_positive_rate", "recall", "precision"]]
    np.testing.assert_allclose(figures, [row[2:] for row in expected])
    assert points["name"].unique().tolist() == ["threshold in use, 0.5", "validation's choice, 0.35"]


def test_one_point_where_validation_chose_what_is_used():
    predictions = make_predictions([0.1, 0.9], [0, 1], 0.5)
    points = find_points(predictions, ("happy", "sad"), {"used": 0.5, "validation_choice": 0.5})
    assert points["emotion"].tolist() == ["happy", "sad"]


def test_the_threshold_is_said_for_two_emotions_only():
    texts = {
        classes: " ".join(text.get_text() for text in make_case(classes)["confusion"]().texts) for classes in (2, 3)
    }
    assert "above a probability of 0.5" in texts[2].replace("\n", " ")
    assert "probability" not in texts[3]


def test_grids_leave_few_places_empty():
    shapes = {panels: style.grid_shape(panels) for panels in range(3, 10)}
    assert shapes == {3: (1, 3), 4: (1, 4), 5: (2, 3), 6: (2, 3), 7: (2, 4), 8: (2, 4), 9: (3, 3)}


def test_the_stage_imports_neither_tensorflow_nor_dvc():
    code = "import sys, stages.plot; print({name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for name in ("tensorflow", "keras", "dvc", "dvclive", "sklearn"):
        assert f"'{name}'" not in loaded
    assert "'matplotlib'" in loaded
