"""Many image files on a cluster: workers read them, find the faces and predict; the results come in order."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from emotion.app.named_files import NamedFile
from emotion.app.predict.predict_files import Piece, predict_pieces
from emotion.app.predict.results import UNREADABLE, ImageResult
from emotion.app.predict.stored_files import ImageFile
from emotion.app.shared_folders import check_marks, marked_folders
from emotion.app.shared_predictor import SharedPredictor
from emotion.core.stores import Location
from emotion.parallel.cluster import ClusterError, map_on_cluster


class RemotePiece(NamedTuple):
    """A piece as a worker takes it.

    Attributes:
        files: with whole paths.
        shown: the paths as the user named them.
        targets: where annotated images are written, by whole path.
    """

    files: Piece
    shown: Sequence[Location]
    targets: Mapping[Location, Path]


def predict_on_cluster(
    pieces: Sequence[Piece],
    shared: SharedPredictor,
    address: str,
    *,
    targets: Mapping[Location, Path],
    folder: Path | None = None,
    on_prepared: Callable[[], object] = lambda: None,
) -> Generator[ImageResult, None, None]:
    """Yield the result of each file in `pieces`, in their order; see `predict_pieces`.

    Images of a piece that ended its workers are unreadable, with the reason.

    Args:
        pieces: as `cut_pieces` returns them.
        shared: makes the predictor of a worker.
        address: of the scheduler.
        targets: as in `predict_pieces`.
        folder: has all of `targets`; None where there are none. Workers have to see the same folder.
        on_prepared: as in `predict_pieces`.

    Raises:
        InputError: the cluster cannot be used; a worker lacks a file, the model or a package, or cannot write.
    """
    with marked_folders(filter(None, [folder])) as marks:
        results = map_on_cluster(
            address,
            partial(_predict_piece, shared, marks),
            (_make_remote(piece, targets) for piece in pieces),
            name=_name_piece,
            recover=_give_reason,
        )
        with closing(results):
            for result in chain.from_iterable(results):
                on_prepared()
                yield result


def _make_remote(piece: Piece, targets: Mapping[Location, Path]) -> RemotePiece:
    files = [_with_whole_path(file) for file in piece]
    own = {file.path.absolute(): targets[file.path].absolute() for file in piece if file.path in targets}
    return RemotePiece(files, [file.path for file in piece], own)


def _with_whole_path(file: ImageFile) -> ImageFile:
    return file._replace(path=file.path.absolute()) if isinstance(file, NamedFile) else file


def _predict_piece(shared: SharedPredictor, marks: Sequence[Path], piece: RemotePiece) -> list[ImageResult]:
    check_marks(marks)
    results = predict_pieces([piece.files], shared.load(), threads=1, targets=piece.targets)
    return [replace(result, path=path) for result, path in zip(results, piece.shown, strict=True)]


def _name_piece(piece: RemotePiece) -> str:
    first, last = piece.shown[0], piece.shown[-1]
    return str(first) if first == last else f"{first} to {last}"


def _give_reason(piece: RemotePiece, error: ClusterError) -> list[ImageResult]:
    """Return a result for each image of a piece that the cluster could not do."""
    pairs: list[tuple[Location, ImageFile]] = list(zip(piece.shown, piece.files, strict=True))
    return [ImageResult(path, f"{UNREADABLE}: {error}", is_file=not file.problem) for path, file in pairs]
