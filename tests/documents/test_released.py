"""What is released: card, figures and README.md agree, and the model gives its figures again."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from emotion.core.files import read_json
from emotion.core.params import read_yaml
from emotion.inference.defaults import STANDARD
from emotion.presentation.formats import figure_text, number, percent
from tests.cards import SCORES
from tests.makers import find_fer2013

ROOT = Path(__file__).parents[2]
RELEASED = ROOT / "models/released"
CARDS = sorted(RELEASED.glob("*/README.md"))
MOST_BYTES = 28_000_000
FER2013_IMAGES = 35_887


@pytest.fixture(params=CARDS, ids=[card.parent.name for card in CARDS])
def folder(request):
    """The folder of a release. Those from before there were cards have none, and are left out."""
    return request.param.parent


def test_the_card_states_what_evaluation_gave(folder):
    card, metrics = (folder / "README.md").read_text(encoding="utf-8"), read_json(folder / "evaluate.json")
    for title, name in SCORES.items():
        assert (
            f"| {title} | {figure_text(metrics['test'], name)} | {figure_text(metrics['test_unique'], name)} |\n"
            in card
        )
    for emotion, scores in metrics["by_class"].items():
        columns = [number(scores[name]) for name in ("precision", "recall", "f1", "roc_auc")]
        row = " | ".join([emotion, *columns, f"{scores['support']:,}"])
        assert f"| {row} |" in card
    assert f"the accuracy is {percent(metrics['validation']['accuracy'])}" in card


def test_model_hubs_read_the_same_figures(folder):
    _, head, _ = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    metadata, test = YAML(typ="safe").load(head), read_json(folder / "evaluate.json")["test"]
    ((result,),) = (model["results"] for model in metadata["model-index"])
    figures = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert figures == {"accuracy": test["accuracy"], "f1": test["macro_f1"]}
    if read_json(folder / "dataset.json")["source_images"] == FER2013_IMAGES:
        assert metadata["datasets"] == [result["dataset"]["type"]]
        assert metadata["datasets"][0] in ("fer2013", "ferplus")


def test_the_card_states_what_training_gave(folder):
    card, training = (folder / "README.md").read_text(encoding="utf-8"), read_json(folder / "train.json")
    assert f"{training['parameters']:,} parameters" in card
    assert f"{training['best_epoch']} of {training['epochs']}." in card
    assert f"| train.seed | {read_yaml(folder / 'params.yaml')['train']['seed']} |" in card


def test_the_card_states_the_data(folder):
    card, dataset = (folder / "README.md").read_text(encoding="utf-8"), read_json(folder / "dataset.json")
    source = read_yaml(folder / "params.yaml")["source"]["folder"]
    deps = read_yaml(folder / "dvc.lock")["stages"]["create_dataframe"]["deps"]
    (md5,) = [dep["md5"] for dep in deps if dep["path"] == source]
    assert f"`{md5}`" in card
    assert f"{dataset['source_images']:,} images, of which" in card
    for split in ("train", "val", "test"):
        assert f"{dataset['images'][split]['total']:,} " in card


def test_the_card_names_a_commit_of_this_repository(folder):
    (commit,) = re.findall(r"Commit of the code: `([0-9a-f]{40})`", (folder / "README.md").read_text(encoding="utf-8"))
    git = ["git", "-C", str(ROOT)]
    if subprocess.run([*git, "rev-parse", "--is-shallow-repository"], capture_output=True).stdout != b"false\n":
        pytest.skip("needs git's whole history")
    assert subprocess.run([*git, "merge-base", "--is-ancestor", commit, "HEAD"], capture_output=True).returncode == 0


def test_every_release_is_an_artifact_and_the_other_way_round():
    artifacts = {name: entry for name, entry in read_yaml(ROOT / "dvc.yaml")["artifacts"].items() if name != "model"}
    assert set(artifacts) == {path.name for path in RELEASED.iterdir() if path.is_dir()}
    for name, entry in artifacts.items():
        file = "model.keras" if (RELEASED / name / "model.keras").exists() else "model_int8.tflite"
        assert entry["path"] == f"models/released/{name}/{file}"
        assert (ROOT / entry["path"]).is_file()
        assert entry["type"] == "model"
        assert all(emotion in entry["desc"] for emotion in read_json(RELEASED / name / "evaluate.json")["by_class"])
        assert file.partition(".")[2] in entry["labels"]


def test_the_released_models_keep_a_clone_small():
    sizes = {file: file.stat().st_size for file in RELEASED.glob("*/model*")}
    assert 0 < sum(sizes.values()) < MOST_BYTES, sizes


@pytest.mark.tf
@pytest.mark.fer2013
@pytest.mark.parametrize(
    "folder",
    [
        pytest.param(card.parent, id=card.parent.name, marks=() if card.parent.name == STANDARD else pytest.mark.slow)
        for card in CARDS
    ],
)
def test_the_model_gives_its_accuracy_again(folder, deterministic):
    params = read_yaml(folder / "params.yaml")
    if read_json(folder / "dataset.json")["source_images"] != FER2013_IMAGES:
        pytest.skip("it was not scored on FER2013")
    from emotion.evaluation.metrics import predicted_labels
    from emotion.model_files.probabilities import predict_probabilities
    from emotion.runtimes.engines import load_engine

    keras = (folder / "model.keras").is_file()
    engine = load_engine(folder / ("model.keras" if keras else "model_int8.tflite"))
    images, labels = read_private_test(params["labels"]["scheme"], engine.metadata)
    probabilities = predict_probabilities(engine, images, flip=params["evaluate"]["flip"])
    accuracy = (predicted_labels(probabilities, params["evaluate"]["threshold"]) == labels).mean()
    test = read_json(folder / "evaluate.json")["test"]
    stated = test if keras else read_json(folder / "export.json")["tflite_int8"]
    assert len(labels) == test["images"]
    assert accuracy == pytest.approx(stated["accuracy"], abs=0.001)


def read_private_test(scheme, metadata):
    """Return PrivateTest's images as the model takes them, and their labels, less those of no class."""
    from emotion.core.labels import VOTE_SCHEMES, resolve_scheme
    from emotion.data.images import to_input
    from emotion.ingest.ferplus import choose_by_majority, read_votes
    from emotion.ingest.label_reader import LabelReader
    from emotion.ingest.sources.content import content_of
    from emotion.ingest.sources.locate import open_source

    archive = find_fer2013()
    classes = resolve_scheme(scheme)
    assert classes.emotions == metadata.emotions
    source = open_source(archive.parent, archive.name, LabelReader())
    read = [(entry, content) for batch in source.batches(content_of) for entry, content in batch]
    test = [(entry, content) for entry, content in read if entry.split == "test"]
    emotions = pd.Series([entry.emotion for entry, _ in test])
    if scheme in VOTE_SCHEMES:
        rows = [int(entry.image.removeprefix("row ")) for entry, _ in test]
        votes = read_votes(archive.parent, source)
        assert votes is not None
        emotions = choose_by_majority(votes.counts[rows], emotions)
    labels = emotions.map(classes.label).to_numpy()
    images = np.stack([to_input(decode(content), metadata.size, metadata.color) for _, content in test])
    return images[labels >= 0], labels[labels >= 0]


def decode(content):
    """Return the pixels of an image, uint8 (height, width, channels)."""
    return np.frombuffer(content.pixels, np.uint8).reshape(content.height, content.width, content.channels)
