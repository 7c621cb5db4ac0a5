"""Write every table of figures in README.md and docs/ from metrics files.

`python -m tools.figures` fills the lines between `<!-- figures: NAME -->` and `<!-- /figures -->`. With `--check` it
writes nothing and ends with status 1 where a document would change.
"""

import argparse
from functools import partial

from benchmarks import (
    comparison_report,
    face_tables,
    label_tables,
    outside_tables,
    photo_tables,
    released_report,
    run_tables,
    score_tables,
    speed_tables,
)
from emotion.core.errors import InputError, run_command
from tools.markers import Renderers, fill_documents, write_documents

TABLES: Renderers = {
    "accuracy": score_tables.render_accuracy,
    "released": released_report.render_released,
    "photo": photo_tables.render_photo,
    "photo seeds": photo_tables.render_seeds,
    "outside": outside_tables.render_outside,
    "standard": score_tables.render_standard,
    "classes": score_tables.render_classes,
    "seeds": score_tables.render_seeds,
    "fer2013": score_tables.render_data,
    "comparison": comparison_report.render_comparison,
    "sample": score_tables.render_sample,
    "sweep": score_tables.render_sweep,
    "experiment": run_tables.render_experiment,
    "optimizers": run_tables.render_optimizers,
    "inference sizes": run_tables.render_sizes,
    "pretrained": run_tables.render_pretrained,
    "distillation": run_tables.render_distillation,
    "ferplus": run_tables.render_ferplus,
    "copies": run_tables.render_copies,
    "speed": speed_tables.render_summary,
    "training step": partial(speed_tables.render_step, "training_speed"),
    "training step with AMX": partial(speed_tables.render_step, "training_speed_amx"),
    "winograd": speed_tables.render_winograd,
    "ingestion": speed_tables.render_ingestion,
    "photos": speed_tables.render_photos,
    "reading": speed_tables.render_reading,
    "cluster": speed_tables.render_cluster,
    "ranks": speed_tables.render_ranks,
    "detection": face_tables.render_detection,
    "framing": face_tables.render_framing,
    "tilt": face_tables.render_tilt,
    "label audit": label_tables.render_label_audit,
    "photo emotions": face_tables.render_photo_emotions,
    "strata": face_tables.render_strata,
}


def main() -> None:
    """Write the tables, or check them, as the command line asks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a document would change")
    options = parser.parse_args()
    run_command(lambda: update(check=options.check))


def update(*, check: bool = False) -> None:
    """Write the tables of all documents; with `check` fail where one differs.

    Raises:
        InputError: a document differs, or its markers are wrong.
    """
    changed = fill_documents("figures", TABLES)
    if check and changed:
        raise InputError(f"{', '.join(map(str, changed))}: figures differ from those in results/; run `make figures`")
    write_documents(changed)


if __name__ == "__main__":
    main()
