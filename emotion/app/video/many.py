"""Several videos: which ones, the files of each, what is printed, and the exit status."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tqdm import tqdm

from emotion.app.arguments import make_predictor, make_shared_predictor
from emotion.app.counts import number_of
from emotion.app.named_files import FileKind, NamedFile, collect_named_files
from emotion.app.outputs import check_output, free_name
from emotion.app.video.jobs import BROKEN, FAILED, NO_FACE, READ, Job, Outcome, VideoOptions, do_job
from emotion.app.video.output_files import print_kept
from emotion.core.errors import InputError, in_one_line, without_controls
from emotion.inference.codecs.encoder import CODECS
from emotion.inference.stream_address import is_address, public_name
from emotion.inference.video_files import is_video
from emotion.parallel.address import scheduler_address

SOME_FAILED, ALL_FAILED = 3, 1
"""Exit statuses: some videos, or all of them, are broken, unreadable or without a face."""

VIDEOS = FileKind("video", is_video)


@dataclass
class Counts:
    """The number of videos of each status, and of names that stand for no video."""

    videos: Counter[str] = field(default_factory=Counter)
    names_without_video: int = 0

    @property
    def exit_status(self) -> int:
        """0 if all were read to their end and show a face; ALL_FAILED if none shows a face; else SOME_FAILED."""
        if self.videos[READ] == self.videos.total() + self.names_without_video:
            return 0
        return SOME_FAILED if self.videos[READ] + self.videos[BROKEN] else ALL_FAILED

    def __str__(self) -> str:
        parts = (
            f"{self.videos[READ]} with a face",
            f"{self.videos[BROKEN]} cut off",
            f"{self.videos[NO_FACE]} without a face",
            f"{self.videos[FAILED]} failed",
        )
        counts = f"{number_of(self.videos.total(), 'video')}: {', '.join(parts)}"
        if not self.names_without_video:
            return counts
        return f"{counts}; {number_of(self.names_without_video, 'name')} without a video"


def read_videos(arguments: argparse.Namespace) -> None:
    """Read all videos that the arguments name, and write the files of each.

    Raises:
        InputError: a name is an address, a file cannot be written or would replace another, or the model or the cluster
            cannot be used.
        SystemExit: with the exit status, unless all were read to their end and show a face.
    """
    _refuse_addresses(arguments.sources)
    files = collect_named_files(arguments.sources, VIDEOS, excluded=arguments.output)
    jobs = plan_jobs(files, arguments.output, arguments.csv)
    check_targets(jobs, overwrite=arguments.overwrite)
    counts = Counts()
    for file in files:
        if file.problem:
            counts.names_without_video += 1
            print(f"error: {_show(file.path)}: {file.problem}", file=sys.stderr)
    with closing(_do_all(arguments, jobs)) as outcomes:
        for job, outcome in zip(jobs, outcomes, strict=True):
            counts.videos[outcome.status] += 1
            _print_outcome(job, outcome)
    print(counts)
    if counts.exit_status:
        sys.exit(counts.exit_status)


def _refuse_addresses(names: Sequence[str]) -> None:
    for name in filter(is_address, names):
        raise InputError(
            f"{public_name(name)} is a stream, which is read alone; name it without the others, and read those with "
            "another command"
        )


def plan_jobs(files: Sequence[NamedFile], output: Path | None, csv: Path | None) -> list[Job]:
    """Return the job for each file without a problem. Subfolders stay as they are; a name that is taken gets a number.

    Args:
        files: the videos.
        output: the folder for the new videos; None for none, or for the current folder where `csv` is None, too.
        csv: the folder for the tables; None for none.

    Raises:
        InputError: a folder has the name of a file.
    """
    for option, folder, suffixes in (("--output", output, CODECS), ("--csv", csv, (".csv",))):
        if folder is not None and folder.suffix.lower() in suffixes and not folder.is_dir():
            raise InputError(f"{option}: got {folder}, expected the name of a folder, since several videos are read")
    videos = Path() if output is None and csv is None else output
    taken: dict[str, int] = {}
    jobs = []
    for file in files:
        if not file.problem:
            table = free_name(file.relative.with_suffix(".csv"), taken)
            video = table.with_name(f"{table.stem}-emotions.mp4")
            jobs.append(Job(file.path, videos and videos / video, csv and csv / table))
    return jobs


def check_targets(jobs: Sequence[Job], *, overwrite: bool) -> None:
    """Refuse files that cannot be written, or would replace a video to read or something that is to stay.

    Raises:
        InputError: as `check_output` does.
    """
    originals = {job.source.resolve(): job.source for job in jobs}
    for job in jobs:
        for target in job.targets:
            original = originals.get(target.resolve(), job.source)
            check_output(target, overwrite=overwrite, sources=[original, job.source])


def _do_all(arguments: argparse.Namespace, jobs: Sequence[Job]) -> Generator[Outcome, None, None]:
    """Yield what became of each video, here or on a cluster."""
    if not jobs:
        return
    options, address = VideoOptions.of(arguments), scheduler_address()
    predictor = make_predictor(arguments)  # also for a cluster, since it finds what is wrong with the options
    if address is None:
        yield from map(partial(do_job, options, predictor), jobs)
        return
    from emotion.app.video.on_cluster import do_on_cluster

    with closing(do_on_cluster(options, make_shared_predictor(arguments), jobs, address)) as outcomes:
        yield from outcomes


def _print_outcome(job: Job, outcome: Outcome) -> None:
    """Print a line for a video, beside the progress bar; and one for what is wrong with it."""
    print_kept(outcome.kept)
    if outcome.failure:
        name = "" if str(job.source) in outcome.failure else f"{_show(job.source)}: "
        tqdm.write(f"error: {name}{without_controls(outcome.failure)}", file=sys.stderr)
        return
    written = ", ".join(map(_show, job.targets))
    tqdm.write(f"{_show(job.source)}: {outcome.summary.describe_counts()}; written: {written}")
    if outcome.warning:
        tqdm.write(f"warning: {outcome.warning}. The frames before are written", file=sys.stderr)


def _show(path: Path) -> str:
    """Return a path as it can be printed: in one line, and in UTF-8."""
    return in_one_line(os.fsencode(path).decode("utf-8", errors="replace"))
