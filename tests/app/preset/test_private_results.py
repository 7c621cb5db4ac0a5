"""Results of private images leave dvc.lock where params.yaml names the shared store."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from emotion.app.preset.private_results import forget_private_results
from tests.makers import write_params

PIPELINE = """
stages:
  make_sample: {cmd: a, outs: [{data/sample: {remote: store}}]}
  create_dataframe: {cmd: b, params: [source], outs: [{data/dataframe.csv: {remote: "${source.remote}"}}]}
  evaluate: {cmd: c, outs: [metrics/evaluate.json]}
"""


def write_lock(remote: str) -> None:
    params = {"params.yaml": {"source": {"folder": "data/raw", "remote": remote}}}
    stages = {"make_sample": {"cmd": "a"}, "create_dataframe": {"cmd": "b", "params": params}, "evaluate": {"cmd": "c"}}
    with Path("dvc.lock").open("w", encoding="utf-8") as stream:
        YAML().dump({"schema": "2.0", "stages": stages}, stream)


@pytest.fixture
def project(here):
    (here / "dvc.yaml").write_text(PIPELINE, encoding="utf-8")
    write_params(here, source_folder="data/sample", source_remote="store")


@pytest.mark.usefixtures("project")
def test_stages_of_private_images_are_removed():
    write_lock("private")
    assert forget_private_results() == ["create_dataframe"]
    lock = YAML(typ="safe").load(Path("dvc.lock").read_text(encoding="utf-8"))
    assert list(lock["stages"]) == ["make_sample", "evaluate"]
    assert lock["schema"] == "2.0"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("remote", ["store", "private"])
def test_results_stay_where_they_may_be_pushed(remote):
    write_lock("store")
    write_params(Path(), source_folder="data/sample" if remote == "store" else "data/raw", source_remote=remote)
    before = Path("dvc.lock").read_bytes()
    assert forget_private_results() == []
    assert Path("dvc.lock").read_bytes() == before


@pytest.mark.usefixtures("project")
def test_without_results_there_is_nothing_to_remove():
    assert forget_private_results() == []
