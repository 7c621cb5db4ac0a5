"""Any damage to an archive or a table is refused by a sentence, or costs the images that it hits."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from emotion.ingest.sources.content import content_of
from emotion.ingest.sources.source import Place
from tests.fuzzing import damaged, may_be_refused
from tests.ingest.sources.test_archives import CSV, FILES, FORMS, TAR_OF_CSV, TAR_OF_IMAGES, zip_of
from tests.makers import open_source

MANIFEST = b"path,label,split\n" + b"".join(f"{name},{name.split('/')[1]},train\n".encode() for name in sorted(FILES))

WHOLE = [
    *(data for _, data in FORMS.values()),
    zip_of(FILES | {"labels.csv": MANIFEST}),
    zip_of({f"{name}.zip": zip_of(FILES) for name in ("train", "test")}),
    gzip.compress(gzip.compress(CSV)),
]


@pytest.mark.fuzz
@given(damaged([CSV, TAR_OF_CSV, TAR_OF_IMAGES, *WHOLE]))
def test_any_damage_to_a_source_is_refused_or_costs_some_images(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "damaged"
    folder.mkdir(exist_ok=True)
    (folder / "source").write_bytes(data)
    read_all(folder)


def read_all(folder: Path) -> None:
    with may_be_refused():
        source = open_source(folder)
        source.preview()
        rows = [row for batch in source.batches(content_of) for row in batch]
        good = [Place(entry.image) for entry, content in rows if not content.reason]
        for image in source.read_again(good, lambda image, place: image):
            assert image.dtype == np.uint8
