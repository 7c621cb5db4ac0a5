"""What the tests of several commands share."""

from pathlib import Path

import pytest

from emotion.app import cli
from emotion.core.metadata import ModelMetadata
from tests.clips import write_clip


@pytest.fixture(scope="session")
def clip(astronaut, tmp_path_factory) -> Path:
    """A video of one face."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", astronaut)


@pytest.fixture
def run_emotion(monkeypatch, capfd):
    """Run `emotion` in this process; return exit status, standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["emotion", *map(str, arguments)])
        status: int | str | None = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code
        printed = capfd.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture(scope="session")
def talk(clip, model, tmp_path_factory) -> Path:
    """A table of `emotion video`."""
    table: Path = tmp_path_factory.mktemp("talk") / "talk.csv"
    arguments = cli._parser().parse_args(["video", str(clip), "--csv", str(table), "--model", str(model)])
    arguments.run(arguments)
    return table


@pytest.fixture(scope="session")
def keras_model(deterministic, tmp_path_factory) -> Path:
    """A small .keras file with random weights."""
    from emotion.model_files.keras_file import save_model
    from emotion.networks import registry

    path: Path = tmp_path_factory.mktemp("keras") / "model.keras"
    emotions = ("happy", "sad", "neutral")
    save_model(path, registry.build("residual_small", 24, 1, 3), ModelMetadata(emotions, 24, "grayscale"))
    return path
