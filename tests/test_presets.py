"""Presets write their values into params.yaml, and nothing else."""

import shutil
from pathlib import Path

import pytest

from emotion.app import cli
from emotion.errors import InputError
from emotion.params import SECTIONS, load_params, read_yaml
from emotion.presets import PRESETS, apply_preset, find_preset, list_presets

ROOT = Path(__file__).parents[1]
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
        assert {key: getattr(getattr(params, section), key) for key in values} == values


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


def test_fer2013_keeps_its_pictures_out_of_the_store(project):
    apply_preset("fer2013")
    assert load_params("source").source.remote == "private"


def test_a_misspelt_preset_lists_those_that_exist(project):
    with pytest.raises(InputError, match=r"did you mean fer2013\? Presets: .*fer2013.*sample"):
        apply_preset("fer213")


def test_presets_are_not_found_outside_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="project's root"):
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


def test_the_command_ends_with_a_message_on_a_misspelt_preset(project, monkeypatch):
    with pytest.raises(SystemExit) as end:
        run("preset", "fer", monkeypatch=monkeypatch)
    assert str(end.value.code).startswith("error: no preset is named 'fer'")
