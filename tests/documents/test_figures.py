"""The figures in README.md and docs/, and on the page about the variants, are those in the metrics files."""

import csv
import hashlib
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest

from emotion.core.params import read_yaml
from tests.benchmarks.test_comparison import check_params
from tests.pages import ROOT, read_documents
from tests.records import read_record, rename_params

RELEASED = ROOT / "models/released/fer2013"
SCORED = sorted(path.parent for path in ROOT.glob("models/released/fer2013*/evaluate.json"))
SCORED += sorted(path.parent for path in ROOT.glob("benchmarks/results/fer2013/*/evaluate.json"))
SEEDS = sorted(path.parent for path in ROOT.glob("benchmarks/results/seeds/*/evaluate.json"))
SEED_COLUMNS = [("validation", "accuracy"), ("validation", "log_loss")]
SEED_COLUMNS += [("test", "accuracy"), ("test", "macro_f1"), ("test", "log_loss")]
LOCKED = sorted(path.parent for path in (ROOT / "benchmarks/results").rglob("dvc.lock"))
DOCUMENTS = read_documents()
PROSE = DOCUMENTS.replace("\n", " ")
LONG, FIRST_LONG = ROOT / "models/released/fer2013-long", ROOT / "benchmarks/results/long_72"
NANO, FIRST_NANO = ROOT / "models/released/fer2013-nano", ROOT / "benchmarks/results/nano_92"
VARIANTS = ROOT / "benchmarks/results/fer2013"
TRIED = (VARIANTS / "README.md").read_text(encoding="utf-8").replace("\n", " ")


def load(path: Path) -> dict:
    return read_record(path)


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


def fraction(value: float) -> str:
    return f"{value:.3f}"


def accuracies(*runs: dict) -> list[str]:
    """Return the accuracy of each run on PublicTest and on PrivateTest, as texts write it."""
    return [percent(run[split]["accuracy"]) for run in runs for split in ("validation", "test")]


def minutes(folder: Path) -> str:
    """Return how long the training of a run took, as the documents and the presets write it."""
    return f"{load(folder / 'time.json')['seconds'] / 60:.0f}"


def without_nulls(params: dict) -> dict:
    return {
        section: {key: value for key, value in values.items() if value is not None}
        for section, values in params.items()
    }


def style(name: str) -> tuple[Callable[[float], str], str]:
    """Return how the documents write a score, and what stands behind it."""
    return (percent, " %") if "accuracy" in name else (fraction, "")


def cell(scores: dict, name: str) -> str:
    """Return a score as the documents write it, with its interval where it has one."""
    write, unit = style(name)
    text = write(scores[name]) + unit
    if f"{name}_low" in scores:
        text += f" ({write(scores[f'{name}_low'])} to {write(scores[f'{name}_high'])})"
    return text


def right_answers(metrics: dict) -> tuple[int, int]:
    """Return how many answers on PrivateTest are right: of images that stand elsewhere too, and of the others."""
    right, of_others = (round(metrics[s]["accuracy"] * metrics[s]["images"]) for s in ("test", "test_unique"))
    return right - of_others, of_others


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("accuracy", "accuracy"),
        ("macro F1", "macro_f1"),
        ("balanced accuracy", "balanced_accuracy"),
        ("top-2 accuracy", "top_2_accuracy"),
        ("ROC AUC, mean of the classes", "roc_auc"),
        ("log loss", "log_loss"),
        ("expected calibration error", "expected_calibration_error"),
    ],
)
def test_scores_on_fer2013(title, name):
    metrics = load(RELEASED / "evaluate.json")
    assert f"| {title} | {cell(metrics['test'], name)} | {cell(metrics['test_unique'], name)} |\n" in DOCUMENTS


def test_scores_of_every_seed():
    for folder in (RELEASED, *SEEDS):
        metrics, seed = load(folder / "evaluate.json"), read_yaml(folder / "params.yaml")["train"]["seed"]
        title = f"{seed}, released" if folder == RELEASED else f"[{seed}](../{folder.relative_to(ROOT).as_posix()})"
        columns = [cell(metrics[split], name) for split, name in SEED_COLUMNS]
        assert f"| {' | '.join([title, *columns])} | {minutes(folder)} min |\n" in DOCUMENTS


