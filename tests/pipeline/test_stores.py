"""DVC sees the files of a folder in S3, and writes down nothing of the keys to it."""

import pytest

from tests.makers import image_files, make_rows
from tests.pipeline.project import Project, clone
from tests.stores import SECRET

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

FILES = image_files(make_rows(per_class=4))
FIRST, SECOND = sorted(FILES)[:2]


@pytest.fixture
def stored(small_origin, s3_server, tmp_path) -> Project:
    """A clone whose source is a folder in S3."""
    project = clone(small_origin, tmp_path / "main")
    project.environment = project.environment | s3_server.variables
    address = s3_server.put(f"raw-{tmp_path.name}", FILES)
    project.set_params({"source.folder": address, "source.remote": "private", "plot.share_images": False})
    return project


def test_a_changed_a_new_and_a_removed_file_of_s3_is_seen(stored, s3_server, tmp_path):
    folder = f"raw-{tmp_path.name}"
    stages = ["resolve_faces", "create_dataframe", "extract_features"]
    assert sorted(stored.repro("extract_features")) == sorted(stages)
    assert stored.repro("extract_features") == []
    table = stored.read("data/dataframe.csv")

    s3_server.put(folder, {FIRST: FILES[SECOND]})
    assert "modified" in stored.dvc("status", "create_dataframe")
    assert stored.repro("extract_features") == stages[1:]
    assert stored.read("data/dataframe.csv") != table

    s3_server.put(folder, {FIRST: FILES[FIRST], "train/happy/new.png": FILES[FIRST]})
    assert "create_dataframe" in stored.repro("extract_features")
    assert "train/happy/new.png" in stored.read("data/dataframe.csv")

    s3_server.client.delete_object(Bucket="faces", Key=f"{folder}/train/happy/new.png")
    stored.repro("extract_features")
    assert stored.read("data/dataframe.csv") == table
    assert stored.repro("extract_features") == []

    # The same content, written again, is no change.
    s3_server.put(folder, {FIRST: FILES[FIRST]})
    assert "up to date" in stored.dvc("status", "extract_features", "create_dataframe")


def test_no_key_of_a_store_is_written_down(stored, s3_server):
    printed = stored.dvc("repro", "extract_features")
    files = [path for path in stored.path.rglob("*") if path.is_file()]
    assert "s3://faces/raw-" in stored.read("dvc.lock")
    for key in (SECRET, s3_server.variables["AWS_ACCESS_KEY_ID"]):
        assert key not in printed
        assert [path for path in files if key.encode() in path.read_bytes() and path.suffix != ".py"] == []


def test_a_store_that_does_not_answer_is_named_and_nothing_is_recorded(stored):
    stored.environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    printed = stored.run("python", "-m", "stages.create_dataframe", fails=True)
    assert "error: s3://faces/raw-" in printed
    assert "Traceback" not in printed
    assert not (stored.path / "data/dataframe.csv").exists()
    assert not (stored.path / "dvc.lock").exists()
