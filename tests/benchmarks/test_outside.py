"""The models on photos outside FER2013: the committed figures are of the released files, and the cards state them."""

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import outside, outside_tables
from benchmarks.outside_tables import list_releases, put_section, read_reports, render_outside, render_section
from benchmarks.released_report import PACKAGE_NAME
from emotion.app.file_hash import hash_file
from emotion.core.errors import InputError
from emotion.core.files import read_json
from emotion.core.metadata import ModelMetadata
from emotion.presentation.formats import figure_text
from emotion.runtimes.engines import load_engine
from tests.makers import encode, write_files, write_onnx

pytestmark = pytest.mark.medium

CARD = "# name\n\n## Figures\n\nrows\n\n### Files\n\nfiles\n"


@pytest.fixture
def releases(monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    return list_releases()


def test_the_committed_figures_are_of_the_released_files(releases):
    result = read_json(outside_tables.OUTSIDE)
    measured = {name: file["sha256"] for name, file in result["models"].items()}
    remedy = "run `python -m benchmarks.outside`"
    assert {name: hash_file(path) for name, path in releases.items()} == measured, remedy
    assert {*releases, PACKAGE_NAME} == set(read_reports()), remedy


def test_the_cards_and_the_table_state_the_committed_figures(releases):
    result, table = read_json(outside_tables.OUTSIDE), render_outside()
    for name, report in read_reports().items():
        scores = report["all"]
        assert (scores["images"], list(scores["by_emotion"])) == (625, ["angry", "happy", "sad", "surprise", "neutral"])
        assert f"| `{name}` | {figure_text(scores, 'accuracy')} |" in table
        if name in releases:
            card = (releases[name].parent / "README.md").read_text(encoding="utf-8")
            assert put_section(card, render_section(name, result)) == card
            assert figure_text(scores, "macro_f1") in card
            assert "chosen with the help of faces_wild" in card


def test_a_section_takes_the_place_of_the_one_before():
    card = put_section(CARD, "### Outside\n\nold\n")
    assert card.index("rows") < card.index("old") < card.index("### Files")
    assert put_section(card, "### Outside\n\nnew\n") == card.replace("old", "new")
    assert put_section(card, "") == CARD


def test_each_model_is_scored_on_each_data_set(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (6, 30, 30), dtype=np.uint8)
    names = [f"{emotion}/{number}.png" for emotion in ("happy", "fear") for number in range(3)]
    for data in ("faces_wild", "mine"):
        write_files(tmp_path / data, dict(zip(names, map(encode, images), strict=True)))
    folder = tmp_path / "models/released/one"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    write_onnx(folder / "model.onnx", ModelMetadata(("happy", "fear", "sad"), 24, "rgb"))
    monkeypatch.setattr(outside, "list_releases", lambda: {"one": folder / "model.onnx"})
    monkeypatch.setattr(outside, "load_fer", lambda: load_engine(folder / "model.onnx"))
    monkeypatch.setattr(outside, "describe_machine", dict)
    monkeypatch.setattr(outside, "OUTSIDE", Path("outside.json"))
    outside.compare(Path("faces_wild"), [Path("mine")])
    reports = read_json(Path("outside.json"))["data"]
    scored = {
        (data, model): report["data"]["images"] for data, models in reports.items() for model, report in models.items()
    }
    assert scored == {("faces_wild", "one"): 3, ("faces_wild", "fer"): 3, ("mine", "one"): 6, ("mine", "fer"): 6}
    assert all(report["model"]["flip"] for models in reports.values() for report in models.values())
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert re.search(r"^\| mine \| 6 \|", card, flags=re.MULTILINE)
    assert "faces_wild, one: accuracy" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"missing.*--faces-wild"):
        outside.compare(Path("missing"), [])


def test_the_package_gets_its_own_scale(monkeypatch):
    seen = []

    class Network:
        def __init__(self, content):
            assert content == b"file"

        def __call__(self, image):
            seen.append(image)
            return np.full((1, 7), 1 / 7, np.float32)

    monkeypatch.setattr("benchmarks.latency.LiteNetwork", Network)
    engine = outside.FerEngine(b"file", 1.2)
    images = np.stack([np.full((64, 64, 1), value, np.uint8) for value in (0, 255)])
    assert engine.predict(images, batch_size=8, verbose=0).shape == (2, 7)
    assert [(image.shape, float(image.min())) for image in seen] == [((1, 64, 64, 1), -1.0), ((1, 64, 64, 1), 1.0)]
