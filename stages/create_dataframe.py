"""Stage create_dataframe: read the source that params.yaml names into data/dataframe.csv, one row per image.

The columns of the table are:

- image: name within the source, such as `row 17` or `train/happy/Training_1.jpg`.
- emotion: class of labels.scheme, or the source's emotion where the scheme leaves it out.
- label: number of the class in labels.scheme; -1 where the scheme leaves the emotion out.
- split: train, val or test.
- height, width, channels: shape of the image, or of the square around its box.
- hash: hash of the pixels of the image, or of the square around its box; equal for equal images.
- copy_of: first image with the same hash; empty for the first one.
- blank: whether all pixels are equal.
- offset: position of the first byte in data/pixels.npy, which holds the pixels of small images; -1 for larger ones.
- group: person or sequence, which stays in one split; empty where there is none.
- near_copy_of: first image that looks nearly the same; only where split.near_copies finds some.
- excluded: reason why the image is not used (scheme; dropped; copy, near copy or group of val or test); empty for used
  images.
- box: the face in the image as the source tells it, `x y width height`; only where the source has boxes.
- faces: number of faces found in the image; only where faces were searched.
- face: the face that is cut out, `x y width height tilt` with the tilt in radians; empty where the image is taken as it
  is, or the square around its box. Only where faces were searched.
- votes: people's votes for the classes, in their order; only where labels.targets is votes. Single votes are left out,
  those of labels.source_votes added. The emotion to which a decision changed the label has all of them.
- ferplus_majority: yes where more than half of the votes are for one emotion, single votes aside, else no; only under
  the schemes of FER+.
- decision: a person's decision on the label (confirm, change or drop); only where labels.decisions has some. The
  columns emotion and label are those after it.

data/rejected.csv lists the unreadable images and those without a face, each with the reason. metrics/dataset.json has
the counts.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd
from tqdm import tqdm

from emotion.core.files import atomic_path, write_csv, write_json
from emotion.core.guard import run_stage
from emotion.core.labels import VOTE_SCHEMES, Scheme, check_targets, resolve_scheme
from emotion.core.params import Params, load_params
from emotion.core.paths import DATASET_METRICS, FACE_SEARCH, PIXELS, REJECTED, TABLE
from emotion.core.stores import locate
from emotion.data.table import DECISION
from emotion.ingest.collect import Collected, check_rejected, collect_batches
from emotion.ingest.decided_labels import count_decisions, decide_labels, describe_decisions, move_votes
from emotion.ingest.decision_file import find_decisions, read_decisions
from emotion.ingest.ferplus import (
    CARRIED_VOTES,
    MAJORITY,
    Votes,
    choose_by_majority,
    find_majorities,
    format_votes,
    match_votes,
    read_votes,
    target_votes,
)
from emotion.ingest.label_counts import count_labels, describe_labels
from emotion.ingest.label_reader import make_label_reader
from emotion.ingest.photos.face_notes import face_notes
from emotion.ingest.photos.face_search import read_batches
from emotion.ingest.photos.face_settings import FaceSearch, read_search
from emotion.ingest.pixels import growing_array
from emotion.ingest.sources.content import content_of
from emotion.ingest.sources.locate import open_source
from emotion.ingest.sources.source import Batch, Describe, Source
from emotion.ingest.splitting.group_statistics import describe_groups, summarize_groups
from emotion.ingest.statistics import describe_losses, describe_skipped, summarize
from emotion.ingest.table_builder import build_table, check_classes


def main() -> None:
    """Read the source; write the table, the pixels of small images, the rejected images and the counts."""
    params = load_params("source", "split", "labels")
    search = read_search(FACE_SEARCH)
    scheme = resolve_scheme(params.labels.scheme)
    check_targets(params.labels.scheme, params.labels.targets, params.labels.source_votes)
    chosen = params.labels.decisions
    decisions = read_decisions(find_decisions(chosen)) if chosen else None
    folder = locate(params.source.folder)
    source = open_source(folder, params.source.file, make_label_reader(scheme, params.labels.numbers))
    votes = read_votes(folder, source) if params.labels.scheme in VOTE_SCHEMES else None
    # The table moves into place last. While it is missing, later stages stop, so they never use incomplete files.
    with atomic_path(TABLE) as table_file:
        with atomic_path(PIXELS) as pixels_file:
            describe = partial(content_of, near_copies=params.split.near_copies is not None)
            collected = read_images(source, search, describe, pixels_file)
            check_rejected(collected, params.source.rejected_share, source.name)
            table = make_table(collected, scheme, params, votes, decisions, source.name)
            check_classes(table, scheme)
            labels = count_labels(collected.images, scheme)
            groups = summarize_groups(collected.images, table, params.split)
            skipped = {"skipped": dict(source.skipped)} if source.skipped else {}
            decided = {"decisions": count_decisions(table)} if DECISION in table else {}
            metrics = {**summarize(table, collected.rejected, scheme), **groups, "labels": labels, **decided, **skipped}
            write_csv(table_file, table)
            TABLE.unlink(missing_ok=True)
        write_csv(REJECTED, collected.rejected)
        write_json(DATASET_METRICS, metrics)
    print("\n".join([f"{source.name}: {source.layout}", *describe_labels(labels, scheme)]))
    used = metrics["images"]
    print(f"{source.name}: {used['train']['total']} train, {used['val']['total']} val, {used['test']['total']} test")
    print(f"{describe_losses(metrics)} (see {REJECTED})")
    if decided:
        print(describe_decisions(metrics["decisions"], str(chosen)))
    if skipped:
        print(f"not read: {describe_skipped(source.skipped)}")
    for note in [*describe_groups(metrics), *face_notes(collected, search)]:
        print(note)


def read_images(source: Source, search: FaceSearch, describe: Describe, pixels_file: Path) -> Collected:
    """Read all of `source`, search for faces, and write the pixels of small images to `pixels_file`.

    `describe` gives the content of an image. On a terminal, a progress bar is shown.
    """
    batches = read_batches(source, search, describe)
    with growing_array(pixels_file) as pixels, tqdm(total=source.count, unit=" images", disable=None) as progress:
        return collect_batches(_count_images(batches, progress), pixels, source.columns)


def _count_images(batches: Iterator[Batch], progress: "tqdm[NoReturn]") -> Iterator[Batch]:
    for batch in batches:
        yield batch
        progress.update(len(batch))


def make_table(
    collected: Collected,
    scheme: Scheme,
    params: Params,
    votes: Votes | None,
    decisions: pd.DataFrame | None,
    source: str,
) -> pd.DataFrame:
    """Return the table of the images, labeled by the source, or under a scheme of FER+ by the votes; then decided."""
    images, own, counts = collected.images, collected.images["emotion"], None
    if params.labels.scheme in VOTE_SCHEMES:
        counts = match_votes(votes, collected, source)
        images = images.drop(columns=CARRIED_VOTES, errors="ignore")
        images = images.assign(**{MAJORITY: np.where(find_majorities(counts), "yes", "no")})
    emotions = own if counts is None else choose_by_majority(counts, own)
    decided = decide_labels(images["hash"], emotions, decisions, scheme, str(params.labels.decisions))
    table = build_table(images, scheme, params.split, decided)
    if counts is None or params.labels.targets != "votes":
        return table
    of_classes = target_votes(counts, own, params.labels.source_votes)[:, : len(scheme.emotions)]
    return table.assign(votes=format_votes(move_votes(of_classes, emotions, decided.emotions, scheme)))


if __name__ == "__main__":
    run_stage(main)