def test_mean_and_spread_of_the_seeds():
    metrics = [load(folder / "evaluate.json") for folder in (RELEASED, *SEEDS)]
    assert len(metrics) >= 3
    columns = []
    for split, name in SEED_COLUMNS:
        scores = [run[split][name] for run in metrics]
        write, unit = style(name)
        columns.append(f"{write(statistics.mean(scores))}{unit}, {write(statistics.stdev(scores))}")
    assert f"| mean, standard deviation | {' | '.join(columns)} | |\n" in DOCUMENTS
    assert f"Expect {columns[2].split(',')[0]} of this recipe" in PROSE


def test_what_copies_in_training_give():
    folder = ROOT / "benchmarks/results/keep_copies"
    ran, released = (read_yaml(path / "params.yaml") for path in (folder, RELEASED))
    assert (ran["split"].pop("keep_copies"), released["split"].pop("keep_copies")) == (True, False)
    assert without_nulls(ran) == without_nulls(released)
    with_them, without = (load(path / "evaluate.json") for path in (folder, RELEASED))
    shares = [percent(run["test"]["accuracy"]) for run in (with_them, without)]
    assert "has {} % on PrivateTest in place of {} %".format(*shares) in PROSE
    (known, others), (read, others_read) = map(right_answers, (with_them, without))
    images, of_others = (without[split]["images"] for split in ("test", "test_unique"))
    copies = images - of_others
    assert f"Of the {copies} images that stand elsewhere it reads {known} as labeled in place of {read}, " in PROSE
    assert f"of the {of_others:,} others {others:,} in place of {others_read:,}." in PROSE
    assert f"would have {percent((copies + others_read) / images)} %" in PROSE


@pytest.mark.parametrize("folder", SEEDS, ids=[folder.name for folder in SEEDS])
def test_seeds_differ_in_nothing_else(folder):
    """In no param, be it in the preset or not; one that came after a run is null."""
    ran, released = (read_yaml(path / "params.yaml") for path in (folder, RELEASED))
    assert folder.name == f"fer2013-{ran['train']['seed']}"
    assert ran["train"].pop("seed") != released["train"].pop("seed")
    assert without_nulls(ran) == without_nulls(released)


def test_what_a_trained_start_is_worth():
    started, scratch = (ROOT / "benchmarks/results/init_from" / name for name in ("fer2013", "scratch"))
    figures = [percent(load(folder / "evaluate.json")["test"]["accuracy"]) for folder in (started, scratch)]
    line = "end at {} % on FER+'s PrivateTest; from random weights the same five end at {} %"
    assert line.format(*figures) in PROSE
    ran, alone = (read_yaml(folder / "params.yaml") for folder in (started, scratch))
    assert (ran["train"].pop("init_from"), alone["train"].pop("init_from")) == ("fer2013.keras", None)
    assert ran == alone


@pytest.mark.parametrize(
    "folder", LOCKED, ids=[str(folder.relative_to(ROOT / "benchmarks/results")) for folder in LOCKED]
)
def test_figures_are_of_the_run_that_the_lock_names(folder):
    """The lock is what DVC wrote; the other files were copied beside it."""
    stages, params = read_yaml(folder / "dvc.lock")["stages"], read_yaml(folder / "params.yaml")
    for section in ("train", "augmentation", "labels", "compute"):
        assert rename_params(section, stages["train"]["params"]["params.yaml"][section]) == params[section]
    locked = {out["path"]: out["md5"] for stage in ("train", "evaluate") for out in stages[stage]["outs"]}
    for path in ("metrics/evaluate.json", "metrics/train.json", "metrics/curves/history.csv"):
        content = (folder / Path(path).name).read_bytes()
        assert hashlib.md5(content, usedforsecurity=False).hexdigest() == locked[path]
    assert load(folder / "time.json")["md5"] == locked["models/trained.keras"]


