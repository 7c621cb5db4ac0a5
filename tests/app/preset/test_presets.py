"""Presets write their values into params.yaml, and nothing else."""

import re
import shutil
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from emotion.app import cli
from emotion.app.preset.presets import PRESETS, apply_preset, describe_preset, find_preset, list_presets
from emotion.core.errors import InputError
from emotion.core.labels import resolve_scheme
from emotion.core.params import SECTIONS, load_params, read_yaml
from emotion.networks.cost import multiply_adds
from emotion.networks.registry import build
from emotion.training.build_networks import to_inference_network
from tests.pages import ROOT, read_documents

pytestmark = pytest.mark.tf

DOCUMENTS = read_documents()
NAMES = sorted(path.stem for path in (ROOT / PRESETS).glob("*.yaml"))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with the committed params and presets, as working directory."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / PRESETS, tmp_path / PRESETS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def committed_text():
    return (ROOT / "params.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_gives_valid_params(project, name):
    apply_preset(name)
    params = load_params(*SECTIONS)
    for section, values in read_yaml(find_preset(name)).items():
        assert getattr(params, section).model_dump(mode="json", include=set(values)) == values


@pytest.mark.parametrize("name", NAMES)
def test_comments_and_other_values_stay(project, name):
    apply_preset(name)
    written = Path("params.yaml").read_text(encoding="utf-8").splitlines()
    for before, after in zip(committed_text().splitlines(), written, strict=True):
        key = before.split(":")[0]
        assert after.split(":")[0] == key
        assert after.partition("#")[2] == before.partition("#")[2]


@pytest.mark.parametrize("name", NAMES)
def test_the_sample_preset_restores_the_committed_bytes(project, name):
    apply_preset(name)
    apply_preset("sample")
    assert Path("params.yaml").read_bytes() == (ROOT / "params.yaml").read_bytes()


def test_the_sample_preset_names_every_value(project):
    assert read_yaml(find_preset("sample")) == read_yaml(Path("params.yaml"))


def test_a_second_time_changes_nothing(project):
    assert apply_preset("fer2013")
    assert apply_preset("fer2013") == []


def test_fer2013_keeps_its_images_out_of_the_store(project):
    apply_preset("fer2013")
    assert load_params("source").source.remote == "private"


def test_a_misspelled_preset_lists_those_that_exist(project):
    with pytest.raises(InputError, match=r"fer213.*fer2013\?.*fer2013-quick.*sample"):
        apply_preset("fer213")


def test_presets_are_not_found_outside_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"presets.*root folder of the project"):
        apply_preset("fer2013")


@pytest.mark.parametrize(
    "text", ["train: {epochs: 0}", "train: {lr: 1}", "trian: {}\ntrain: {}", "train: 7", "lr: 0.1"]
)
def test_a_preset_that_gives_wrong_params_writes_nothing(project, text):
    (PRESETS / "broken.yaml").write_text(text, encoding="utf-8")
    if text.startswith("trian"):
        (PRESETS / "broken.yaml").write_text("trian: {epochs: 3}", encoding="utf-8")
    with pytest.raises(InputError):
        apply_preset("broken")
    assert Path("params.yaml").read_text(encoding="utf-8") == committed_text()


def test_the_list_has_a_line_for_each(project):
    assert list(list_presets()) == NAMES
    assert all(line.endswith(".") for line in list_presets().values())


def run(*arguments, monkeypatch):
    monkeypatch.setattr("sys.argv", ["emotion", *arguments])
    cli.main()


def test_the_command_lists_and_applies(project, monkeypatch, capsys):
    run("preset", monkeypatch=monkeypatch)
    assert "fer2013 " in capsys.readouterr().out
    run("preset", "fer2013", monkeypatch=monkeypatch)
    assert "source.folder: data/sample -> data/raw" in capsys.readouterr().out


def test_the_command_prints_values_as_the_file_has_them(project, monkeypatch, capsys):
    run("preset", "fer2013", monkeypatch=monkeypatch)
    printed = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines() if " -> " in line)
    assert printed["evaluate.flip"] == "false -> true"
    before, after = printed["train.progressive_sizes"].split(" -> ")
    assert before == "[]"
    assert f"progressive_sizes: {after}" in Path("params.yaml").read_text(encoding="utf-8")


