"""FER2013 itself through the pipeline, as the README has it, where the archive is found; up to the arrays."""

import json
import shutil

import numpy as np
import pytest

from tests.makers import find_fer2013
from tests.pipeline.project import checksums, stored

pytestmark = [pytest.mark.fer2013, pytest.mark.pipeline, pytest.mark.slow]


@pytest.fixture
def extracted(project):
    shutil.copy(find_fer2013(), project.path / "data/raw")
    project.run("emotion", "preset", "fer2013")
    project.dvc("repro", "extract_features")
    return project


def test_the_archive_becomes_arrays_that_are_not_handed_out(extracted):
    metrics = extracted.metrics("dataset")
    assert metrics["source_images"] == 35_887
    for split, total in (("train", 28_006), ("val", 3_543), ("test", 3_589)):
        images = np.load(extracted.path / f"data/features/x_{split}.npy", mmap_mode="r")
        assert images.shape == (total, 48, 48, 1)
        assert metrics["images"][split]["total"] == total
    extracted.dvc("push")
    assert not checksums(extracted, "data/features", "data/pixels.npy") & stored(extracted)
    assert extracted.git("status", "--porcelain", "data/raw") == ""
    assert json.loads(extracted.dvc("status", "--json", "extract_features")) == {}
