"""Released models in other repositories: had from a bare remote by its address, with no settings of a DVC remote."""

import json

import cv2
import pytest
from skimage import data

from tests.pipeline.project import BIN, ROOT, Project, clone

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

MODEL = "models/released/photo/model.keras"
CONTENT = (ROOT / MODEL).read_bytes()
OTHER = b"the model of a later version"

API = f"""
import json, sys
import dvc.api

repo = {{"repo": sys.argv[1], "rev": "main"}}
with dvc.api.open({MODEL!r}, mode="rb", **repo) as file:
    opened = file.read()
assert dvc.api.read({MODEL!r}, mode="rb", **repo) == opened
assert opened == open(sys.argv[2], "rb").read()
print(json.dumps([dvc.api.params_show(**repo), dvc.api.metrics_show(**repo)]))
"""


@pytest.fixture(scope="module")
def bare(origin, tmp_path_factory):
    """The address of a bare clone with the working tree as its last commit, and two annotated versions of a release.

    Version v1.0.0 is the released model and the one in production. A later commit is v1.1.0. It has another file in the
    model's place, and a lightweight tag too.
    """
    folder = tmp_path_factory.mktemp("bare")
    owner = clone(origin, folder / "owner")
    tag(owner, "photo@v1.0.0")
    tag(owner, "photo#prod#1")
    owner.git("branch", "released")
    (owner.path / MODEL).write_bytes(OTHER)
    owner.commit("Another model")
    tag(owner, "photo@v1.1.0")
    owner.git("tag", "photo@v1.2.0")
    owner.git("reset", "--quiet", "--hard", "released")
    owner.git("clone", "--quiet", "--bare", ".", str(folder / "bare.git"))
    return (folder / "bare.git").as_uri()


def tag(project: Project, name: str) -> None:
    project.git("tag", "--annotate", name, "--message", name)


@pytest.fixture
def other(origin, tmp_path):
    """Another repository, with DVC and nothing else."""
    project = Project(tmp_path, origin.environment)
    project.git("init", "--quiet")
    project.dvc("init", "--quiet")
    return project


def test_a_model_is_listed_and_got(bare, other):
    assert "model.keras" in other.dvc("list", bare, "models/released/photo").splitlines()
    other.dvc("get", bare, MODEL)
    assert (other.path / "model.keras").read_bytes() == CONTENT


def test_a_model_is_imported_and_pulled_again(bare, other):
    other.dvc("import", bare, MODEL)
    assert (other.path / "model.keras").read_bytes() == CONTENT
    other.commit("Import")
    fresh = clone(other, other.path / "fresh")
    fresh.dvc("pull")
    assert (fresh.path / "model.keras").read_bytes() == CONTENT


def test_python_opens_a_model_and_reads_params_and_metrics(bare, other):
    printed = other.run("python", "-c", API, bare, str(ROOT / MODEL))
    params, metrics = json.loads(printed.splitlines()[-1])
    assert params["labels"]["scheme"]
    assert "accuracy" in json.dumps(metrics)


@pytest.mark.parametrize(
    "options, content",
    [(["--rev", "v1.0.0"], CONTENT), (["--stage", "prod"], CONTENT), ([], OTHER)],
    ids=["version", "stage", "latest"],
)
def test_a_tag_makes_a_version_of_a_release(bare, other, options, content):
    other.dvc("artifacts", "get", bare, "photo", *options)
    assert (other.path / "model.keras").read_bytes() == content


def test_a_lightweight_tag_makes_no_version(bare, other):
    printed = other.dvc("artifacts", "get", bare, "photo", "--rev", "v1.2.0", fails=True)
    assert "v1.2.0" in printed
    assert not (other.path / "model.keras").exists()


def test_a_clone_reads_photos_at_once(bare, origin, tmp_path):
    origin.git("clone", "--quiet", "--single-branch", "--branch", "released", "--depth", "1", bare, str(tmp_path / "c"))
    fresh = Project(tmp_path / "c", origin.environment)
    cv2.imwrite(str(tmp_path / "photo.png"), cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR))
    command = (str(BIN / "emotion"), "predict", str(tmp_path / "photo.png"), "--json")
    printed = fresh.run(*command, variables={"PYTHONPATH": str(fresh.path)})
    (face,) = json.loads(printed.splitlines()[-1])["faces"]
    assert face["emotion"] == "happy"
