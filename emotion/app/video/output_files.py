"""The files that `emotion video` and `emotion webcam` write. Each has a temporary name until it is complete."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from emotion.app.outputs import check_output
from emotion.core.errors import InputError
from emotion.core.files import atomic_path
from emotion.inference.codecs.encoder import CODECS


@dataclass(frozen=True)
class OutputFiles:
    """The files to write.

    Attributes:
        video: the annotated video; None if it is not wanted.
        table: the table of faces; None if it is not wanted.
        kept: the partial files that were kept, since they could not be completed.
    """

    video: Path | None
    table: Path | None
    kept: list[Path] = field(default_factory=list)

    @property
    def paths(self) -> list[Path]:
        """The files that are wanted."""
        return [path for path in (self.video, self.table) if path is not None]

    def check(self, source: Path | None, *, overwrite: bool) -> None:
        """Refuse files that cannot be written, or would replace something that is to stay.

        Args:
            source: the video that is read; None where it is no file.
            overwrite: whether existing files may be replaced.

        Raises:
            InputError: a file is `source`, the other file or a folder; it exists without `overwrite`; its folder
                cannot be written to; or the suffix of the video is unknown.
        """
        if self.video is not None and self.video.suffix.lower() not in CODECS:
            raise InputError(f"--output: got {self.video}, expected a name that ends in {' or '.join(CODECS)}")
        if self.video is not None and self.table is not None and self.video.resolve() == self.table.resolve():
            raise InputError(f"--output and --csv: got {self.video} for both, expected two files")
        for path in self.paths:
            check_output(path, overwrite=overwrite, sources=[source] if source is not None else [])


def print_kept(kept: Sequence[Path]) -> None:
    """Name the partial files that were kept, on standard error."""
    if kept:
        print(*(f"\n{path} has the frames up to here" for path in kept), sep="", file=sys.stderr)


NO_FILES = OutputFiles(None, None)
"""The outputs where nothing is written."""


@contextmanager
def partial_file(path: Path, kept: list[Path], *, is_worth_keeping: Callable[[], bool]) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and rename that file to `path` once the block has ended.

    After an error or an interruption, a file that is worth keeping gets its partial name, and that is added to `kept`.
    Any other is removed.
    """
    with atomic_path(path) as temporary:
        try:
            yield temporary
        except BaseException as error:
            if is_worth_keeping():
                with suppress(OSError):  # the error of before says more
                    kept.append(_keep(temporary, path))
            if isinstance(error, InputError):
                raise InputError(str(error).replace(temporary.name, path.name)) from None
            raise


def _keep(temporary: Path, path: Path) -> Path:
    """Rename `temporary` to a name that is free, such as `out.partial.mp4` or `out.partial-2.mp4`; return that."""
    for number in count(1):
        name = path.with_name(f"{path.stem}.partial{f'-{number}' if number > 1 else ''}{path.suffix}")
        try:
            name.touch(exist_ok=False)
        except FileExistsError:
            continue
        return temporary.replace(name)
    raise AssertionError
