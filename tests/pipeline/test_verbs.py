"""The verbs of DVC that other files here do not use, in a clone as users have it: shallow, of a bare remote."""

import csv
import io

import pytest

from tests.pipeline.project import Project, cached_outputs, checksums, clone, ran_stages, set_up, share, stored
from tests.pipeline.test_repro import STAGES

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

QUICK = ("--set-param", "plot.mistakes=3")
"""A param that runs one stage only, of a few seconds."""


@pytest.fixture(scope="module")
def bare(finished, tmp_path_factory) -> Project:
    """A bare remote of the finished clone, whose store is committed."""
    folder = tmp_path_factory.mktemp("bare")
    project = clone(finished, folder / "pushing")
    set_up(project)
    finished.run("cp", "-a", ".dvc/cache", str(project.path / ".dvc"))
    project.dvc("checkout")
    project.commit_store()
    return share(project, folder / "bare")


@pytest.fixture(scope="module")
def pulled(bare, tmp_path_factory) -> Project:
    """A shallow clone of one branch, set up and with all outputs. Its tests run in their order."""
    project = clone(bare, tmp_path_factory.mktemp("pulled") / "main", "--single-branch", "--depth", "1", "--no-local")
    set_up(project)
    project.dvc("plots", "show")
    assert "Loss by epoch" in project.read("dvc_plots/index.html"), "plots of git's files need no pull"
    project.dvc("pull")
    return project


def experiments(project: Project) -> set[str]:
    rows = csv.DictReader(io.StringIO(project.dvc("exp", "show", "--csv")))
    return {row["Experiment"] for row in rows if row["Experiment"]}


def test_status_and_dag(pulled):
    assert pulled.status() == {}
    assert pulled.repro() == []
    drawn = pulled.dvc("dag", "--dot")
    assert [stage for stage in STAGES if f'"{stage}"' in drawn] == STAGES
    assert pulled.git("status", "--porcelain") == ""


def test_a_frozen_stage_stays_as_it_is(pulled):
    pulled.set_params({"plot.mistakes": 2})
    pulled.dvc("freeze", "evaluate")
    assert "frozen: true" in pulled.read("dvc.yaml")
    pulled.dvc("unfreeze", "evaluate")
    assert set(pulled.status()) == {"plot"}
    pulled.git("checkout", "--quiet", ".")
    assert pulled.status() == {}


def test_checkout_brings_back_what_is_committed(pulled):
    (pulled.path / "models/model.keras").write_bytes(b"broken")
    (pulled.path / "data/dataframe.csv").unlink()
    pulled.dvc("checkout", "--force")
    assert pulled.status() == {}


def test_commit_records_outputs_that_are_right_already(pulled):
    script = pulled.path / "stages/card.py"
    script.write_text(script.read_text(encoding="utf-8") + "\n# A comment\n", encoding="utf-8")
    assert set(pulled.status()) == {"card"}
    pulled.dvc("commit", "--force", "card")
    assert pulled.status() == {}
    pulled.git("checkout", "--quiet", ".")


def test_an_experiment_from_run_to_branch(pulled):
    assert ran_stages(pulled.dvc("exp", "run", "--name", "quick", *QUICK)) == ["plot"]
    assert "quick" in experiments(pulled)
    assert "plot.mistakes" in pulled.dvc("exp", "diff", "HEAD", "quick")
    assert "plot.mistakes" in pulled.dvc("params", "diff", "HEAD", "quick")
    pulled.git("checkout", "--quiet", ".")
    pulled.dvc("checkout")
    assert pulled.status() == {}
    pulled.dvc("exp", "apply", "quick")
    assert pulled.status() == {}
    assert "mistakes: 3" in pulled.read("params.yaml")
    pulled.dvc("exp", "save", "--name", "saved")
    pulled.dvc("exp", "branch", "quick", "quick-branch")
    assert "quick-branch" in pulled.git("branch", "--list")
    assert "store/" not in pulled.git("diff", "--stat", "HEAD", "quick-branch")
    pulled.git("checkout", "--quiet", ".")
    pulled.dvc("checkout")


def test_an_experiment_beside_the_workspace(pulled):
    # In a shallow clone DVC 3.67 runs the stages and then has no such experiment.
    pulled.git("fetch", "--quiet", "--unshallow")
    before = pulled.read("params.yaml")
    pulled.dvc("exp", "run", "--temp", "--name", "beside", "--set-param", "plot.mistakes=2")
    assert "beside" in experiments(pulled)
    assert pulled.read("params.yaml") == before
    assert pulled.status() == {}


def test_experiments_go_to_the_git_remote_and_come_back(pulled, bare, tmp_path):
    pulled.dvc("exp", "push", "origin", "quick")
    assert "quick" in pulled.dvc("exp", "list", "origin")
    other = clone(bare, tmp_path / "other")
    set_up(other)
    other.dvc("exp", "pull", "--no-cache", "origin", "quick")
    assert "quick" in experiments(other)
    pulled.dvc("exp", "remove", "quick", "saved", "beside")
    assert experiments(pulled) == set()


def test_gc_keeps_what_the_workspace_uses(pulled):
    pulled.dvc("gc", "--workspace", "--force")
    assert pulled.status() == {}
    pulled.dvc("gc", "--workspace", "--cloud", "--remote", "store", "--force")
    assert stored(pulled) == checksums(pulled, *cached_outputs(pulled.path))
    pulled.dvc("gc", "--workspace", "--cloud", "--remote", "private", "--force")
    pulled.forget_data()
    pulled.dvc("fetch")
    pulled.dvc("checkout")
    assert pulled.status() == {}
    assert "in sync" in pulled.dvc("status", "--cloud")
