"""The report on a pull request names what changed, also where the base has nothing."""

import pytest
import yaml
from markdown_it import MarkdownIt

from emotion.core.errors import InputError
from emotion.core.paths import EVALUATION_METRICS, PLOTS
from tests.app.metrics.repository import commit, edit, git, make_repository
from tools import report

pytestmark = pytest.mark.medium


def stage(**changes):
    entries = {
        "cmd": "python -m stages.train",
        "deps": [{"path": "emotion/core", "md5": "1"}, {"path": "stages/train.py", "md5": "1"}],
        "params": {"params.yaml": {"train": {"epochs": 20, "seed": 1}}},
        "outs": [{"path": "models/trained.keras", "md5": "1"}],
    }
    return entries | changes


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with metrics and a lock of one stage; DVC finds no difference."""
    make_repository(tmp_path, monkeypatch)
    write_lock({"train": stage()})
    commit()
    monkeypatch.setattr(report, "run_program", lambda command, shown: "No metrics.\n")
    return tmp_path


def write_lock(stages):
    report.LOCK.write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}), encoding="utf-8")


@pytest.mark.parametrize(
    "changes, named",
    [
        ({"params": {"params.yaml": {"train": {"epochs": 5, "seed": 1}}}}, "params `train.epochs`"),
        ({"deps": [{"path": "emotion/core", "md5": "2"}]}, "deps `emotion/core`, `stages/train.py`"),
        ({"outs": [{"path": "models/trained.keras", "md5": "2"}]}, "outs `models/trained.keras`"),
    ],
)
def test_a_change_of_a_stage_is_named(changes, named):
    assert list(report.find_changes({"train": stage()}, {"train": stage(**changes)})) == [("train", named)]


def test_new_removed_and_equal_stages_are_told_apart():
    old, new = {"a": stage(), "b": stage()}, {"a": stage(), "c": stage()}
    assert list(report.find_changes(old, new)) == [("c", "new"), ("b", "removed")]


def test_a_changed_command_is_named():
    ((name, change),) = report.find_changes({"train": stage()}, {"train": stage(cmd="python -m stages.other")})
    assert name == "train"
    assert "python -m stages.other" in change


def test_the_headline_names_both_commits(repository):
    base = git("rev-parse", "HEAD")
    head = commit("second")
    headline = report.render_headline("HEAD~1")
    assert head[:7] in headline
    assert base[:7] in headline


def test_without_changes_no_details_are_shown(repository):
    text = report.render("HEAD")
    assert "|" not in text
    assert "<details>" not in text
    assert "`train`" not in text


def test_figures_by_class_are_compared(repository):
    edit(EVALUATION_METRICS, "by_class", "happy", "recall", value=0.9)
    text = report.render("HEAD")
    assert "| happy | recall | 0.9500 | 0.9000 | -0.0500 |" in text.splitlines()


def test_what_dvc_prints_is_in_the_report(repository, monkeypatch):
    monkeypatch.setattr(report, "run_program", lambda command, shown: " ".join(command[1:]))
    assert "-m dvc metrics diff --all --md main" in report.render("main")


def test_plots_are_images_where_they_exist(repository):
    PLOTS.mkdir()
    (PLOTS / "confusion.png").write_bytes(b"image")
    text = report.render("HEAD")
    assert "](metrics/plots/confusion.png)" in text
    assert "training.png" not in text
    assert "confusion.png" not in report.render("HEAD", plots=False)


def test_a_base_without_results_makes_every_stage_new(repository):
    git("rm", "--quiet", "-r", "--cached", "metrics", "dvc.lock")
    git("commit", "--quiet", "--message", "Nothing has run")
    text = report.render("HEAD")
    assert "`train`: new" in text
    assert "metrics/evaluate.json" in text


BROKEN_LOCKS = [
    "",
    "schema: '2.0'\n",
    "stages:\n",
    "stages: [\n",
    "<<<<<<< HEAD\nstages:\n",
    "- train\n",
    "a: 2026-99-99\n",
]


@pytest.mark.parametrize("text", BROKEN_LOCKS)
def test_a_broken_lock_is_refused_with_the_remedy(repository, text):
    report.LOCK.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"dvc\.lock.*git checkout.*dvc repro"):
        report.render("HEAD")


@pytest.mark.parametrize("text", BROKEN_LOCKS)
def test_a_broken_lock_of_the_base_makes_every_stage_new(repository, text):
    whole = report.LOCK.read_bytes()
    report.LOCK.write_text(text, encoding="utf-8")
    commit()
    report.LOCK.write_bytes(whole)
    assert "`train`: new" in report.render("HEAD")


TRAP = "x` ![shot](metrics/private.png) <img src='/p.png'> | [a](b)\n\n![c](d.png)"


def test_names_are_never_read_as_images_links_or_html(repository, monkeypatch):
    """CML uploads each file that an image names, so no name of a stage, param or figure may become one."""
    row = f"| metrics/summary.json | {TRAP} | 1 | 2 | 1 |"
    monkeypatch.setattr(
        report, "run_program", lambda *_: f"| Path | Metric | a | b | c |\n|---|---|---|---|---|\n{row}"
    )
    edit(EVALUATION_METRICS, "by_class", TRAP, value={TRAP: 0.5})
    write_lock({"train": stage(params={"params.yaml": {TRAP: 1}}, cmd=TRAP), TRAP: stage()})
    git("branch", "a`<b>|!`")
    text = report.render("a`<b>|!`")
    kinds = {token.type for token in inline_tokens(text)}
    assert not kinds & {"image", "link_open", "html_inline"}
    assert text.count("private.png") >= 5


def inline_tokens(text):
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    return [token for block in tokens for token in block.children or []]


def test_without_a_lock_the_message_says_what_to_run(repository):
    report.LOCK.unlink()
    with pytest.raises(InputError, match=r"dvc\.lock.*dvc repro"):
        report.render("HEAD")


def test_a_wrong_base_lists_what_exists(repository):
    with pytest.raises(InputError, match=r"'origin/main'.*main"):
        report.render("origin/main")


def test_the_command_writes_the_file(repository, monkeypatch):
    monkeypatch.setattr("sys.argv", ["report", "--base", "main", "--output", "out.md"])
    report.main()
    assert (repository / "out.md").read_text(encoding="utf-8").startswith("## ")
