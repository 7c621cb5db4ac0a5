"""Fill store/, DVC's remote in this repository, with the files that dvc.lock names, and stage them for git.

git ignores what `dvc push` writes into the folder, so that no other results are committed by accident. `make store`
runs this command, after `dvc repro` on the sample.
"""

import json
import shutil
import tempfile
from pathlib import Path

from emotion.app.programs import run_dvc, run_git
from emotion.core.errors import InputError, run_command
from emotion.core.params import SHARED_REMOTE, load_params
from emotion.presentation.formats import millions

STORE = Path(SHARED_REMOTE)
FILES = STORE / "files"


def main() -> None:
    """Fill the store and print what it holds."""
    run_command(lambda: print(fill()))


def fill() -> str:
    """Push the results to an empty store, and stage it with git; return what to print.

    Raises:
        InputError: the results are not of the sample, are out of date, or DVC's cache lacks them; or the remote is
            another place. The store then stays as it was.
    """
    check_results()
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=STORE.parent) as folder:
        before = Path(folder) / FILES.name
        if FILES.exists():
            FILES.rename(before)
        try:
            run_dvc("push")
            if not FILES.exists():
                raise InputError(f"dvc push wrote nothing to {FILES}, since the remote {STORE} is another place")
        except BaseException:
            shutil.rmtree(FILES, ignore_errors=True)
            if before.exists():
                before.rename(FILES)
            raise
    run_git("add", "--all", "--force", "--", STORE.as_posix())
    files = [path for path in FILES.rglob("*") if path.is_file()]
    return f"{STORE}: {len(files)} files, {millions(sum(path.stat().st_size for path in files))} MB. Now: git commit"


def check_results() -> None:
    """Raise InputError where the results may not go to the store, or `dvc repro` would change them."""
    remote = load_params("source").source.remote
    if remote != SHARED_REMOTE:
        raise InputError(
            f"source.remote: got {remote}, expected {SHARED_REMOTE}, which is for the sample only; run "
            "`emotion preset sample` and `dvc repro`"
        )
    changed = json.loads(run_dvc("status", "--json"))
    if changed:
        raise InputError(f"the results are out of date ({', '.join(sorted(changed))} changed); run `dvc repro`")


if __name__ == "__main__":
    main()
