"""Stores of files at addresses such as s3://bucket/folder, through fsspec: listed and read many files at a time.

Users and passwords come from the environment and from the store's own configuration, never from an address.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from emotion.core.errors import InputError, first_line


class Backend(NamedTuple):
    """The package that reads stores of a kind.

    Attributes:
        protocol: the name in fsspec.
        package: what to install.
        options: of its file system, so that a store which does not answer is told within ten seconds.
        has_users: whether the address may name a user, without a password.
        configuration: where it finds users and passwords, for messages.
    """

    protocol: str
    package: str
    options: Mapping[str, Any] = {}
    has_users: bool = False
    configuration: str = ""


CONNECTIONS = 32
"""Files that a process reads from a store at the same time."""

ATTEMPTS = 2
"""The number of times that s3fs and gcsfs ask. Each time, botocore asks three times, so more would take minutes."""

_UNCACHED = {"use_listings_cache": False}
"""Two listings of a process may have to differ. sshfs keeps none, and does not know the option."""

_S3 = Backend(
    "s3",
    "s3fs",
    {
        **_UNCACHED,
        "max_concurrency": 1,  # within a file; with more, s3fs asks for the size of each file first
        "config_kwargs": {
            "connect_timeout": 2,
            "read_timeout": 10,
            "retries": {"mode": "standard", "max_attempts": 3},
            "max_pool_connections": CONNECTIONS,
        },
    },
    configuration="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws",
)
_AZURE = Backend(
    "az",
    "adlfs",
    {**_UNCACHED, "connection_timeout": 2},
    configuration="AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
)
_SSH = Backend("ssh", "sshfs", {"connect_timeout": 8}, True, "the agent of ssh, or ~/.ssh")

BACKENDS: dict[str, Backend] = {
    "s3": _S3,
    "gs": Backend("gs", "gcsfs", _UNCACHED, configuration="`gcloud auth application-default login`"),
    "az": _AZURE,
    "azure": _AZURE,
    "ssh": _SSH,
    "sftp": _SSH,
}
"""The stores by the scheme of their addresses."""

STARTS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://", re.IGNORECASE)

SECRET = re.compile(r"(?P<start>[A-Za-z][A-Za-z0-9+.-]*://).*@")
"""The part of an address that may be a user and a password. A password may hold any character."""

ETAGS = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "created")
"""Names under which stores tell that a file changed, the surest first."""

FILE_REFUSALS = ("AccessDenied", "403", "InvalidObjectState")
"""S3's codes for one file that is closed. s3fs raises PermissionError for other codes too, such as ExpiredToken."""


class StoreAddress(NamedTuple):
    """The address of a file or a folder in a store. It holds no secret.

    Attributes:
        scheme: one of BACKENDS.
        host: the bucket or container; for ssh the machine, with the user.
        path: the path in it, without a / at its ends; empty for all of it.
    """

    scheme: str
    host: str
    path: str = ""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}/{self.path}".rstrip("/")

    def __truediv__(self, name: str) -> "StoreAddress":
        """Return the address of what is called `name` in this folder."""
        return self._replace(path=f"{self.path}/{name}".strip("/"))

    @property
    def name(self) -> str:
        """The name of the file or folder."""
        return self.path.rpartition("/")[2] or self.host

    def absolute(self) -> "StoreAddress":
        """Return this address, as `Path.absolute` does for a path."""
        return self


Location = Path | StoreAddress
"""A file or folder of this machine, or one in a store."""


class StoreFile(NamedTuple):
    """A file of a listing: its size in bytes, and a text that is another one after a change."""

    size: int
    etag: str


class StoreFileError(InputError):
    """One file of a store cannot be read; the message has the reason, without the file's address."""


def hide_secrets(text: str) -> str:
    """Return a text without the users and passwords of the addresses in it."""
    return SECRET.sub(lambda match: match["start"], text)


def is_store_address(text: str) -> bool:
    """Return whether a text is meant as the address of a store."""
    start = STARTS.match(text)
    return start is not None and start["scheme"].lower() in BACKENDS


def parse_address(text: str) -> StoreAddress:
    """Return the address that `is_store_address` knows.

    Raises:
        InputError: it names no bucket or machine, or holds a password or a query. The message does not repeat these.
    """
    scheme, _, rest = text.partition("://")
    scheme = scheme.lower()
    host, _, path = rest.partition("/")
    user, _, machine = host.rpartition("@")
    has_user = BACKENDS[scheme].has_users
    # A password may hold a /, and its start then looks like a host.
    starts_as_password = ":" in host and not user and "@" in path
    is_secret = ":" in user or starts_as_password or (not has_user and re.search("[:@]", host) is not None)
    if is_secret or not machine or re.search(r"[?#\t\r\n]|::|^\s|\s$", rest):
        raise InputError(f"got an address of {scheme}:// that cannot be used, expected {describe_form(scheme)}")
    return StoreAddress(scheme, host, re.sub("/+", "/", path).strip("/"))


def describe_form(scheme: str) -> str:
    """Return the form of an address, for messages."""
    host = "USER@HOST" if BACKENDS[scheme].has_users else "BUCKET"
    return (
        f"{scheme}://{host}/FOLDER without a password and signs such as ?; users and passwords come from "
        f"{BACKENDS[scheme].configuration}"
    )


