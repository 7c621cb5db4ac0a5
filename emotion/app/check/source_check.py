"""The check of the source that params.yaml names: what the pipeline would read, and what would stop it."""

from dataclasses import dataclass, field
from pathlib import Path

from emotion.app.check.folder_faults import Fault, FolderContent, look_into, look_into_store
from emotion.app.check.plan import Plan, make_plan
from emotion.core.errors import InputError
from emotion.core.labels import VOTE_SCHEMES, check_targets, resolve_scheme
from emotion.core.params import SECTIONS, Params, load_params
from emotion.core.paths import DATASET_METRICS, FEATURES, PIXELS, REJECTED, SAMPLE_FOLDER, TABLE
from emotion.core.stores import StoreAddress, locate
from emotion.ingest.decision_file import find_decisions, read_decisions
from emotion.ingest.label_reader import make_label_reader
from emotion.ingest.sources.locate import open_source

WRITTEN = (TABLE, PIXELS, REJECTED, FEATURES, DATASET_METRICS)
"""The paths of what the stages write that read the source."""

NOT_DRAWN = "the sample is not drawn yet; the stage make_sample of `dvc repro` draws it"


@dataclass
class Report:
    """The result of a check.

    Attributes:
        folder: source.folder.
        content: the files in it; None where there is no such folder.
        plan: what would be read; None where no reader takes it.
        note: a line for the user where the folder is not there and need not be.
        faults: what would stop DVC or the pipeline.
        warnings: what may be a mistake.
    """

    folder: str
    content: FolderContent | None = None
    plan: Plan | None = None
    note: str = ""
    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check_source() -> Report:
    """Return the report on params.yaml and its source.

    Raises:
        InputError: params.yaml is missing or cannot be used.
    """
    params = load_params(*SECTIONS)
    folder = locate(params.source.folder)
    report = Report(params.source.folder)
    if isinstance(folder, StoreAddress):
        report.content = look_into_store(folder)
        _add_plan(report, params)
        return report
    if folder == SAMPLE_FOLDER and not folder.exists():
        report.note = NOT_DRAWN
        return report
    if folder.is_dir():
        report.content = look_into(str(folder))
        report.faults += report.content.faults.values()
        report.faults += _check_overlap(folder)
    if report.content is None or report.content.can_be_listed:
        _add_plan(report, params)
    return report


def _check_overlap(folder: Path) -> list[Fault]:
    """Return a fault where the folder holds what the pipeline writes."""
    written = [path.as_posix() for path in WRITTEN if path.resolve().is_relative_to(folder.resolve())]
    if not written:
        return []
    message = (
        f"source.folder is {folder}, in which the pipeline writes {', '.join(written)}, and DVC refuses this. Move the "
        "images to data/raw, and set source.folder to it"
    )
    return [Fault(message)]


def _add_plan(report: Report, params: Params) -> None:
    """Add to `report` what would be read, as the stage create_dataframe decides."""
    folder = locate(params.source.folder)
    try:
        scheme = resolve_scheme(params.labels.scheme)
        check_targets(params.labels.scheme, params.labels.targets, params.labels.source_votes)
        source = open_source(folder, params.source.file, make_label_reader(scheme, params.labels.numbers))
        report.plan = make_plan(source, scheme, params)
        if params.labels.scheme in VOTE_SCHEMES:
            from emotion.ingest.ferplus import read_votes

            read_votes(folder, source)
        if params.labels.decisions:
            read_decisions(find_decisions(params.labels.decisions))
    except InputError as error:
        report.faults.append(Fault(str(error)))
        return
    report.faults += map(Fault, report.plan.faults)
    report.warnings += report.plan.warnings
