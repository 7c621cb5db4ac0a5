"""The stage create_dataframe on a folder with files among its images: they are counted, and no image is rejected."""

import json
import os

from emotion.core.paths import DATASET_METRICS
from emotion.ingest.statistics import describe_losses
from stages import create_dataframe, resolve_faces
from tests.makers import image_files, make_rows, write_files, write_params


def test_files_among_images_are_counted_and_said(here, capsys):
    files = image_files(make_rows())
    others = {"train/happy/THUMBS.DB": b"x", "test/labels.txt": b"x", "train/sad/@eaDir/a.png": b"x"}
    write_files(here / "data/raw", files | others)
    (here / "data/raw/train/sad/gone.png").symlink_to("nowhere")
    os.mkfifo(here / "data/raw/train/sad/pipe.png")
    write_params(here)
    resolve_faces.main()
    create_dataframe.main()
    metrics = json.loads(DATASET_METRICS.read_text(encoding="utf-8"))
    skipped = metrics["skipped"]
    assert (metrics["source_images"], metrics["rejected"]) == (len(files), 0)
    assert (skipped["system files"], skipped["broken links"], skipped["pipes and devices"]) == (2, 1, 1)
    assert sum(skipped.values()) == 5
    said = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("not read: "))
    assert {"2 system files", "1 label file", "1 broken link", "1 pipe or device"} == set(
        said.removeprefix("not read: ").split(", ")
    )


def test_photos_without_a_face_are_said_apart():
    metrics = {"excluded": {"total": 1200}, "rejected": 0, "without_face": 0}
    assert describe_losses(metrics) == "1,200 excluded, 0 rejected"
    assert describe_losses(metrics | {"without_face": 13}) == "1,200 excluded, 13 rejected, of which 13 show no face"