def test_what_an_ensemble_as_the_teacher_gave():
    folder = ROOT / "benchmarks/results/ensemble_teacher"
    before, after = (load(path / "evaluate.json") for path in (RELEASED, folder))
    shares = accuracies(after, before)
    assert "came to {} % on PublicTest and {} % on PrivateTest, from {} and {} %".format(*shares) in TRIED
    raw, fitted = (
        [fraction(run["test"][name]) for run in (before, after)] for name in ("log_loss", "calibrated_log_loss")
    )
    assert (
        f"from {raw[0]} to {raw[1]}, with the temperature fitted on PublicTest from {fitted[0]} to {fitted[1]}" in TRIED
    )
    assert f"for {load(folder / 'train.json')['epochs']} epochs, {minutes(folder)} minutes, imitating" in TRIED


def test_what_a_start_from_ferplus_gave():
    folders = [ROOT / "benchmarks/results/from_ferplus" / name for name in ("seven", "average")]
    seven, average = (load(folder / "evaluate.json") for folder in folders)
    shares = accuracies(seven, average)
    assert f"{shares[0]} % on PublicTest, {shares[1]} % on PrivateTest. Its mistakes" in TRIED
    assert f"came to {shares[2]} % on PublicTest and {shares[3]} % on PrivateTest. Again" in TRIED
    others = [load(folder / "evaluate.json") for folder in (RELEASED, FIRST_LONG)]
    losses = [fraction(run["test"]["calibrated_log_loss"]) for run in (seven, average, *others)]
    assert "is {} and then {}, where `fer2013` has {} and the first `fer2013-long` {} at".format(*losses) in TRIED
    marks = [f"{run['validation']['log_loss']:.4f}" for run in (others[0], average)]
    assert f"its log loss on PublicTest is {marks[1]}, that of `fer2013` {marks[0]}." in TRIED
    for folder, words in zip(folders, ("for {} epochs, {} minutes (", "for {} epochs more, {} minutes,"), strict=True):
        assert words.format(load(folder / "train.json")["epochs"], minutes(folder)) in TRIED


def read_variants() -> dict[str, dict[str, str]]:
    with (VARIANTS / "variants.csv").open(encoding="utf-8", newline="") as file:
        return {row["variant"]: row for row in csv.DictReader(file)}


def test_what_more_hours_gave():
    first, second, third = load(FIRST_LONG / "evaluate.json"), read_variants()["long-52"], load(LONG / "evaluate.json")
    epochs = [load(folder / "train.json")["epochs"] for folder in (FIRST_LONG, LONG)]
    assert f"First for {epochs[0]} epochs, {minutes(FIRST_LONG)} minutes, imitating `fer2013-nano`" in TRIED
    assert f"{epochs[1]} epochs, imitating `fer2013` and `fer2013-nano` averaged, in {minutes(LONG)} minutes." in TRIED
    shares = accuracies(first, third)
    assert "{} % on PublicTest, {} % on PrivateTest. Under".format(*shares[:2]) in TRIED
    assert "with {} % on PublicTest and {} % on PrivateTest, and is".format(*shares[2:]) in TRIED
    assert f"{percent(float(second['public_test_with_flip']))} % on PublicTest, 70.0 % on PrivateTest. On" in TRIED
    assert "70.0 % on PrivateTest" in second["note"]
    gain = third["validation"]["accuracy"] - float(second["public_test_with_flip"])
    assert f"to {minutes(LONG)} minutes that brought {percent(gain)} point on PublicTest" in TRIED
    released, came_to = (load(folder / "evaluate.json")["validation"]["log_loss"] for folder in (RELEASED, LONG))
    assert came_to < released
    assert f"below that of `fer2013`, {released:.4f}, was settled before it ended. It came to {came_to:.4f}," in TRIED
    assert f"that of `fer2013`, {released:.3f}, was settled before it ended; it came to {came_to:.3f}." in PROSE


def test_the_end_of_the_curve_of_fer2013_long():
    with (LONG / "history.csv").open(encoding="utf-8", newline="") as file:
        last = list(csv.DictReader(file))[-9:]
    scores = sorted(float(row["val_accuracy"]) for row in last)
    assert all(float(row["learning_rate"]) < 0.0002 for row in last)
    assert f"stays between {percent(scores[0])} and {percent(scores[-1])} % without the mirror image" in TRIED
    training = statistics.mean(float(row["accuracy"]) for row in last)
    assert f"while training images are at {100 * training:.0f} %" in TRIED


