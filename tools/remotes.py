"""Repeat the urls of DVC's remotes in `.dvc/config.local`, so that DVC finds them at every revision.

`make setup` runs `python -m tools.remotes`. For another revision DVC reads `.dvc/config` out of git, and there
`../store` means `/store` at the root of the file system. `.dvc/config.local` has the absolute path. It wins at every
revision. For a remote on a server it has the server's url, so that commits from before the move use the server too.
"""

import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from configobj import ConfigObj, ConfigObjError
from dvc.config import get_compiled_schema
from voluptuous import MultipleInvalid

from emotion.core.errors import InputError, run_command
from emotion.core.files import atomic_path, read_json, write_json

FOLDER = Path(__file__).resolve().parents[1] / ".dvc"

COMMITTED, LOCAL = "config", "config.local"

RECORD = "remotes.json"
"""File of the urls that the last run wrote. A url that is not in it was set by the user, and stays."""

Urls = dict[str, str]
"""The url of each remote by the name of its section, such as `remote "store"`."""


def main() -> None:
    """Bring `.dvc/config.local` up to date, and print each url that changed."""
    run_command(lambda: sys.stdout.writelines(update(FOLDER)))


def update(folder: Path) -> list[str]:
    """Write the urls of the committed remotes into the local settings.

    A url that the user set in the local settings stays, and so does everything else there. A url also stays where DVC
    would refuse the settings beside the new one, such as the password of a server beside a path.

    Args:
        folder: the folder `.dvc` of a clone.

    Returns:
        a line for each url that changed, and one for each url with settings that DVC refuses.

    Raises:
        InputError: a file of settings cannot be read.
    """
    local = _read(folder / LOCAL)
    committed, present, written = _urls(_read(folder / COMMITTED)), _urls(local), _read_record(folder / RECORD)
    ours = {section for section in committed | present if _is_ours(section, present.get(section), committed, written)}
    wanted = {section: absolute(url, folder) for section, url in committed.items()}
    refused = {section: keys for section in ours & wanted.keys() if (keys := _refused(local, section, wanted[section]))}
    notes = [_advise(section, refused[section], wanted[section]) for section in sorted(refused)]
    wanted |= {section: present[section] for section in refused if section in present}
    changed = {section: wanted.get(section) for section in ours if present.get(section) != wanted.get(section)}
    for section, url in changed.items():
        _set_url(local, section, url)
    if changed:
        _write(local, folder / LOCAL)
    if written != wanted:
        write_json(folder / RECORD, wanted)
    return [f"{section}: {url or 'removed'} (.dvc/{LOCAL})\n" for section, url in sorted(changed.items())] + notes


def absolute(url: str, folder: Path) -> str:
    """Return `url`, with a path made absolute as DVC does it, from the folder of the settings.

    A path stays as it is where DVC would take a part of the absolute one, such as `%(name)s`, for a placeholder.
    """
    path = str(folder / Path(url).expanduser())
    return url if re.match(r"\w+://", url) or "%(" in path else path


def _is_ours(section: str, present: str | None, committed: Urls, written: Urls) -> bool:
    """Return whether this module wrote the url that a section of the local settings has, if it has one.

    Settings that were copied from another clone have a path in that clone, and can lack the record.
    """
    name = section.removeprefix("remote ").strip('"')
    ends = tuple(f"/{FOLDER.name}/{url}" for url in (committed.get(section), f"../{name}") if url)
    return present is None or present == written.get(section) or present.endswith(ends)


def _refused(local: ConfigObj, section: str, url: str) -> list[str]:
    """Return the keys of a section that DVC refuses beside this url."""
    keys: Mapping[str, str] = local.get(section, {})
    try:
        get_compiled_schema()({"remote": {section: {**keys, "url": url}}})
    except MultipleInvalid as error:
        faulty = [fault.path[-1] for fault in error.errors]
        return [key for key in keys if key in faulty]
    return []


def _advise(section: str, keys: list[str], url: str) -> str:
    names = ", ".join(keys)
    return f"{section}: DVC refuses {names} for {url}. Remove that from .dvc/{LOCAL}, and run `make setup` again\n"


def _read_record(path: Path) -> Urls:
    """Return the urls that the last run wrote; none where the record is missing, broken or holds something else."""
    with suppress(InputError):
        return read_json(path)
    return {}


def _urls(config: ConfigObj) -> Urls:
    """Return the url of each remote in some settings."""
    sections: Mapping[str, Mapping[str, str]] = {name: config[name] for name in config.sections}
    return {name: keys["url"] for name, keys in sections.items() if name.startswith("remote ") and "url" in keys}


def _set_url(config: ConfigObj, section: str, url: str | None) -> None:
    """Set the url of a section, or remove it and the section that it leaves empty."""
    if url is not None:
        config.setdefault(section, {})["url"] = url
        return
    del config[section]["url"]
    if not config[section]:
        del config[section]


def _read(path: Path) -> ConfigObj:
    """Return settings as DVC reads them, but with their values as they stand; no settings for a missing file."""
    try:
        return ConfigObj(str(path), interpolation=False, indent_type="    ", encoding="utf-8", default_encoding="utf-8")
    except (ConfigObjError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}); correct this line, or remove the file") from None


def _write(config: ConfigObj, path: Path) -> None:
    """Write settings to a file, or to the target of a link."""
    path = path.resolve()
    with _same_mode(path), atomic_path(path) as temporary, temporary.open("wb") as stream:
        config.write(stream)


@contextmanager
def _same_mode(path: Path) -> Iterator[None]:
    """Return a context in which new files have the mode of `path`, which may hold passwords."""
    if not path.exists():
        yield
        return
    before = os.umask(0o777 & ~stat.S_IMODE(path.stat().st_mode))
    try:
        yield
    finally:
        os.umask(before)


if __name__ == "__main__":
    main()
