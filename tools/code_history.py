"""Search of git's history for the state of a code dep that dvc.lock records, by DVC's own hash."""

import hashlib
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from dvc_data.hashfile.tree import Tree

from emotion.core.errors import InputError

Ignores = Callable[[str], bool]
"""A function that returns whether .dvcignore leaves out the file of a path."""

SHORT = 10
"""Letters of a commit's id in messages."""


@dataclass(frozen=True)
class Version:
    """The files of a dep in one commit of git's history, by their paths."""

    commit: str
    files: Mapping[str, bytes]


def hash_files(dep: str, files: Mapping[str, bytes]) -> str:
    """Return the MD5 sum by which DVC names a dep, as in dvc.lock.

    Args:
        dep: the path of a file, or of a folder.
        files: the content of that file, or of each file in the folder, by its path; all paths have one root.

    Returns:
        32 hexadecimal digits; those of a folder are of its listing, and `.dir` follows them.
    """
    sums = {path: hashlib.md5(content, usedforsecurity=False).hexdigest() for path, content in files.items()}
    if files.keys() == {dep}:
        return sums[dep]
    listing = Tree.from_list(
        [{"md5": digest, "relpath": path.removeprefix(f"{dep}/")} for path, digest in sums.items()]
    )
    return hashlib.md5(listing.as_bytes(), usedforsecurity=False).hexdigest() + ".dir"


def read_working_tree(dep: str, ignores: Ignores) -> dict[str, bytes]:
    """Return the files of a dep as they are on disk, by their paths, without those that .dvcignore names."""
    root = Path(dep)
    paths = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
    return {path.as_posix(): path.read_bytes() for path in paths if not ignores(path.as_posix())}


def find_version(dep: str, md5: str, ignores: Ignores) -> Version:
    """Return the newest version of a dep in git's history with this hash.

    All branches, tags, stashes and experiments count, and so do commits that only the reflog names.

    Raises:
        InputError: no commit has the dep with this hash.
    """
    commits = list_commits(dep)
    for commit in commits:
        files = {path: content for path, content in read_commit(commit, dep).items() if not ignores(path)}
        if files and hash_files(dep, files) == md5:
            return Version(commit, files)
    raise InputError(
        f"{dep}: dvc.lock records the MD5 sum {md5}, and none of its {len(commits)} versions in git's history has "
        f"that one. {advise_on_missing_version()}"
    )


def list_commits(dep: str) -> list[str]:
    """Return the ids of the commits that hold a dep in another state each, newest first."""
    commits = run_git("log", "--all", "--reflog", "--full-history", "--date-order", "--format=%H", "--", dep).split()
    wanted = b"".join(b"%b:./%b\n" % (commit, dep.encode()) for commit in commits)
    objects = run_git("cat-file", "--batch-check=%(objectname)", given=wanted).splitlines()
    newest: dict[bytes, str] = {}
    for commit, name in zip(commits, objects, strict=True):
        if not name.endswith(b" missing"):  # as it is in a commit that removed the dep
            newest.setdefault(name, commit.decode())
    return list(newest.values())


def read_commit(commit: str, dep: str) -> dict[str, bytes]:
    """Return the files of a dep by their paths, as `git checkout` of the commit would write them.

    There are none if a link among them points outside the dep, or at itself. The archive lacks its target.
    """
    with tarfile.open(fileobj=BytesIO(run_git("archive", "--format=tar", commit, "--", dep))) as archive:
        try:
            contents = {member.name: archive.extractfile(member) for member in archive}
        except (KeyError, RecursionError):
            return {}
        return {path: content.read() for path, content in contents.items() if content}


def advise_on_missing_version() -> str:
    """Return advice for the user where no commit has the recorded state."""
    if run_git("rev-parse", "--is-shallow-repository").strip() == b"true":
        return "This clone has a part of the history only: run `git fetch --unshallow`, and try again"
    if run_git("diff", "--name-only", "HEAD", "--", "dvc.lock"):
        return (
            "That code was never committed, and neither was dvc.lock. If only `make code-only` changed dvc.lock, run "
            "`git restore dvc.lock` and try again; otherwise run `dvc repro`"
        )
    return "That code was never committed, so nothing can be compared: run `dvc repro`"


def run_git(*arguments: str, given: bytes = b"") -> bytes:
    """Return the output of a git command in the working folder, which reads `given`.

    Raises:
        InputError: git is not installed, or the command fails, such as outside of a repository.
    """
    try:
        return subprocess.run(["git", *arguments], input=given, capture_output=True, check=True).stdout
    except FileNotFoundError:
        raise InputError("git was not found; install it") from None
    except subprocess.CalledProcessError as error:
        message = error.stderr.decode(errors="replace").strip()
        raise InputError(f"`git {arguments[0]}` failed ({message}); run this in a clone of the project") from None
