"""Nothing of private images leaves: git and the store hold neither their names nor their pixels after a whole run."""

import io
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.pipeline.project import BIN, Project, cached_outputs, checksums, clone, set_up, stored

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

NAME = "alice_smith"
SIZE, BLOCKS = 48, 4
SCALES = np.geomspace(0.8, 4, 16)
FOUND = 0.9
"""Correlation from which a part of a plot counts as the pattern. Other plots reach 0.75."""


@pytest.fixture(scope="module")
def pattern() -> np.ndarray:
    """Blocks of black and white that every private image shows, uint8 (SIZE, SIZE)."""
    blocks = np.random.default_rng(7).permutation(np.arange(BLOCKS**2) % 2).reshape(BLOCKS, BLOCKS)
    return np.kron(blocks * 255, np.ones((SIZE // BLOCKS, SIZE // BLOCKS))).astype(np.uint8)


@pytest.fixture(scope="module")
def run(small_origin, pattern, tmp_path_factory) -> Project:
    """A clone after preset `folder` on private images: everything was run, pushed and committed in all ways."""
    project = clone(small_origin, tmp_path_factory.mktemp("private") / "main")
    _write_images(project.path / "data/raw", pattern)
    _preset(project, "folder")
    project.set_params({"labels.scheme": ["happy", "sad"], "augmentation.erase": 0.0})
    set_up(project)
    project.dvc("repro")
    project.dvc("exp", "save", "--name", "saved")
    project.git("commit", "--quiet", "--all", "--message", "A run on private images")
    project.dvc("exp", "run", "--name", "other", "--set-param", "evaluate.bins=10")
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message", "Everything that git does not ignore")
    project.dvc("push")
    project.dvc("push", "--all-commits", "--run-cache")
    return project


def _write_images(folder: Path, pattern: np.ndarray) -> None:
    """Write 60 images that differ in a few pixels only; their names are that of a person."""
    generator = np.random.default_rng(0)
    for emotion in ("happy", "sad"):
        (folder / emotion).mkdir()
        for number in range(30):
            image = pattern.copy()
            image[:4, :4] = generator.integers(0, 256, (4, 4))
            cv2.imwrite(str(folder / emotion / f"{NAME}_{number}.png"), image)
    (folder / "sad" / f"{NAME}_broken.png").write_bytes(b"no image")


def _preset(project: Project, name: str) -> None:
    project.run(str(BIN / "emotion"), "preset", name, variables={"PYTHONPATH": str(project.path)})
    project.set_params({"source.rejected_share": 0.1, "train.batch_size": 16})


def git_objects(project: Project, origin: Project) -> Iterator[bytes]:
    """Yield the content of every object that the clone has and its origin lacks, of any branch, experiment or stash."""
    new = "\n".join(sorted(_object_names(project) - _object_names(origin)))
    stream = io.BytesIO(_git(project, "cat-file", "--batch", given=new.encode()))
    while header := stream.readline():
        yield stream.read(int(header.split()[2]) + 1)[:-1]


def _object_names(project: Project) -> set[str]:
    listed = _git(project, "cat-file", "--batch-all-objects", "--batch-check")
    return {line.split()[0] for line in listed.decode().splitlines()}


def _git(project: Project, *arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run(["git", *arguments], cwd=project.path, input=given, capture_output=True, check=True).stdout


def remote_objects(project: Project, remote: str) -> Iterator[bytes]:
    """Yield the content of every file of a DVC remote in the repository's folder."""
    return (path.read_bytes() for path in sorted((project.path / remote).rglob("*")) if path.is_file())


def shows(content: bytes, pattern: np.ndarray) -> bool:
    """Return whether `content` has the pattern: as a plot at any scale, or as an array."""
    if content.startswith(b"\x89PNG"):
        plot = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
        return plot is not None and correlation(plot, pattern) > FOUND
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = b"".join(archive.read(member) for member in archive.namelist())
    return pattern[SIZE // 2 : SIZE // 2 + 4].tobytes() in content


def correlation(plot: np.ndarray, pattern: np.ndarray) -> float:
    """Return the largest correlation of a part of the plot with the pattern, -1 to 1."""
    best = -1.0
    for scale in SCALES:
        side = round(SIZE * scale)
        if side <= min(plot.shape):
            template = cv2.resize(pattern, (side, side), interpolation=cv2.INTER_LINEAR)
            best = max(best, float(cv2.matchTemplate(plot, template, cv2.TM_CCOEFF_NORMED).max()))
    return best


def test_the_search_finds_what_is_private(run, pattern):
    held = list(remote_objects(run, "private"))
    assert any(NAME.encode() in content for content in held), "the table of images"
    assert any(content.startswith(b"\x93NUMPY") and shows(content, pattern) for content in held), "arrays"
    for sheet in (*(run.path / "metrics/sheets").iterdir(), run.path / "metrics/explanations.png"):
        assert shows(sheet.read_bytes(), pattern), sheet
        assert sheet.read_bytes() in held


@pytest.mark.parametrize("place", ["git", "store"])
def test_neither_names_nor_pixels_leave(run, small_origin, pattern, place):
    held = list(git_objects(run, small_origin) if place == "git" else remote_objects(run, "store"))
    assert held
    assert not [content[:80] for content in held if NAME.encode() in content]
    assert not [content[:80] for content in held if shows(content, pattern)]


def test_the_store_gets_what_the_sample_has_too(run):
    """The files that say how faces are found are those of the sample, which older commits send there."""
    assert stored(run) == checksums(run, "data/sample", "data/face_crop.json", "data/face_search.json")
    assert checksums(run, *cached_outputs(run.path)) - checksums(run, "data/sample") <= stored(run, "private")


def test_the_plots_that_git_tracks_show_figures_only(run):
    tracked = {Path(path).stem for path in run.git("ls-files", "metrics/plots").split()}
    assert tracked == {"class_balance", "confusion", "groups", "precision_recall", "reliability", "roc", "training"}
    assert "metrics/sheets/" in run.git("status", "--porcelain", "--ignored")


def test_a_push_after_the_preset_of_the_sample_sends_nothing_private(run, tmp_path):
    project = _copy(run, tmp_path)
    before = stored(project)
    _preset(project, "sample")
    project.dvc("push")
    project.dvc("repro", "create_dataframe")
    project.dvc("push")
    held = list(remote_objects(project, "store"))
    assert not [content[:80] for content in held if NAME.encode() in content]
    private = checksums(run, *cached_outputs(run.path)) - before
    assert not private & stored(project)
    project.git("add", "--all")
    assert "store/" not in project.git("diff", "--cached", "--name-only")


def test_the_store_is_filled_with_results_of_the_sample_only(run, tmp_path):
    project = _copy(run, tmp_path)
    refusal = project.run("python", "-m", "tools.store", fails=True)
    assert "source.remote" in refusal
    assert "emotion preset sample" in refusal
    assert "Traceback" not in refusal
    assert stored(project) == stored(run)


def _copy(run: Project, folder: Path) -> Project:
    """Copy the clone to a folder, with the remotes of that place."""
    shutil.copytree(run.path, folder / "copy", symlinks=True)
    project = Project(folder / "copy", run.environment)
    set_up(project)
    return project


def test_sharing_images_is_a_choice(run, pattern, tmp_path):
    shared = _copy(run, tmp_path)
    shared.set_params({"plot.share_images": True})
    assert shared.repro() == ["plot"]
    assert shows((shared.path / "metrics/plots/images.png").read_bytes(), pattern)
    assert "metrics/plots/images.png" in shared.git("status", "--porcelain", "--untracked-files=all")
