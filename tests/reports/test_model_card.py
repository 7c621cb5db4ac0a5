"""Every figure of a model card is that of the metrics files, for the committed card and for made ones."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML
from scipy.stats import binomtest

from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError
from emotion.core.files import write_csv, write_json
from emotion.core.labels import resolve_scheme
from emotion.core.params import check_params, load_params, read_yaml
from emotion.evaluation.curves import tabulate_predictions
from emotion.evaluation.report import SplitPredictions, make_report
from emotion.reports.facts import Facts, find_source, read_facts
from emotion.reports.model_card import Links, ModelFile, Release, make_card, share_interval
from stages import card as stage
from tests.cards import SCORES
from tests.makers import write_params

pytestmark = pytest.mark.medium

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "metrics/model_card.md"
SECTIONS = ("source", "split", "labels", "features", "train", "evaluate")
IMAGES = 120
DASH = "\N{EN DASH}"

FILES = {
    "model.keras": "keras",
    "model.tflite": "tflite",
    "model_float16.tflite": "tflite_float16",
    "model_int8.tflite": "tflite_int8",
    "model.onnx": "onnx",
}
PROTOCOL = r"epoch \(by its (\w+)\)"
SHARES = r"(\d+) % for validation\b.* (\d+) % for test\b.* seed (\d+)\b"


# --- a card read back


class Card:
    """The figures of a card's text."""

    def __init__(self, text: str) -> None:
        self.text = text
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
        self.rows = {row[0]: row[1:] for row in rows}
        self.by_class = self._table("emotion", "precision")
        self.counts = self._table("emotion", "training")
        self.files = self._table("file", "for")

    def _table(self, *head: str) -> dict[str, list[str]]:
        """Return the rows of the table whose header starts with `head`, by their first cell."""
        _, _, behind = self.text.partition(f"| {' | '.join(head)} |")
        rows = behind.partition("\n\n")[0].splitlines()[2:]
        return {row.split(" | ")[0].strip("| `"): row.strip("| ").split(" | ")[1:] for row in rows}

    def find(self, pattern: str) -> tuple[str, ...]:
        """Return the groups of the one place that `pattern` matches."""
        (found,) = re.findall(pattern, self.text)
        return found if isinstance(found, tuple) else (found,)

    @property
    def confusions(self) -> list[tuple[str, ...]]:
        return re.findall(
            r"^- (.+) is taken for (.+) in ([\d.]+) % of its images \(([\d,]+) of ([\d,]+)\)$", self.text, re.M
        )


