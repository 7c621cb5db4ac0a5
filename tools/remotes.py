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
from contextlib import contextmanager
from pathlib import Path

from configobj import ConfigObj, ConfigObjError

from emotion.core.errors import InputError, run_command
from emotion.core.files import atomic_path, read_json, write_json

FOLDER = Path(__file__).resolve().parents[1] / ".dvc"

COMMITTED, LOCAL = "config", "config.local"

RECORD = "remotes.json"
"""File of the urls that the last run wrote. A url that is not in it was set by the user, and stays."""

OF_A_CLONE = f"{FOLDER.name}/../"
"""Part of each path that this module writes. It is found in a file copied from another clone too, without a record."""


def main() -> None:
    """Bring `.dvc/config.local` up to date, and print each url that changed."""
    run_command(lambda: sys.stdout.writelines(update(FOLDER)))


def update(folder: Path) -> list[str]:
    """Write the urls of the committed remotes into the local settings; return a line for each one that changed.

    A url that the user set in the local settings stays, and so does everything else there.

    Args:
        folder: the folder `.dvc` of a clone.

    Raises:
        InputError: a file of settings cannot be read.
    """
    local = _read(folder / LOCAL)
    wanted = {section: absolute(url, folder) for section, url in _urls(_read(folder / COMMITTED)).items()}
    written = read_json(folder / RECORD, "remove it") if (folder / RECORD).exists() else {}
    present = _urls(local)
    ours = {section for section in wanted | present if _is_ours(present.get(section), written.get(section))}
    changed = {section: wanted.get(section) for section in ours if present.get(section) != wanted.get(section)}
    for section, url in changed.items():
        _set_url(local, section, url)
    if changed:
        _write(local, folder / LOCAL)
    if written != wanted:
        write_json(folder / RECORD, wanted)
    return [f"{section}: {url or 'removed'} (.dvc/{LOCAL})\n" for section, url in sorted(changed.items())]


def absolute(url: str, folder: Path) -> str:
    """Return `url`, with a path made absolute as DVC does it, from the folder of the settings."""
    return url if re.match(r"\w+://", url) else str(folder / Path(url).expanduser())


def _is_ours(present: str | None, written: str | None) -> bool:
    return present is None or present == written or OF_A_CLONE in present


def _urls(config: ConfigObj) -> dict[str, str]:
    """Return the url of each remote by the name of its section, such as `remote "store"`."""
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
