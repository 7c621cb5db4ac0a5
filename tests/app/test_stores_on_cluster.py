"""Workers of a cluster read a store themselves: the same bytes as alone, and a sentence where one may not."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cluster_processes import Cluster, running_cluster
from emotion.core.errors import InputError
from emotion.parallel.address import SCHEDULER
from stages import create_dataframe, resolve_faces
from tests.app.writing import read_files
from tests.makers import encode, image_files, make_rows, write_params
from tests.stores import SECRET

pytestmark = pytest.mark.medium

FILES = image_files(make_rows(per_class=8))


@pytest.fixture(scope="module")
def cluster(s3_server, tmp_path_factory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster"), **s3_server.variables) as started:
        yield started


def make_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Run the stage create_dataframe on s3://faces/raw in a new folder; return the files that it wrote."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    write_params(folder, source_folder="s3://faces/raw")
    resolve_faces.main()
    create_dataframe.main()
    return {str(name): content for name, content in read_files(folder).items()}


def test_the_table_is_the_same_and_each_file_is_read_once_by_a_worker(s3, cluster, tmp_path, monkeypatch):
    s3.put("raw", FILES)
    alone = make_table(tmp_path / "alone", monkeypatch)
    s3.requests.clear()
    monkeypatch.setenv(SCHEDULER, cluster.address)
    assert make_table(tmp_path / "together", monkeypatch) == alone
    assert s3.requests == {"GET": 1 + len(FILES)}


def test_predictions_are_the_same(s3, cluster, here, astronaut, model, run_emotion):
    photos = {f"{number:02}.jpg": encode(np.roll(astronaut, number, axis=1), ".jpg") for number in range(20)}
    s3.put("photos", photos | {"broken.png": b"no image"})
    arguments = ("predict", "s3://faces/photos", "--csv", "--model", str(model))
    alone = run_emotion(*arguments)
    assert alone[0] == 3
    assert run_emotion(*arguments, "--cluster", cluster.address) == alone


def test_a_worker_without_the_keys_is_named(s3, tmp_path, monkeypatch):
    s3.put("raw", FILES)
    wrong = s3.variables | {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": str(tmp_path)}
    with running_cluster(tmp_path, **wrong) as keyless:
        monkeypatch.setenv(SCHEDULER, keyless.address)
        with pytest.raises(
            InputError, match=r"failed on the worker tcp://.*s3://faces/raw cannot be read: no user"
        ) as error:
            make_table(tmp_path / "table", monkeypatch)
    assert SECRET not in str(error.value)
    assert not (tmp_path / "table/data/dataframe.csv").exists()
