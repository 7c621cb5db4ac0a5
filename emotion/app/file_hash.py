"""The hash of a file, by which two machines or runs tell whether it is the same."""

import hashlib
from pathlib import Path


def hash_file(path: Path) -> str:
    """Return the sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