def test_what_a_better_teacher_gave_fer2013_nano():
    first, second = (load(folder / "evaluate.json") for folder in (FIRST_NANO, NANO))
    epochs = [load(folder / "train.json")["epochs"] for folder in (FIRST_NANO, NANO)]
    shares = accuracies(first, second)
    assert f"for {epochs[0]} epochs, {minutes(FIRST_NANO)} minutes, imitating `fer2013` as it was by SGD" in TRIED
    assert "{} % on PublicTest, {} % on PrivateTest. Wherever".format(*shares[:2]) in TRIED
    assert f"{epochs[1]} epochs in {minutes(NANO)} minutes" in TRIED
    marks = [run["validation"]["log_loss"] for run in (first, second)]
    assert marks[1] < marks[0]
    assert f"below that of the first, {marks[0]:.4f}, was settled before it began. It came to {marks[1]:.4f}," in TRIED
    assert "with {} % on PublicTest and {} % on PrivateTest, and is `fer2013-nano` now".format(*shares[2:]) in TRIED
    before, int8 = (percent(load(folder / "export.json")["tflite_int8"]["accuracy"]) for folder in (FIRST_NANO, NANO))
    assert f"its int8 file went from {before} to {int8} % on PrivateTest" in TRIED
    speed = load(ROOT / "benchmarks/results/released.json")["milliseconds_a_face"]
    assert f"{int8} % on PrivateTest in {speed['fer2013-nano']:.2f} ms a face, where `fer` takes" in PROSE
    assert f"`fer` takes {speed['fer']:.2f} ms" in PROSE
    assert speed["fer2013-nano"] <= 0.38


def test_fer2013_nano_beside_the_standard():
    rows, standard = read_variants(), load(RELEASED / "evaluate.json")["validation"]
    row, alone = rows["nano-long"], rows["standard-muon"]
    shares = [percent(float(run["public_test"])) for run in (alone, row)]
    assert "had {} % of PublicTest in its best epoch, where this has {} %".format(*shares) in TRIED
    assert f"in {alone['epochs']} epochs and {float(alone['seconds']) / 60:.0f} minutes" in TRIED
    flipped = percent(float(row["public_test_with_flip"]))
    once = percent(load(NANO / "evaluate.json")["validation"]["accuracy"])
    best = percent(standard["accuracy"])
    assert f"{once} %, with the mirror image {flipped} %, and `fer2013` with it {best} %" in PROSE
    assert f"{flipped} % on PublicTest at a log loss of 0.869" in TRIED
    assert "with flip 0.869" in row["note"]
    assert f"ahead of it with {best} % and {standard['log_loss']:.3f}" in TRIED


def test_what_a_teacher_that_predicts_once_gave():
    quick, standard = (ROOT / "benchmarks/results/original_inputs" / name for name in ("quick", "standard"))
    before, after = load(VARIANTS / "fer2013-quick/evaluate.json"), load(quick / "evaluate.json")
    public, private, public_after, private_after = accuracies(before, after)
    gain = f"from {private} to {private_after} % on PrivateTest"
    assert f"goes from {public} to {public_after} % on PublicTest and {gain}, in {minutes(quick)} minutes." in TRIED
    assert f"{gain} in {minutes(quick)} minutes" in PROSE
    before, after = load(RELEASED / "evaluate.json"), load(standard / "evaluate.json")
    public, _, public_after, private_after = accuracies(before, after)
    marks = [f"{run['validation']['log_loss']:.4f}" for run in (before, after)]
    assert f"in accuracy, {public} %, and below it in log loss, {marks[0]}, was settled" in TRIED
    assert f"came to {public_after} % with a log loss of {marks[1]}, and to {private_after} % on PrivateTest" in TRIED
    losses = [fraction(run["test"]["log_loss"]) for run in (before, after)]
    took = f"in {minutes(standard)} minutes"
    assert f"{took}. Log loss on PrivateTest fell from {losses[0]} to {losses[1]}" in TRIED


