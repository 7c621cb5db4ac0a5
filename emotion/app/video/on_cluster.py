"""Several videos on a cluster: a worker reads and writes each, and this machine gets what became of it.

Workers open the files themselves. So all machines mount the folders under the same paths.
"""

import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from tqdm import tqdm

from emotion.app.outputs import check_output
from emotion.app.shared_predictor import SharedPredictor
from emotion.app.video.jobs import Job, Outcome, VideoOptions, do_job
from emotion.core.errors import InputError
from emotion.core.files import TEMPORARY
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


@contextmanager
def marked_folders(folders: Iterable[Path]) -> Iterator[Sequence[Path]]:
    """Make folders, and yield a hidden file in each, by which a worker knows that its folder is the same one."""
    with ExitStack() as stack:
        marks = []
        for folder in sorted({folder.absolute() for folder in folders}):
            folder.mkdir(parents=True, exist_ok=True)
            marks.append(Path(stack.enter_context(tempfile.NamedTemporaryFile(prefix=TEMPORARY, dir=folder)).name))
        yield marks


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
    for mark in marks:
        if mark.parent in [target.parent for target in job.targets] and not mark.exists():
            raise InputError(
                f"{mark.parent} there is not the folder of this machine; workers write to the same folders under the "
                "same paths, for example in one that all machines mount"
            )
    for target in job.targets:
        # An earlier worker may have written it, and ended before it could say so.
        check_output(target, overwrite=True)


def _give_reason(job: Job, error: ClusterError) -> Outcome:
    return Outcome(failure=str(error))