def load(folder: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return content


def written(value: float | None, title: str) -> str:
    if value is None:
        return DASH
    return f"{100 * value:.1f}" if "accuracy" in title else f"{value:.3f}"


def cell(scores: dict[str, Any], title: str) -> str:
    name, unit = SCORES[title], " %" if "accuracy" in title else ""
    text = written(scores[name], title) + (unit if scores[name] is not None else "")
    low, high = scores.get(f"{name}_low"), scores.get(f"{name}_high")
    return text if low is None else f"{text} ({written(low, title)} to {written(high, title)})"


def check_figures(text: str, folder: Path) -> None:
    """Compare every figure in the card with the metrics files in `folder`, which has curves/predictions.csv."""
    card = Card(text)
    check_scores(card, load(folder, "evaluate"))
    check_confusions(card, pd.read_csv(folder / "curves/predictions.csv", na_filter=False))
    check_data(card, load(folder, "dataset"))
    check_training(card, load(folder, "train"))
    export = load(folder, "export")
    assert set(card.files) == set(FILES)
    for file, name in FILES.items():
        scores = export[name]
        shares = [f"{100 * scores[key]:.2f} %" for key in ("accuracy", "agreement")]
        assert card.files[file][1:] == [f"{scores['bytes'] / 1e6:.2f}", *shares, f"{scores['largest_difference']:.3f}"]


def check_scores(card: Card, evaluation: dict[str, Any]) -> None:
    test, alone, validation = (evaluation[split] for split in ("test", "test_unique", "validation"))
    heads = re.findall(
        r"^\| \| test split, ([\d,]+) images \| those that stand nowhere else, ([\d,]+) \|$", card.text, re.M
    )
    assert heads == [(f"{test['images']:,}", f"{alone['images']:,}")] * 2
    for title, name in SCORES.items():
        assert (title in card.rows) == (name in test)
        if name in test:
            assert card.rows[title] == [cell(test, title), cell(alone, title)], title
    assert list(card.by_class) == list(evaluation["by_class"])
    for emotion, scores in evaluation["by_class"].items():
        columns = [written(scores[name], name) for name in ("precision", "recall", "f1", "roc_auc")]
        assert card.by_class[emotion][:5] == [*columns, f"{scores['support']:,}"]
        right = round((scores["recall"] or 0) * scores["support"])
        interval = binomtest(right, scores["support"]).proportion_ci(method="wilson") if scores["support"] else None
        assert card.by_class[emotion][5] == (f"{interval.low:.3f} to {interval.high:.3f}" if interval else DASH)
    assert card.find(r"\btemperature,? (\d+\.\d{3})\b") == (f"{evaluation['temperature']:.3f}",)
    found = card.find(r"accuracy\D* ([\d.]+) % .*macro F1 ([\d.]+)\b.* ([\d,]+) images")
    expected = f"{100 * validation['accuracy']:.1f}", f"{validation['macro_f1']:.3f}", f"{validation['images']:,}"
    assert found == expected


def front_matter(text: str) -> dict[str, Any]:
    """Return what stands in the YAML at the card's head, which must be its first lines."""
    assert text.startswith("---\n")
    content: dict[str, Any] = YAML(typ="safe").load(text.split("---\n")[1])
    return content


def check_front_matter(text: str, folder: Path, *datasets: str) -> None:
    """Compare what model hubs read with the figures of the test split in `folder`."""
    head, test = front_matter(text), load(folder, "evaluate")["test"]
    assert (head["library_name"], head["pipeline_tag"]) == ("keras", "image-classification")
    assert head.get("datasets", []) == list(datasets)
    ((result,),) = (model["results"] for model in head["model-index"])
    assert result["task"]["type"] == "image-classification"
    assert result["dataset"]["split"] == "test"
    assert {metric["type"]: metric["value"] for metric in result["metrics"]} == {
        "accuracy": test["accuracy"],
        "f1": test["macro_f1"],
    }
    assert head["metrics"] == [metric["type"] for metric in result["metrics"]]


def check_confusions(card: Card, predictions: pd.DataFrame) -> None:
    counts = pd.crosstab(predictions["actual"], predictions["predicted"])
    support = counts.sum(axis=1)
    shares = sorted(
        (
            counts.loc[actual, predicted] / support[actual]
            for actual in counts.index
            for predicted in counts.columns
            if actual != predicted and counts.loc[actual, predicted]
        ),
        reverse=True,
    )
    assert len(card.confusions) == min(6, len(shares))
    for (actual, predicted, share, images, whole), expected in zip(card.confusions, shares, strict=False):
        assert int(images.replace(",", "")) == counts.loc[actual, predicted]
        assert int(whole.replace(",", "")) == support[actual]
        assert share == f"{100 * expected:.1f}"


def check_data(card: Card, dataset: dict[str, Any]) -> None:
    splits = ("train", "val", "test")
    excluded, across, conflicts = dataset["excluded"], dataset["copies"]["across"], dataset["conflicting_labels"]
    found = card.find(r"([\d,]+) images\b.* ([\d,]+) training, ([\d,]+) validation\b.* ([\d,]+) test\b")
    counts = dataset["source_images"], *(dataset["images"][split]["total"] for split in splits)
    assert found == tuple(f"{count:,}" for count in counts)
    found = card.find(r"([\d,]+) as copies .*?, ([\d,]+) whose emotion .*?, ([\d,]+) unreadable")
    counts = excluded["total"] - excluded["scheme"], excluded["scheme"], dataset["rejected"]
    assert found == tuple(f"{count:,}" for count in counts)
    found = card.find(r" test images, ([\d,]+) .* training split\b.* ([\d,]+) .* validation split\b")
    assert found == (f"{across['test_in_train']:,}", f"{across['test_in_val']:,}")
    found = card.find(r"([\d,]+) groups of equal images\D*(\d[\d,]*) ")
    assert found == (f"{conflicts['groups']:,}", f"{conflicts['images']:,}")
    assert card.find(r"sha256 .*: `([0-9a-f]+)`\.") == (dataset["sha256"],)
    for emotion, row in card.counts.items():
        assert row == [f"{dataset['images'][split][emotion]:,}" for split in splits]


def check_training(card: Card, training: dict[str, Any]) -> None:
    found = card.find(r"architecture `\w+`: ([\d,]+) parameters, ([\d,.]+) million multiply-adds an image")
    assert found == (f"{training['parameters']:,}", f"{training['multiply_adds'] / 1e6:,.1f}")
    found = card.find(r"[Bb]est epoch\b.* (\d+) of (\d+)\b")
    assert found == (str(training["best_epoch"]), str(training["epochs"]))


# --- the committed one


def test_the_committed_card_states_the_committed_figures():
    if not COMMITTED.is_file():
        pytest.skip("metrics/model_card.md is not made yet: run `dvc repro`")
    text = COMMITTED.read_text(encoding="utf-8")
    check_figures(text, ROOT / "metrics")
    params = read_yaml(ROOT / "params.yaml")
    assert f"| train.seed | {params['train']['seed']} |" in text
    assert f"architecture `{params['train']['architecture']}`" in text


# --- made ones


def make_run(folder: Path, scheme="seven", *, right: float = 0.25, absent: int | None = None, **params) -> Path:
    """Write what the stage reads, of answers that give the actual emotion at least the probability `right`."""
    emotions = resolve_scheme(scheme).emotions
    classes, generator = len(emotions), np.random.default_rng(len(emotions))
    y_true = np.arange(IMAGES) % classes
    if absent is not None:
        y_true = np.where(y_true == absent, (absent + 1) % classes, y_true)
    probabilities = generator.dirichlet(np.ones(classes), IMAGES) * (1 - right) + right * np.eye(classes)[y_true]
    answers = SplitPredictions(y_true, probabilities)
    write_params(folder, labels_scheme=scheme, **({"source_folder": "data/sample"} | params))
    report = make_report(
        SplitPredictions(y_true[::2], probabilities[::2]),
        answers,
        unique=np.arange(IMAGES) > 9,
        emotions=emotions,
        params=load_params("evaluate", path=folder / "params.yaml").evaluate,
    )
    metrics = folder / "metrics"
    write_json(metrics / "evaluate.json", report)
    write_json(
        metrics / "train.json", {"best_epoch": 7, "epochs": 20, "parameters": 1_234_567, "multiply_adds": 98_765_432}
    )
    write_json(metrics / "dataset.json", make_dataset(emotions))
    write_json(metrics / "export.json", {name: make_export(place) for place, name in enumerate(FILES.values())})
    table = tabulate_predictions(range(IMAGES), y_true, probabilities, emotions, threshold=0.5)
    write_csv(metrics / "curves/predictions.csv", table)
    return folder


def make_dataset(emotions, images=35_000, size=64) -> dict[str, Any]:
    counts = {emotion: 1000 + place for place, emotion in enumerate(emotions)}
    return {
        "source_images": images,
        "rejected": 4,
        "images": {split: {"total": place + 2111, **counts} for place, split in enumerate(("train", "val", "test"))},
        "excluded": {"total": 1234, "scheme": 1100, "copy_of_test": 100, "copy_of_val": 34},
        "copies": {"across": {"test_in_train": 288, "test_in_val": 44}},
        "conflicting_labels": {"groups": 57, "images": 152},
        "size": {f"{end}_{side}": size for side in ("height", "width") for end in ("min", "max")},
        "sha256": "0123456789abcdef" * 4,
    }


def make_export(place: int) -> dict[str, Any]:
    return {
        "bytes": 6_000_000 - 1_111_111 * place,
        "accuracy": 0.7 - 0.0123 * place,
        "agreement": 1 - 0.0045 * place,
        "largest_difference": 0.0123 * place,
    }


def write_card(folder: Path, monkeypatch) -> str:
    monkeypatch.chdir(folder)
    stage.main()
    return (folder / "metrics/model_card.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"scheme": "happy_sad"},
        {"scheme": "five", "absent": 2},
        {"scheme": "ferplus", "source_folder": "data/raw"},
        {"scheme": ["neutral", {"all good": ["happy", "surprise"]}]},
        {"scheme": "seven", "right": 1.0},
    ],
)
def test_a_card_states_the_figures_of_its_run(tmp_path, monkeypatch, options):
    text = write_card(make_run(tmp_path, **options), monkeypatch)
    check_figures(text, tmp_path / "metrics")
    check_front_matter(text, tmp_path / "metrics", *([] if "source_folder" in options else ["drawn-faces"]))
    assert write_card(tmp_path, monkeypatch) == text
    assert b"\r" not in (tmp_path / "metrics/model_card.md").read_bytes()
    assert ("No test image was predicted wrong." in text) == (options.get("right") == 1.0)