def locate(text: str) -> Location:
    """Return the address of a store that a user wrote, or else the path.

    Raises:
        InputError: as `parse_address`.
    """
    return parse_address(text) if is_store_address(text) else Path(text)


def list_store(folder: StoreAddress) -> dict[str, StoreFile]:
    """Return the files below an address by their names relative to it, sorted.

    The file at the address itself, if it is one, has an empty name. Names of folders are left out.

    Raises:
        InputError: the store refuses, does not answer, or has no such bucket.
    """
    with _explained(folder):
        system, path = _open(folder)
        found = system.find(path, detail=True)
    start = path.rstrip("/") + "/"
    files = {
        name.removeprefix(start) if name.startswith(start) else "": StoreFile(int(info["size"] or 0), _etag(info))
        for name, info in found.items()
        if info["type"] == "file" and not name.endswith("/")
    }
    return dict(sorted(files.items()))


def _etag(info: Mapping[str, Any]) -> str:
    return next((str(info[name]) for name in ETAGS if info.get(name)), "")


def read_store(folder: StoreAddress, names: Sequence[str]) -> list[bytes | StoreFileError]:
    """Return the content of files, read at the same time, or the reason why one cannot be read.

    Args:
        folder: where they lie.
        names: relative to it.

    Raises:
        InputError: the store cannot be used, or fails on a file. A file that is missing or closed is no such failure.
    """
    if not names:
        return []
    with _explained(folder):
        system, path = _open(folder)
        paths = [f"{path.rstrip('/')}/{name}" if name else path for name in names]
        contents = system.cat_ranges(paths, None, None, on_error="return")
        return [content if isinstance(content, bytes) else _explain_file(content) for content in contents]


def write_store(file: StoreAddress, content: bytes) -> None:
    """Write a file, all of it or nothing.

    Raises:
        InputError: the store refuses or does not answer.
    """
    with _explained(file, "written"):
        system, path = _open(file)
        if not BACKENDS[file.scheme].has_users:
            system.pipe_file(path, content)  # buckets show a file once it is whole
            return
        folder, _, name = path.rpartition("/")
        temporary = f"{folder}/.partial-{os.getpid()}-{name}"
        system.makedirs(folder, exist_ok=True)
        try:
            system.pipe_file(temporary, content)
            system.mv(temporary, path)
        except BaseException:
            with suppress(Exception):  # the error of before says more
                system.rm_file(temporary)
            raise


def remove_from_store(folder: StoreAddress, names: Iterable[str]) -> None:
    """Remove files. Those that are gone already are left out.

    Raises:
        InputError: the store refuses or does not answer.
    """
    with _explained(folder, "written"):
        system, path = _open(folder)
        for name in names:
            with suppress(FileNotFoundError):
                system.rm_file(f"{path.rstrip('/')}/{name}")


def _open(address: StoreAddress) -> tuple[Any, str]:
    """Return the file system of a store, and the path of the address in it."""
    system, root = _open_system(address.scheme, address.host, os.getpid())
    return system, f"{root.rstrip('/')}/{address.path}".rstrip("/") or "/"


@cache
def _open_system(scheme: str, host: str, process: int) -> tuple[Any, str]:
    """Return the file system and the path of its root. A forked process opens its own connections.

    The one of the parent stays in the cache, so that it is not closed there.
    """
    backend = BACKENDS[scheme]
    try:
        from fsspec import get_filesystem_class
        from fsspec.core import url_to_fs

        get_filesystem_class(backend.protocol)
    except ImportError:
        raise InputError(
            f"{scheme}:// needs the package {backend.package}, which is not installed; install it with `pip install "
            f"{backend.package}`"
        ) from None
    system, root = url_to_fs(f"{backend.protocol}://{host}/", **backend.options, skip_instance_cache=True)
    system.retries = ATTEMPTS
    return system, str(root)


@contextmanager
def _explained(address: StoreAddress, done: str = "read") -> Iterator[None]:
    """Turn the errors of a store into sentences. Each backend has its own kinds of errors."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{address} cannot be {done}: {_explain(address, error)}") from None


def _explain(address: StoreAddress, error: Exception) -> str:
    backend = BACKENDS[address.scheme]
    if isinstance(error, FileNotFoundError):
        top = f"{address.scheme}://{address.host}"
        return f"there is no {top}, or nothing of this name in it; correct the address"
    if isinstance(error, PermissionError):
        return f"access is denied ({_reason(error)}); check the user of {backend.configuration}, and what it may do"
    if "credential" in f"{type(error).__name__} {error}".lower():
        return f"no user and password were found; they come from {backend.configuration}"
    return f"the store does not answer as expected ({_reason(error)}); check the address and the network"


def _explain_file(error: Exception) -> StoreFileError:
    """Return why a single file cannot be read.

    Raises:
        Exception: the fault is one of the store or the network, and the file may be sound.
    """
    if isinstance(error, FileNotFoundError):
        return StoreFileError("the file cannot be read: No such file or directory")
    if isinstance(error, PermissionError) and _find_s3_code(error) in (*FILE_REFUSALS, ""):
        return StoreFileError("the file cannot be read: Permission denied")
    raise error


def _find_s3_code(error: Exception) -> str:
    """Return S3's code of an error, or an empty text where there is none, as with other stores."""
    response = getattr(error.__cause__, "response", None)  # of botocore's ClientError
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _reason(error: Exception) -> str:
    return hide_secrets(first_line(error))
