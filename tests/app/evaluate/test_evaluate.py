"""`emotion evaluate`: its figures are those of the images, by hand and by scikit-learn; wrong input is refused."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, recall_score

from emotion.app.evaluate.crops import FaceSettings, describe_crop, resolve_crops
from emotion.app.evaluate.option_values import find_model
from emotion.app.evaluate.scoring import NAMED
from emotion.core.emotion_names import EMOTIONS, KNOWN_EMOTIONS
from emotion.core.errors import InputError
from emotion.core.metadata import ModelMetadata
from emotion.data.images import read_image
from emotion.faces.crop import crop_face
from emotion.faces.detection import Box
from emotion.faces.detectors import choose_detector
from emotion.faces.whole_image import whole_image
from emotion.inference.defaults import STANDARD
from emotion.inference.predictor import find_standard
from emotion.ingest.sources.source import Entry
from emotion.model_files.probabilities import predict_probabilities
from emotion.runtimes.engines import load_engine
from tests.makers import csv_text, encode, make_rows, write_files, write_onnx, write_tar

pytestmark = pytest.mark.medium


def make_noise(count, size=48, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size), dtype=np.uint8)


def write_folder(folder, counts, **options):
    """Write a folder of noise per emotion."""
    images = iter(make_noise(sum(counts.values()), **options))
    names = [f"{name}/{number}.png" for name, count in counts.items() for number in range(count)]
    return write_files(folder, {name: encode(next(images)) for name in names})


@pytest.fixture(scope="session")
def random_model(tmp_path_factory):
    """A model of seven emotions and random weights."""
    metadata = ModelMetadata(EMOTIONS, 48, "grayscale", temperature=1.5)
    return write_onnx(tmp_path_factory.mktemp("model") / "model.onnx", metadata)


@pytest.fixture
def evaluate(run_emotion, random_model):
    """Run `emotion evaluate` and return its report."""

    def run(data, *options, model=random_model):
        status, printed, errors = run_emotion("evaluate", "--model", model, "--data", data, "--json", "-", *options)
        assert (status, errors) == (0, "")
        return json.loads(printed)

    return run


@pytest.fixture
def refuse(run_emotion, random_model):
    """Run `emotion evaluate`, which must refuse its input, and return the message."""

    def run(data, *options, model=random_model):
        status, printed, _ = run_emotion("evaluate", "--model", model, "--data", data, *options)
        assert printed == ""
        assert str(status).startswith("error: ")
        return str(status)

    return run


def test_the_figures_are_those_of_the_images(evaluate, random_model, tmp_path):
    folder = write_folder(tmp_path / "faces", {"Happy_faces": 30, "sadness": 25, "surprise": 20, "contempt": 4})
    report = evaluate(folder, "--emotions", "happy,sad,anger")
    paths = [*sorted(folder.glob("Happy*/*"), key=str), *sorted(folder.glob("sad*/*"), key=str)]
    images = np.stack([read_image(path) for path in paths])
    y_true = np.repeat([EMOTIONS.index("happy"), EMOTIONS.index("sad")], [30, 25])
    probabilities = predict_probabilities(load_engine(random_model), images, flip=False)
    y_pred = probabilities.argmax(axis=1)
    assert set(y_pred) - set(y_true), "some answers must be emotions that no image shows"
    assert report["data"]["images"] == report["all"]["images"] == 55
    assert report["data"]["not_in_model"] == {"contempt": 4}
    assert report["data"]["not_chosen"] == {"surprise": 20}
    recall = recall_score(y_true, y_pred, labels=[3, 4], average=None)
    expected = {
        "accuracy": accuracy_score(y_true, y_pred),
        "balanced_accuracy": recall.mean(),
        "macro_f1": f1_score(y_true, y_pred, labels=[3, 4], average="macro"),
        "log_loss": log_loss(y_true, probabilities, labels=range(7)),
    }
    for name, value in expected.items():
        assert report["all"][name] == pytest.approx(value, abs=1e-4), name
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        assert report["all"][f"{name}_low"] < report["all"][name] < report["all"][f"{name}_high"]
    rows = report["all"]["by_emotion"]
    assert list(rows) == list(report["confusion"]) == ["happy", "sad"]
    assert [row["recall"] for row in rows.values()] == pytest.approx(recall, abs=1e-4)
    assert all(row["recall_low"] <= row["recall"] <= row["recall_high"] for row in rows.values())
    counts = {actual: list(answers.values()) for actual, answers in report["confusion"].items()}
    assert counts["happy"] == np.bincount(y_pred[:30], minlength=7).tolist()
    assert report["faces"] == {"searched": 0, "found": 0, "not_found": 0, "not_searched": 55}
    assert report["all"] == report["found"]


def test_faces_are_counted_and_unreadable_images_too(evaluate, astronaut, tmp_path):
    files = {
        "happy/astronaut.png": encode(astronaut),
        "happy/noise.png": encode(make_noise(1, 300)[0]),
        "sad/small.png": encode(make_noise(1, 60)[0]),
        "sad/broken.png": b"no image",
    }
    report = evaluate(write_tar(tmp_path / "photos.tar", files))
    assert report["faces"] == {"searched": 2, "found": 1, "not_found": 1, "not_searched": 1}
    assert (report["data"]["images"], report["data"]["unreadable"]) == (3, 1)
    assert list(report["data"]["unreadable_images"]) == ["sad/broken.png"]
    assert (report["all"]["images"], report["found"]["images"]) == (3, 2)
    whole = evaluate(tmp_path / "photos.tar", "--detector", "whole")
    assert whole["faces"] == {"searched": 0, "found": 0, "not_found": 0, "not_searched": 3}


def test_the_report_names_unreadable_images_and_warns_of_few(run_emotion, random_model, tmp_path):
    files = {f"happy/{number}.png": encode(image) for number, image in enumerate(make_noise(29))}
    broken = {f"sad/broken\n{number}.png": b"no image" for number in range(NAMED + 1)}
    data = write_tar(tmp_path / "photos.tar", files | broken)
    status, printed, _ = run_emotion("evaluate", "--model", random_model, "--data", data)
    assert status == 0
    assert f"{NAMED + 1} images that cannot be read" in printed
    lines = [line for line in printed.splitlines() if "broken" in line]
    assert [line.split(":")[0] for line in lines] == [rf"  sad/broken\n{number}.png" for number in range(NAMED)]
    assert "of 29 images. So few make them too narrow" in printed


def test_a_face_is_cut_out_as_the_predictor_does_it(astronaut):
    metadata = ModelMetadata(EMOTIONS, 64, "rgb", margin=0.2)
    entry, settings = Entry("a.png", "happy", None), resolve_crops(metadata, FaceSettings("auto"))
    content = describe_crop(astronaut, entry, frozenset({("happy", None)}), settings)
    (face, *_) = choose_detector("yunet", default="yunet", smallest=40).detect(astronaut)
    expected = crop_face(astronaut, face, 0.2, 64, "rgb")
    assert np.array_equal(np.frombuffer(content.pixels, np.uint8).reshape(64, 64, 3), expected)
    boxed = describe_crop(astronaut, entry._replace(box=Box(0, 0, 100, 100)), frozenset({("happy", None)}), settings)
    assert boxed.faces == 0, "the face is not in the box, so the square around the box is taken"
    assert boxed.pixels == crop_face(astronaut[:100, :100], whole_image(astronaut[:100, :100]), 0, 64, "rgb").tobytes()


def test_splits_and_persons_come_from_a_manifest(evaluate, tmp_path):
    write_files(tmp_path, {f"images/{number}.png": encode(image) for number, image in enumerate(make_noise(40))})
    lines = ["image,emotion,split,group"]
    for number in range(40):
        split = ("train", "test")[number % 2]
        lines.append(f"images/{number}.png,{('happy', 'sad')[number // 20]},{split},person {number // 8}")
    manifest = tmp_path / "people.csv"
    manifest.write_text("\n".join(lines), encoding="utf-8")
    report = evaluate(manifest)
    assert (report["data"]["split"], report["data"]["images"], report["data"]["other_splits"]) == ("test", 20, 20)
    assert (report["intervals"]["bootstrap_by"], report["all"]["groups"]) == ("group", 5)
    assert evaluate(manifest, "--split", "all")["data"]["images"] == 40
    assert evaluate(manifest, "--split", "train")["data"]["split"] == "train"


def test_groups_are_compared_by_the_columns_of_a_manifest(run_emotion, random_model, refuse, tmp_path):
    write_files(tmp_path, {f"images/{number}.png": encode(image) for number, image in enumerate(make_noise(90, 24))})
    halves = (number % 2 for number in range(90))
    rows = [
        f"images/{number}.png,{('happy', 'sad')[half]},{'fmx'[number // 40]},one,{half}"
        for number, half in enumerate(halves)
    ]
    manifest = tmp_path / "people.csv"
    manifest.write_text("\n".join(["image,emotion,sex,site,half", *rows]), encoding="utf-8")
    options = ("--model", random_model, "--data", manifest, "--json", tmp_path / "report.json")
    status, text, _ = run_emotion("evaluate", *options, "--groups", "sex", "--groups", "half")
    assert status == 0
    groups = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["groups"]
    assert [*groups] == ["sex", "half"]
    column = groups["sex"]
    assert {value: row["images"] for value, row in column["values"].items()} == {"f": 40, "m": 40, "x": 10}
    assert "accuracy" not in column["values"]["x"]
    assert {column["largest_gap"]["higher"], column["largest_gap"]["lower"]} == {"f", "m"}
    assert "largest gap of accuracy" in text
    for name, expected in (("age", "sex, site, half"), ("site", "one")):
        message = refuse(manifest, "--groups", name)
        assert "--groups" in message
        assert expected in message


def test_a_table_of_pixels_is_scored_by_its_test_split(evaluate, tmp_path):
    path = tmp_path / "fer2013.csv"
    path.write_text(csv_text(make_rows(per_class=2, size=48)), encoding="utf-8")
    report = evaluate(path)
    assert (report["data"]["split"], report["data"]["images"], report["data"]["other_splits"]) == ("test", 14, 28)
    assert set(report["all"]["by_emotion"]) == set(EMOTIONS)


@pytest.mark.parametrize(
    "emotions, options, images, left_out",
    [
        (KNOWN_EMOTIONS, (), 6, {"bored": 3}),
        (("sad", "happy"), (), 4, {"bored": 3, "surprise": 2}),
        (("negative", "positive"), ("--scheme", "[{positive: [happy, surprise]}, {negative: [sad]}]"), 6, {"bored": 3}),
        (("bored", "happy"), (), 5, {"sad": 2, "surprise": 2}),
    ],
)
def test_emotions_are_matched_by_name(evaluate, tmp_path, emotions, options, images, left_out):
    folder = write_folder(tmp_path / "faces", {"happy": 2, "sad": 2, "surprise": 2, "bored": 3}, size=24)
    model = write_onnx(tmp_path / "other.onnx", ModelMetadata(emotions, 24, "grayscale"))
    report = evaluate(folder, *options, model=model)
    assert report["data"]["images"] == images
    assert report["data"]["not_in_model"] == left_out
    assert report["model"]["emotions"] == list(emotions)


def test_mirror_images_are_averaged_as_the_model_says_or_as_the_user_does(evaluate, tmp_path):
    folder = write_folder(tmp_path / "faces", {"happy": 5, "sad": 5})
    model = write_onnx(tmp_path / "mirrored.onnx", ModelMetadata(EMOTIONS, 48, "grayscale", flip=True))
    default, averaged, alone = (
        evaluate(folder, *options, model=model) for options in ((), ("--flip",), ("--no-flip",))
    )
    assert default == averaged
    assert (default["model"]["flip"], alone["model"]["flip"]) == (True, False)
    assert default["all"]["log_loss"] != alone["all"]["log_loss"]


def test_numbers_need_a_numbering(evaluate, refuse, tmp_path):
    write_files(tmp_path, {f"{number}.png": encode(image) for number, image in enumerate(make_noise(6))})
    manifest = tmp_path / "numbers.csv"
    manifest.write_text("image,label\n" + "".join(f"{number}.png,{number % 2}\n" for number in range(6)))
    assert "--numbers" in (message := refuse(manifest))
    assert "params.yaml" not in message
    assert set(evaluate(manifest, "--numbers", "{0: happy, 1: sad}")["all"]["by_emotion"]) == {"happy", "sad"}
    assert set(evaluate(manifest, "--numbers", "fer2013")["all"]["by_emotion"]) == {"angry", "disgust"}
    assert "--numbers" in refuse(manifest, "--numbers", "unknown")


def test_the_table_and_the_files_state_the_same_figures(run_emotion, random_model, tmp_path):
    folder = write_folder(tmp_path / "faces", {"happy": 5, "sad": 4, "contempt": 1})
    options = ("--json", tmp_path / "new/report.json", "--plot", tmp_path / "new/plot.png")
    status, text, errors = run_emotion("evaluate", "--model", random_model, "--data", folder, *options)
    assert (status, errors) == (0, "")
    report = json.loads((tmp_path / "new/report.json").read_text(encoding="utf-8"))
    assert f"{100 * report['all']['accuracy']:.1f} % (" in text
    assert "1 contempt" in text
    assert (tmp_path / "new/plot.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["plot.png", "report.json"]


def test_no_file_of_the_user_is_lost(refuse, random_model, tmp_path):
    folder = write_folder(tmp_path / "faces", {"happy": 1, "sad": 1})
    model = Path(shutil.copy(random_model, tmp_path / "own.onnx"))
    manifest = write_files(folder, {"faces.csv": b"image,emotion\nhappy/0.png,happy\nsad/0.png,sad\n"}) / "faces.csv"
    before = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()}
    assert "the data" in refuse(manifest, "--overwrite", "--json", manifest)
    assert "the data" in refuse(folder, "--overwrite", "--plot", folder / "happy/0.png")
    assert "the data" in refuse(folder, "--overwrite", "--plot", folder / "plot.png")
    assert "one of the images" in refuse(manifest, "--overwrite", "--plot", folder / "sad/0.png")
    assert "one of the images" in refuse(manifest, "--overwrite", "--json", folder / "happy/../sad/0.png")
    assert "the model" in refuse(folder, "--overwrite", "--json", model, model=model)
    assert "two files" in refuse(folder, "--overwrite", "--json", tmp_path / "one.png", "--plot", tmp_path / "one.png")
    os.mkfifo(tmp_path / "pipe")
    assert "a pipe" in refuse(folder, "--overwrite", "--json", tmp_path / "pipe")
    assert {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()} == before
    assert (tmp_path / "pipe").is_fifo()


def test_a_release_is_named_without_its_folder(tmp_path):
    assert find_model(Path(STANDARD)).as_posix().endswith(f"released/{STANDARD}/model.keras")
    assert find_model(None) == find_standard()
    assert find_model(find_standard().parent).name == "model.keras"
    with pytest.raises(InputError, match=rf"--model: got '{tmp_path}', .*releases .*{STANDARD}"):
        find_model(tmp_path)
    assert find_model(tmp_path / STANDARD) == tmp_path / STANDARD


@pytest.mark.parametrize(
    "folders, options, expected",
    [
        ({"contempt": 2, "bored": 2}, (), ("no emotion in common", "angry", "bored, contempt", "--scheme")),
        ({"happy": 2}, ("--emotions", "sad"), ("no emotion in common", "--emotions sad")),
        ({"happy": 2}, ("--emotions", "hapyp"), ("--emotions", "hapyp", "happy")),
        ({"happy": 2}, ("--split", "val"), ("--split", "val", "all")),
        ({"happy": 2}, ("--scheme", "[{positive: [happy, surprise]}, sad]"), ("--scheme", "positive", "angry")),
        ({"happy": 2}, ("--scheme", "none"), ("--scheme", "none", "seven")),
        ({"happy": 2}, ("--plot", "plot.jpg"), ("--plot", ".png")),
        ({"happy": 2}, ("--json", "."), ("--json", "folder")),
        ({"happy": 2}, ("--json", "/dev/null/report.json"), ("--json", "/dev/null")),
        ({".": 3}, (), ("faces", "layout is unknown")),
    ],
)
def test_what_cannot_be_scored_is_refused(refuse, tmp_path, folders, options, expected):
    message = refuse(write_folder(tmp_path / "faces", folders), *options)
    for part in expected:
        assert part in message


def test_missing_and_unreadable_files_are_refused(refuse, tmp_path):
    assert "missing does not exist" in refuse(tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    assert "no images. Name a folder" in refuse(tmp_path / "empty")
    broken = write_files(tmp_path / "faces", {f"happy/{number}.png": b"no image" for number in range(3)})
    message = refuse(broken)
    assert "none of 3" in message
    assert "happy/0.png" in message
    assert "unknown-release" in refuse(broken, model="unknown-release")
    assert "missing.onnx is missing" in refuse(broken, model=tmp_path / "missing.onnx")


def test_a_folder_in_a_store_gives_the_figures_of_a_folder_here(tmp_path, evaluate, refuse, memory):
    write_folder(tmp_path / "faces", {"happy": 6, "sad": 4})
    for path in (tmp_path / "faces").rglob("*.png"):
        memory.pipe_file(f"/bucket/{path.relative_to(tmp_path).as_posix()}", path.read_bytes())
    there = evaluate("memory://bucket/faces", "--detector", "whole")
    assert there == evaluate(tmp_path / "faces", "--detector", "whole")
    assert "memory://bucket/gone" in refuse("memory://bucket/gone")