def test_the_command_ends_with_a_message_on_a_misspelled_preset(project, monkeypatch):
    with pytest.raises(SystemExit) as end:
        run("preset", "fer", monkeypatch=monkeypatch)
    assert re.match("error: .*'fer'.*fer2013", str(end.value.code))


def test_the_list_on_a_terminal_keeps_its_columns(project, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda self: self is sys.stdout)
    run("preset", monkeypatch=monkeypatch)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert max(map(len, lines)) <= 60
    indent = max(map(len, NAMES)) + 2
    assert [line[:indent].strip() for line in lines if line[0] != " "] == NAMES
    words = " ".join(line[indent:] for line in lines).split()
    assert words == " ".join(list_presets().values()).split()


def test_a_preset_of_before_ends_with_2_and_its_new_name(project, monkeypatch, capsys):
    with pytest.raises(SystemExit) as end:
        run("preset", "happy-sad-grey", monkeypatch=monkeypatch)
    assert end.value.code == 2
    assert re.search("happy-sad-grey .*happy-sad-grayscale$", capsys.readouterr().err.strip())
    assert Path("params.yaml").read_text(encoding="utf-8") == committed_text()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "folder"])
def test_a_table_states_what_each_preset_selects(project, name):
    apply_preset(name)
    params = load_params(*SECTIONS)
    classes = len(resolve_scheme(params.labels.scheme).emotions)
    size, color, architecture = params.features.image_size, params.features.color, params.train.architecture
    network = build(architecture, size, params.features.channels, classes)
    network = to_inference_network(network, size, params.train)
    cells = [
        line.strip("| ").split(" | ") for line in DOCUMENTS.splitlines() if line.startswith(f"| `{name}` | {classes} |")
    ]
    stated = cells[0]
    assert stated[1:3] == [str(classes), f"{size}x{size} {color}"]
    assert stated[3].startswith(f"`{architecture}`")
    assert stated[4:] == [f"{network.count_params():,}", f"{multiply_adds(network) / 1e6:.1f}"]


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_says_in_a_line_what_it_is_and_then_what_to_do(name):
    first, blank, *rest = describe_preset(find_preset(name, ROOT / PRESETS)).split("\n")
    assert first.endswith(".")
    assert not blank
    assert any("dvc repro" in line for line in rest)


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_with_teachers_says_how_to_get_them(project, name):
    """From a release, or from one that the history of git has."""
    apply_preset(name)
    text = describe_preset(find_preset(name))
    copies = re.findall(r"^cp (\S+) models/pretrained/(\S+)$", text, re.MULTILINE)
    earlier = re.findall(r"^git show (\S+) > models/pretrained/(\S+)$", text, re.MULTILINE)
    assert [file for _, file in (*copies, *earlier)] == load_params("train").train.teachers
    assert all((ROOT / model).is_file() for model, _ in copies)
    for model, _ in earlier:
        assert re.fullmatch(r"[0-9a-f]{7}:models/released/[a-z0-9-]+/model\.keras", model)


def test_presets_of_published_systems_leave_no_value_of_another(project):
    """One after the other gives what the last alone gives, but for what the sample brings."""
    names = [name for name in NAMES if name not in ("folder", "sample")]
    keys = {(section, key) for section, values in read_yaml(find_preset(names[0])).items() for key in values}
    for name in names:
        assert {(section, key) for section, values in read_yaml(find_preset(name)).items() for key in values} == keys


def test_lists_in_the_style_that_dvc_writes_come_back_in_that_of_the_file(project):
    yaml = YAML()
    content = yaml.load(committed_text())
    content["augmentation"]["zoom"].fa.set_block_style()
    content["labels"]["scheme"] = ["happy", "sad"]
    with Path("params.yaml").open("w", encoding="utf-8") as stream:
        yaml.dump(content, stream)
    reread = Path("params.yaml").read_text(encoding="utf-8")
    assert "  - 0.9\n" in reread
    for name in ("fer2013", "sample"):
        apply_preset(name)
    assert Path("params.yaml").read_text(encoding="utf-8") == committed_text()