@pytest.mark.parametrize(("name", "preset"), [("quick", "fer2013-quick"), ("standard", "fer2013")])
def test_a_teacher_that_predicts_once_changed_nothing_else(name, preset):
    cut = {"train.teacher", "train.teacher_share", "train.teacher_inputs", "train.label_smoothing"}
    check_params(ROOT / "benchmarks/results/original_inputs" / name, preset, cut)
    ran = read_yaml(ROOT / "benchmarks/results/original_inputs" / name / "params.yaml")["train"]
    settings = [ran[key.removeprefix("train.")] for key in sorted(cut)]
    assert settings == [0.0, "fer2013-long.keras", "original", 0.7]
    assert all(f"-S {key}={value}" in DOCUMENTS for key, value in zip(sorted(cut), settings, strict=True))


def test_enlarging_does_not_always_pay():
    rows = read_variants()
    shares = [percent(float(rows[name]["public_test_with_flip"])) for name in ("nano-long", "nano-enlarged")]
    assert "has {} % as it is, and {} % enlarging to 52 pixels".format(*shares) in PROSE


def test_what_averaging_gave():
    rows = read_variants()
    ensemble, views = (rows[name] for name in ("ensemble-8", "views-5"))
    shares = [percent(float(row["public_test_with_flip"])) for row in (ensemble, rows["standard-muon-52"], views)]
    assert "have {} % on PublicTest, where the best of them has {} %".format(*shares) in TRIED
    assert f"`fer2013` has {shares[2]} % with them" in TRIED
    long = [percent(float(rows[name]["public_test_with_flip"])) for name in ("views-5-long", "long-100")]
    assert "`fer2013-long` {} in place of {} %".format(*long) in TRIED
    assert "mean gain 0.3 points of accuracy" in views["note"]
    assert "0.3 points on average" in TRIED


def test_scores_by_class_on_fer2013():
    for emotion, scores in load(RELEASED / "evaluate.json")["by_class"].items():
        columns = [fraction(scores[name]) for name in ("precision", "recall", "f1", "roc_auc")]
        assert f"| {' | '.join([emotion, *columns, str(scores['support'])])} |\n" in DOCUMENTS


def test_counts_of_fer2013():
    metrics = load(RELEASED / "dataset.json")
    for count in (metrics["source_images"], metrics["copies"]["total"]):
        assert f"{count:,}" in DOCUMENTS
    for name, where in (("test_in_train", "PrivateTest"), ("val_in_train", "PublicTest")):
        assert f"| {where} images that also stand in Training | {metrics['copies']['across'][name]} (" in DOCUMENTS
    conflicts = metrics["conflicting_labels"]
    assert f"conflicting labels | {conflicts['groups']}, of {conflicts['images']} images" in DOCUMENTS
    assert f"as copies | {metrics['excluded']['total']}, which leaves 28,006, 3,543 and 3,589 |" in DOCUMENTS
    assert [metrics["images"][split]["total"] for split in ("train", "val", "test")] == [28_006, 3_543, 3_589]


def test_kernel_gradients_as_convolutions_train_as_well():
    folder = ROOT / "benchmarks/results/kernel_gradients"
    check_params(folder, "fer2013-quick")
    before, after = (load(path / "evaluate.json") for path in (VARIANTS / "fer2013-quick", folder))
    public, private, *others = accuracies(after, before)
    stated = f"it has {public} % on PublicTest and {private} % on PrivateTest, where it had {' and '.join(others)} %"
    assert stated in PROSE


def test_products_of_matrices_train_as_well():
    folder = ROOT / "benchmarks/results/winograd"
    check_params(folder, "fer2013-quick", {"train.precision"})
    assert load(folder / "train.json")["precision"] == "float32"
    metrics = load(folder / "evaluate.json")
    stated = "{} % on PublicTest and {} % on PrivateTest, macro F1 {}, in {} minutes".format(
        *accuracies(metrics), fraction(metrics["test"]["macro_f1"]), minutes(folder)
    )
    assert f"in float32 by products of matrices ([figures](../benchmarks/results/winograd)) {stated}" in PROSE


def test_readme_opens_with_what_the_released_models_reach():
    shares = sorted(percent(load(path)["test"]["accuracy"]) for path in ROOT.glob("models/released/*/evaluate.json"))
    assert f"FER2013's test split with {shares[0]} to {shares[-1]} % accuracy" in PROSE


