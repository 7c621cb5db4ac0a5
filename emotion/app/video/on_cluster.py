"""Several videos on a cluster: a worker reads and writes each, and this machine gets what became of it.

Workers open the files themselves. So all machines mount the folders under the same paths.
"""

from collections.abc import Generator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from tqdm import tqdm

from emotion.app.outputs import check_output
from emotion.app.shared_folders import check_marks, marked_folders
from emotion.app.shared_predictor import SharedPredictor
from emotion.app.video.jobs import Job, Outcome, VideoOptions, do_job
from emotion.parallel.cluster import ClusterError, map_on_cluster
from emotion.parallel.on_worker import UnreadableOnWorkerError, is_on_worker


def do_on_cluster(
    options: VideoOptions, shared: SharedPredictor, jobs: Sequence[Job], address: str
) -> Generator[Outcome, None, None]:
    """Yield what became of each video, in the order of the jobs. A video that ended its workers has failed.

    Args:
        options: how to read and write.
        shared: makes the predictor of a worker.
        jobs: their folders need not exist.
        address: of the scheduler.

    Raises:
        InputError: the cluster cannot be used; or a worker lacks a video or the model, or cannot write to a folder.
    """
    with marked_folders(target.parent for job in jobs for target in job.targets) as marks:
        outcomes: Generator[Outcome, None, None] = map_on_cluster(
            address,
            partial(_do_remote, options, shared, marks),
            (job.absolute() for job in jobs),
            name=lambda job: str(job.source),
            recover=_give_reason,
        )
        with closing(outcomes), tqdm(outcomes, total=len(jobs), unit=" videos", disable=None) as bar:
            yield from bar


def _do_remote(options: VideoOptions, shared: SharedPredictor, marks: Sequence[Path], job: Job) -> Outcome:
    if is_on_worker():
        _check_worker(job, marks)
    return do_job(options, shared.load(), job)


def _check_worker(job: Job, marks: Sequence[Path]) -> None:
    """Raise InputError where this worker lacks the video, or the folders of this machine's files are other ones."""
    try:
        with job.source.open("rb"):
            pass
    except OSError as error:
        raise UnreadableOnWorkerError(str(job.source), str(error.strerror)) from None
    folders = [target.parent for target in job.targets]
    check_marks(mark for mark in marks if mark.parent in folders)
    for target in job.targets:
        # An earlier worker may have written it, and ended before it could say so.
        check_output(target, overwrite=True)


def _give_reason(job: Job, error: ClusterError) -> Outcome:
    return Outcome(failure=str(error))
