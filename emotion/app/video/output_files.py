"""The files that `emotion video` and `emotion webcam` write. Each has a partial name until it is complete."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from emotion.core.errors import InputError
from emotion.inference.codecs.encoder import CODECS
from emotion.inference.stream_address import is_address


@dataclass(frozen=True)
class OutputFiles:
    """The files to write.

    Attributes:
        video: the annotated video; None if it is not wanted.
        table: the table of faces; None if it is not wanted.
    """

    video: Path | None
    table: Path | None

    @property
    def paths(self) -> list[Path]:
        """The files that are wanted."""
        return [path for path in (self.video, self.table) if path is not None]

    @property
    def partial_paths(self) -> list[Path]:
        """The partial files that are there."""
        return [path for path in map(partial_name, self.paths) if path.exists()]

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
            check_output(path, source, overwrite=overwrite)


NO_FILES = OutputFiles(None, None)
"""The outputs where nothing is written."""


def check_output(path: Path, source: Path | None, *, overwrite: bool) -> None:
    """Refuse a file that cannot be written, or would replace something that is to stay.

    Args:
        path: the file to write.
        source: the file that is read; None where there is none.
        overwrite: whether `path` may exist.

    Raises:
        InputError: the file is an address, `source`, a folder or a device, exists without `overwrite`, or its folder
            cannot be written to.
    """
    # The address itself may hold a password, so it is not printed.
    if is_address(str(path)):
        raise InputError("got an address as the file to write, expected a path, such as faces.mp4")
    if source is not None and path.exists() and source.exists() and path.samefile(source):
        raise InputError(f"{path} is the file to read; name another file to write")
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file in it")
    # A rename to its name would replace the device for all programs.
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is a device or a pipe, expected the name of a file, such as faces.csv")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists already; name another file, or replace it with --overwrite")
    _check_folder(path)


def _check_folder(path: Path) -> None:
    """Raise InputError where `path` can have no folder, or its folder cannot be written to."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir():
        raise InputError(f"{path}: {folder} is a file, expected a folder; name another file to write")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{path}: you may not write to {folder}; name a file in another folder")


def partial_name(path: Path) -> Path:
    """Return the name that `path` has until it is complete."""
    return path.with_name(f"{path.stem}.partial{path.suffix}")


@contextmanager
def partial_file(path: Path, *, keep: bool = False) -> Iterator[Path]:
    """Yield the partial name of `path`, and rename that file to `path` once the block has ended.

    An interruption from the keyboard leaves the partial file. Any other error removes it, except with `keep`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_name(path)
    try:
        yield partial
        partial.replace(path)
    except KeyboardInterrupt:
        raise
    except BaseException:
        if not keep:
            with suppress(OSError):  # the error of before says more
                partial.unlink()
        raise