@pytest.mark.parametrize("name", ["training_speed", "training_speed_amx"])
def test_speed_of_a_training_step(name):
    results = load(ROOT / f"benchmarks/results/{name}.json")
    networks = results["architectures"].values()
    assert list(results["architectures"]) == ["residual", "vgg_bn"]
    for title, name in (
        ("stock Keras, float32", "keras_float32"),
        ("stock Keras, `mixed_bfloat16`", "keras_mixed_bfloat16"),
        ("ours, float32", "ours_float32"),
        ("ours, `mixed_bfloat16`", "ours_mixed_bfloat16"),
    ):
        rates = [f"{network['images_a_second'][name]['median']:.0f}" for network in networks]
        assert f"| {title} | {' | '.join(rates)} |\n" in DOCUMENTS
    for title, name in (
        ("ours in bfloat16 over stock Keras in float32", "speedup"),
        ("ours over stock Keras, both float32", "speedup_float32"),
        ("those of the convolutions' forward pass alone, bfloat16", "share_of_limit"),
        ("the same in float32", "share_of_limit_float32"),
    ):
        spreads = [network["ratios"][name] for network in networks]
        ratios = [f"{s['median']:.2f} ({s['low']:.2f} to {s['high']:.2f})" for s in spreads]
        assert f"{title} | {' | '.join(ratios)} |\n" in DOCUMENTS


def test_readme_states_the_least_gain_of_a_training_step():
    networks = load(ROOT / "benchmarks/results/training_speed.json")["architectures"].values()
    slowest = min(network["ratios"]["speedup"]["median"] for network in networks)
    assert f"| {slowest:.1f} times the images a second of stock Keras" in DOCUMENTS
    slowest = min(network["ratios"]["speedup_float32"]["median"] for network in networks)
    assert f"| {slowest:.1f} times in float32 |" in DOCUMENTS


def test_speed_of_products_of_matrices():
    """A row for maps and channels, with the ratio in float32; what training does so stands in bold."""
    cases = load(ROOT / "benchmarks/results/winograd.json")["cases"]
    for case in cases:
        ratio = f"{case['ratio']['median']:.2f}"
        cell = f"**{ratio}**" if case["taken"] else ratio
        assert f"| {case['size']}x{case['size']} | {case['channels']} | {cell} |\n" in DOCUMENTS
    assert all(case["ratio"]["median"] < 1.05 for case in cases if case["taken"])


def test_scores_on_the_sample():
    scores = load(ROOT / "metrics/evaluate.json")["test"]
    assert f"accuracy {cell(scores, 'accuracy')}, macro F1 {fraction(scores['macro_f1'])}, on" in DOCUMENTS
    assert 0.75 < scores["accuracy"] < 1, "the sample is worth learning, and not solved"


def test_experiments_on_the_sample():
    """The best comes first, and what is committed is what the sample gives now."""
    with (ROOT / "benchmarks/results/sweep.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    table = " ".join(DOCUMENTS.split())
    for row in rows:
        assert " ".join(list(row.values())[-5:]) in table
    committed, best = rows[:2]
    scores = load(ROOT / "metrics/evaluate.json")
    assert float(committed["test.accuracy"]) == scores["test"]["accuracy"]
    assert float(committed["validation.log_loss"]) == scores["validation"]["log_loss"]
    assert f"{best['rev']} [{best['Experiment']}]" in DOCUMENTS
    assert f"`dvc exp apply {best['Experiment']}`" in DOCUMENTS
    main = f"main {committed['test.accuracy']} {committed['test.macro_f1']} 20 0.08"
    assert main in table


@pytest.mark.parametrize("folder", SCORED, ids=[folder.name for folder in SCORED])
def test_a_preset_states_what_it_gave(folder):
    metrics = load(folder / "evaluate.json")
    header = (ROOT / f"presets/{folder.name}.yaml").read_text(encoding="utf-8").partition("source:")[0]
    for text in (
        f"{cell(metrics['test'], 'accuracy').split(' (')[0]} on PrivateTest",
        f"{percent(metrics['validation']['accuracy'])} % on PublicTest",
        f"macro F1 {fraction(metrics['test']['macro_f1'])}",
        f"in {minutes(folder)} minutes",
    ):
        assert text in header


@pytest.mark.parametrize("folder", SCORED, ids=[folder.name for folder in SCORED])
def test_what_was_scored_is_what_the_preset_trains(folder):
    check_params(folder, folder.name)
