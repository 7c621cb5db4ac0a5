"""The choice of the file to read in an archive without images."""

from emotion.core.errors import InputError
from emotion.data.file_formats import HEAD_BYTES
from emotion.ingest.sources.archive_trees import Archive
from emotion.ingest.sources.archives import damage_explained, show
from emotion.ingest.sources.forms import COMPRESSED, Form, find_form
from emotion.ingest.sources.tables.csv_rows import is_table_of_pixels

FER2013_FILES = ("fer2013.csv", "icml_face_data.csv")
"""Names of the CSV files to read where an archive holds several."""

MAX_LOOKED_INTO = 1000
"""Number of files whose first bytes are looked at."""

ARCHIVES = COMPRESSED | {Form.ZIP, Form.TAR}


def choose_member(archive: Archive) -> tuple[str, Form]:
    """Return the file to read, and its form: FER2013's CSV file, or else the only table, or else the only archive.

    Raises:
        InputError: there is no such file, or more than one.
    """
    names = archive.list()
    forms: dict[str, Form | None] = {}
    tables = []
    for name in names[:MAX_LOOKED_INTO]:
        with damage_explained(f"{archive.name}: {name}"), archive.open(name) as file:
            head = file.read(HEAD_BYTES)
        forms[name] = find_form(head)
        if is_named_csv(name) or forms[name] is Form.PARQUET or is_table_of_pixels(head):
            tables.append(name)
    known = [name for name in tables if is_fer2013(name)]
    packed = [name for name in forms if forms[name] in ARCHIVES]
    tables = [name for name in tables if name not in packed]
    for candidates in (known, tables, packed):
        if len(candidates) == 1:
            return candidates[0], forms[candidates[0]] or Form.TEXT
        if candidates:
            raise InputError(
                f"{archive.name} holds several tables: {_list(candidates)}, expected one; unpack the one to read"
            )
    raise InputError(
        f"{archive.name} holds neither a CSV file nor class folders; found {_list(names) or 'no files at all'}; "
        "use an archive of FER2013, or of a folder per emotion"
    )


def is_named_csv(name: str) -> bool:
    """Return whether the name of a file is that of a CSV file."""
    return name.lower().endswith(".csv")


def is_fer2013(name: str) -> bool:
    """Return whether the name of a file is that of a CSV file of FER2013."""
    return name.rpartition("/")[2].lower() in FER2013_FILES


def _list(names: list[str], at_most: int = 12) -> str:
    more = f" and {len(names) - at_most:,} more" if len(names) > at_most else ""
    return ", ".join(show(name).strip("'\"") for name in names[:at_most]) + more
