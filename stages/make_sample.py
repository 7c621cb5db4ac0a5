"""Stage make_sample: draw the embedded data set, data/sample/archive.zip."""

from emotion.core.guard import run_stage
from emotion.core.params import load_params
from emotion.core.paths import SAMPLE_ARCHIVE
from emotion.sample.archive import make_sample


def main() -> None:
    """Write data/sample/archive.zip."""
    params = load_params("sample")
    make_sample(SAMPLE_ARCHIVE, seed=params.sample.seed, images=params.sample.images)


if __name__ == "__main__":
    run_stage(main)
