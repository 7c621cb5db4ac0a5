"""The files that commands write: one rule for all of them. A file that exists stays, unless --overwrite is given."""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from emotion.core.errors import InputError, is_disk_full
from emotion.inference.stream_address import is_address


def add_overwrite_argument(parser: argparse.ArgumentParser) -> None:
    """Add --overwrite, which `check_output` takes."""
    parser.add_argument("--overwrite", action="store_true", help="replace existing files")


@contextmanager
def removed_if_empty(folder: Path) -> Iterator[None]:
    """Return a context in which `folder` may be made. After an error it removes what is new and empty, parents too."""
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        yield
    except BaseException:
        with suppress(OSError):  # it does not exist, or has files
            for one in new:
                one.rmdir()
        raise


def check_output(
    path: Path, *, overwrite: bool, sources: Sequence[Path] = (), option: str = "", suffixes: Sequence[str] = ()
) -> None:
    """Refuse a file that cannot be written, or would replace something that is to stay.

    Args:
        path: the file to write.
        overwrite: whether `path` may exist.
        sources: the files that are read, which it must not replace.
        option: the option that names `path`, for the message.
        suffixes: the suffixes that it may have; none for any.

    Raises:
        InputError: the file is an address, one of `sources`, a folder or a device. Or it exists without `overwrite`, or
            its name or its folder cannot be used.
    """
    named = f"{option}: " if option else ""
    try:
        _check(path, overwrite, sources, suffixes)
    except InputError as error:
        raise InputError(f"{named}{error}") from None
    except OSError as error:
        if is_disk_full(error):
            raise
        raise InputError(f"{named}{path} cannot be written ({error.strerror}); name another file") from None


def free_name(name: Path, taken: dict[str, int]) -> Path:
    """Return `name`, with a number where it is taken, and note it. On some systems A and a are the same name.

    Args:
        name: the name that is wanted.
        taken: what earlier calls noted; empty at first.
    """
    free, first = name, str(name).casefold()
    while str(free).casefold() in taken:
        taken[first] += 1
        free = name.with_name(f"{name.stem}-{taken[first]}{name.suffix}")
    taken[str(free).casefold()] = 1
    return free


def _check(path: Path, overwrite: bool, sources: Sequence[Path], suffixes: Sequence[str]) -> None:
    # The address itself may hold a password, so it is not printed.
    if is_address(str(path)):
        raise InputError("got an address as the file to write, expected a path, such as faces.mp4")
    if suffixes and path.suffix.lower() not in suffixes:
        raise InputError(f"got {path}, expected a name that ends in {' or '.join(suffixes)}")
    for source in sources:
        if path.exists() and source.exists() and path.samefile(source):
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
    try:
        # A trial is surer than the permissions: a disk may be read-only.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if is_disk_full(error):
            raise
        raise InputError(
            f"{path}: you may not write to {folder} ({error.strerror}); name a file in another folder"
        ) from None
