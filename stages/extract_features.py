"""Stage extract_features: write the images of data/dataframe.csv as arrays of one size and color, data/features."""

from functools import partial

from emotion.core.guard import run_stage
from emotion.core.labels import resolve_scheme
from emotion.core.params import load_params
from emotion.core.paths import FACE_CROP, FEATURES, PIXELS, TABLE
from emotion.core.stores import locate
from emotion.data.table import read_table
from emotion.ingest.extraction import extract
from emotion.ingest.label_reader import make_label_reader
from emotion.ingest.photos.face_settings import read_crop
from emotion.ingest.sources.locate import open_source


def main() -> None:
    """Read the table and the pixels; write the arrays of data/features."""
    params = load_params("source", "features", "labels")
    labels = make_label_reader(resolve_scheme(params.labels.scheme), params.labels.numbers)
    source = partial(open_source, locate(params.source.folder), params.source.file, labels)
    margin = read_crop(FACE_CROP).margin
    counts = extract(read_table(TABLE), PIXELS, source, params.features, FEATURES, margin)
    size, color = params.features.image_size, params.features.color
    numbers = ", ".join(f"{count} {split}" for split, count in counts.items())
    print(f"{FEATURES}: {numbers}; {size}x{size} pixels, {color}, {params.features.format}")


if __name__ == "__main__":
    run_stage(main)