@pytest.mark.parametrize(
    "file, key",
    [
        ("evaluate", "test.accuracy"),
        ("evaluate", "test.accuracy_low"),
        ("evaluate", "test.macro_f1_high"),
        ("evaluate", "test.calibrated_expected_calibration_error"),
        ("evaluate", "test.images"),
        ("evaluate", "test_unique.log_loss"),
        ("evaluate", "validation.macro_f1"),
        ("evaluate", "by_class.sad.recall"),
        ("evaluate", "by_class.happy.precision"),
        ("evaluate", "temperature"),
        ("train", "best_epoch"),
        ("train", "parameters"),
        ("dataset", "images.val.total"),
        ("dataset", "images.train.fear"),
        ("dataset", "copies.across.test_in_train"),
        ("dataset", "rejected"),
        ("dataset", "sha256"),
        ("export", "tflite_int8.accuracy"),
        ("export", "onnx.bytes"),
        ("export", "tflite_float16.largest_difference"),
    ],
)
def test_another_figure_makes_another_card(tmp_path, monkeypatch, file, key):
    before = write_card(make_run(tmp_path), monkeypatch)
    path = tmp_path / f"metrics/{file}.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    *outer, last = key.split(".")
    section = content
    for name in outer:
        section = section[name]
    section[last] = different(section[last])
    write_json(path, content)
    with pytest.raises(AssertionError):
        check_figures(before, tmp_path / "metrics")
    check_figures(write_card(tmp_path, monkeypatch), tmp_path / "metrics")


def different(value):
    """Return another value for a figure; shares as they can be of 17 images."""
    if isinstance(value, str):
        return "f" * len(value)
    return round(8 / 17, 5) if isinstance(value, float) else value + max(10, value // 2)


def test_another_prediction_makes_another_card(tmp_path, monkeypatch):
    before = write_card(make_run(tmp_path), monkeypatch)
    path = tmp_path / "metrics/curves/predictions.csv"
    table = pd.read_csv(path, na_filter=False)
    table["predicted"] = table["predicted"].where(table["actual"] != "sad", "disgust")
    write_csv(path, table)
    assert "- sad is taken for disgust in 100.0 % of its images (17 of 17)" not in before
    text = write_card(tmp_path, monkeypatch)
    assert "- sad is taken for disgust in 100.0 % of its images (17 of 17)" in text
    check_confusions(Card(text), table)


def test_figures_without_a_value_are_dashes(tmp_path, monkeypatch):
    make_run(tmp_path, absent=3)
    text = write_card(tmp_path, monkeypatch)
    assert f"| happy | {DASH} | {DASH} | {DASH} | {DASH} | 0 | {DASH} |" in text
    path = tmp_path / "metrics/evaluate.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    report["test_unique"] |= dict.fromkeys(report["test_unique"]) | {"images": 0}
    write_json(path, report)
    check_figures(write_card(tmp_path, monkeypatch), tmp_path / "metrics")


@pytest.mark.parametrize("right, images", [(0, 10), (10, 10), (1, 3), (493, 879)])
def test_intervals_of_shares_are_those_of_scipy(right, images):
    interval = binomtest(right, images).proportion_ci(method="wilson")
    assert share_interval(right / images, images) == f"{interval.low:.3f} to {interval.high:.3f}"


# --- what it says besides figures


def test_a_card_says_what_the_model_is_not_for(tmp_path, monkeypatch):
    text = " ".join(write_card(make_run(tmp_path), monkeypatch).split())
    for words in ("Forbidden uses", "Article 5(1)(f)", "2024/1689", "Annex III, 1(c)", "Article 50(3)"):
        assert words in text


def test_what_is_known_of_the_images_depends_on_the_source(tmp_path, monkeypatch):
    drawn = write_card(make_run(tmp_path), monkeypatch)
    assert "drawings" in drawn
    make_run(tmp_path, source_folder="data/raw")
    unknown = write_card(tmp_path, monkeypatch)
    write_json(tmp_path / "metrics/dataset.json", make_dataset(EMOTIONS, images=35_887, size=48))
    fer2013 = write_card(tmp_path, monkeypatch)
    assert "Goodfellow et al. 2013" in fer2013
    for text, dataset in ((drawn, ["drawn-faces"]), (fer2013, ["fer2013"]), (unknown, None)):
        assert front_matter(text).get("datasets") == dataset
    for one, other in ((drawn, "FER2013"), (unknown, "FER2013"), (fer2013, "drawings"), (unknown, "drawings")):
        assert other not in one


def test_the_protocol_is_that_of_the_params(tmp_path, monkeypatch):
    text = write_card(make_run(tmp_path), monkeypatch)
    assert Card(text).find(PROTOCOL) == ("accuracy",)
    assert Card(text).find(SHARES) == ("10", "10", "2013")
    assert "keeps copies" not in text
    assert "mirror" not in text
    make_run(tmp_path, split_keep_copies=True, train_monitor="loss", evaluate_flip=True, split_test=0.2, split_seed=7)
    text = write_card(tmp_path, monkeypatch)
    assert Card(text).find(PROTOCOL) == ("loss",)
    assert Card(text).find(SHARES) == ("10", "20", "7")
    assert "keeps copies" in text
    assert "mirror image" in text


def test_a_card_states_groups_and_near_copies(tmp_path, monkeypatch):
    make_run(tmp_path, split_near_copies=4)
    text = write_card(tmp_path, monkeypatch)
    assert "bootstrap samples of images" in text
    assert not any(word in text for word in ("person or sequence", "perceptual", "samples of groups"))
    metrics = tmp_path / "metrics"
    evaluation, dataset = load(metrics, "evaluate"), load(metrics, "dataset")
    evaluation["test"]["groups"] = 21
    leaks = {"test": 60, "test_share": 0.97, "val": 50, "val_share": 0.95}
    dataset["groups"] = {"total": 118, "would_leak": leaks}
    dataset["near_copies"] = {}
    dataset["excluded"] |= {"total": 1239, "group_of_test": 3, "group_of_val": 2}
    write_json(metrics / "evaluate.json", evaluation)
    write_json(metrics / "dataset.json", dataset)
    text = write_card(tmp_path, monkeypatch)
    assert "bootstrap samples of groups" in text
    assert "21 groups" in text
    assert "97 % of the test images" in text or "97.0 % of the test images" in text
    assert "at most 4 of 64 bits" in text
    assert "134 as copies of validation and test images, 5 of a person or sequence in them," in text
    del dataset["groups"]
    write_json(metrics / "dataset.json", dataset | {"sequence_names": {"prefixes": 9, "images": 90, "example": "a_1"}})
    assert "`split.group` is not set" in write_card(tmp_path, monkeypatch)


def test_a_card_names_groups_that_are_too_small_without_an_empty_table(tmp_path, monkeypatch):
    make_run(tmp_path)
    evaluation = load(tmp_path / "metrics", "evaluate")
    small = {"values": {"f": {"images": 12}, "m": {"images": 9}}, "largest_gap": None}
    write_json(tmp_path / "metrics/evaluate.json", evaluation | {"groups": {"sex": small}})
    text = write_card(tmp_path, monkeypatch)
    assert "| f | 12 |" in text
    assert "recall by sex" not in text
    assert "Fewer than two groups by `sex` are scored" in text


def test_a_card_states_decisions_on_labels(tmp_path, monkeypatch):
    make_run(tmp_path, labels_decisions="mine.csv")
    metrics = tmp_path / "metrics"
    dataset = load(metrics, "dataset")
    dataset["excluded"] |= {"total": 1241, "dropped": 7}
    counts = {"total": 5, "train": 4, "val": 1, "test": 0}
    dataset["decisions"] = {"confirmed": counts | {"total": 1300}, "changed": counts, "dropped": counts | {"total": 7}}
    write_json(metrics / "dataset.json", dataset)
    text = write_card(tmp_path, monkeypatch)
    assert "134 as copies of validation and test images," in text
    assert ", 7 dropped by people." in text
    assert "(`mine.csv`): of the images, 1,300 labels were confirmed and 5 changed." in text
    assert "Of the test images" not in text
    dataset["decisions"]["changed"] = counts | {"test": 3}
    write_json(metrics / "dataset.json", dataset)
    assert "Of the test images, 3 labels were changed and 0 images dropped." in write_card(tmp_path, monkeypatch)


def test_a_teacher_is_named(tmp_path, monkeypatch):
    make_run(tmp_path, train_teacher="large.keras", train_teacher_share=0.5, train_teacher_inputs="original")
    assert "| train.teacher | `large.keras`, for 50 %, sees original images |" in write_card(tmp_path, monkeypatch)


def test_several_teachers_and_the_start_are_named(tmp_path, monkeypatch):
    make_run(tmp_path, train_teacher=["a.keras", "b.keras"], train_teacher_share=0.7, train_init_from="a.keras")
    card = write_card(tmp_path, monkeypatch)
    assert "| train.init_from | `a.keras` |" in card
    assert "| train.teacher | `a.keras`, `b.keras`, for 70 %, sees augmented images |" in card


def test_an_enlargement_is_named(tmp_path, monkeypatch):
    make_run(tmp_path, train_inference_size=52)
    assert "52 pixels" in write_card(tmp_path, monkeypatch)
    make_run(tmp_path)
    assert "enlarge" not in write_card(tmp_path, monkeypatch)


def test_two_emotions_have_a_threshold_and_one_output(tmp_path, monkeypatch):
    make_run(tmp_path, "happy_sad", evaluate_threshold=0.4, features_color="rgb", features_image_size=64)
    text = write_card(tmp_path, monkeypatch)
    assert Card(text).find(r"\bsad\b.* probability\D* (0\.\d+)\b") == ("0.4",)
    assert re.search(r"uint8 \(n, 64, 64, 3\).*probability of sad, \(n, 1\)", text)


def test_links_of_the_card_lead_to_what_the_pipeline_writes():
    links = re.findall(r"\]\((.+?)\)", make_card(facts_of_the_project(), [one_file()], stage.LINKS))
    targets = {(ROOT / "metrics" / link).resolve() for link in links}
    assert targets == {ROOT / "params.yaml", ROOT / "metrics/plots/confusion.png", ROOT / "metrics/plots/training.png"}
    assert all(target.is_file() for target in targets)


def one_file() -> ModelFile:
    return ModelFile(Path("models/model.keras"), "Keras", 1, make_export(0))


def facts_of_the_project():
    metrics = {name: load(ROOT / "metrics", name) for name in ("evaluate", "train", "dataset")}
    predictions = pd.read_csv(ROOT / "metrics/curves/predictions.csv", na_filter=False)
    params = check_params(read_yaml(ROOT / "params.yaml"), *SECTIONS)
    dataset = {"sha256": ""} | metrics["dataset"]
    return Facts(metrics["evaluate"], metrics["train"], dataset, {}, predictions, params)


@pytest.mark.parametrize("file", ["evaluate.json", "export.json", "curves/predictions.csv"])
def test_missing_and_broken_files_are_named(tmp_path, monkeypatch, file):
    monkeypatch.chdir(make_run(tmp_path))
    Path("metrics", file).write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=rf"metrics/{file}.*`dvc repro"):
        stage.main()
    Path("metrics", file).unlink()
    with pytest.raises(InputError, match=rf"metrics/{file} is missing; .*`dvc repro"):
        stage.main()
    assert not Path("metrics/model_card.md").exists()


# --- that of a release


def test_a_release_has_its_name_commit_time_and_files(tmp_path, monkeypatch):
    monkeypatch.chdir(make_run(tmp_path, source_folder="data/raw"))
    facts = read_facts(Path("metrics"), load_params(*SECTIONS))
    folder = Path("models/released/mine")
    files = [
        ModelFile(folder / "model.keras", "Keras", 3_000_000, facts.export["keras"], 17.256),
        ModelFile(folder / "model.tflite", "TensorFlow Lite, float32", 2_000_000, facts.export["tflite"]),
    ]
    time = {"seconds": 3300, "processor": "A Processor", "threads": 2, "accelerator": None, "backend": "tensorflow"}
    release = Release("mine", "`abc`", "md5.dir", "float16", 0.70194, time)
    text = make_card(facts, files, Links({"confusion": "confusion.png"}), release)
    assert "\n---\n\n# mine\n" in text
    assert front_matter(text)["model-index"][0]["name"] == "mine"
    for words in (
        "emotion predict photo.jpg --model models/released/mine/model.tflite\n",
        'keras.models.load_model("models/released/mine/model.keras")',
        "| `model.keras` | Keras | 3.00 | 70.00 % | 100.00 % | 0.000 | 17.26 |",
        f"| `model.tflite` | TensorFlow Lite, float32 | 2.00 | 68.77 % | 99.55 % | 0.012 | {DASH} |",
        "float16",
        "70.19 %",
        "55 minutes",
        "tensorflow",
        "2 threads of A Processor",
        "`abc`",
        "`data/raw`",
        "`md5.dir`",
        "35,000 images",
        "](confusion.png)",
        "[params.yaml](params.yaml)",
    ):
        assert words in text, words
    assert "training.png" not in text
    check_scores(Card(text), facts.evaluation)
    check_confusions(Card(text), facts.predictions)


def test_a_lock_that_does_not_name_the_source_is_refused():
    lock = {"stages": {"create_dataframe": {"deps": [{"path": "data/raw", "md5": "abc.dir"}]}}}
    assert find_source(lock, "data/raw") == "abc.dir"
    for content, folder in ((lock, "data/sample"), ({"schema": "2.0"}, "data/raw")):
        with pytest.raises(InputError, match=rf"dvc\.lock .*{folder} \(source\.folder\).*`dvc repro`"):
            find_source(content, folder)
