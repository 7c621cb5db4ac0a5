"""The `emotion` command: its help teaches, starts at once, and shows commands that work."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from emotion.app import cli
from emotion.app.timeline import command as timeline
from emotion.inference.defaults import SMALL_STANDARD, STANDARD, STANDARD_FILE
from emotion.inference.predictor import find_standard

ROOT = Path(__file__).parents[2]

COMMANDS = [cli.name_of(module) for modules in cli.GROUPS.values() for module in modules]
READERS = [cli.name_of(module) for module in cli.GROUPS[cli.READING] if module is not timeline]
COLUMNS = 80


def help_of(monkeypatch, capsys, *command, columns=200):
    monkeypatch.setattr("sys.argv", ["emotion", *command, "--help"])
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 0
    return capsys.readouterr().out


def test_the_help_lists_the_commands_by_their_use(monkeypatch, capsys):
    text = help_of(monkeypatch, capsys)
    places = [text.index(f"\n  {name} ") for name in COMMANDS]
    assert places == sorted(places)
    for title in cli.GROUPS:
        assert f"\n{title}:\n" in text


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_the_help_fits_a_terminal(monkeypatch, capsys, command):
    text = help_of(monkeypatch, capsys, *command, columns=COLUMNS)
    assert max(map(len, text.splitlines())) <= COLUMNS


@pytest.mark.parametrize("name", READERS)
def test_the_help_names_the_model_that_a_command_takes_by_default(monkeypatch, capsys, name):
    file = "model.keras" if name == "explain" else STANDARD_FILE
    assert f"(default: {file} of the release {STANDARD}, or of {SMALL_STANDARD} " in help_of(monkeypatch, capsys, name)
    assert find_standard(file).is_file()


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_the_examples_of_the_help_are_commands_that_work(monkeypatch, capsys, name):
    text = help_of(monkeypatch, capsys, *filter(None, [name]))
    examples = re.findall(rf"^  (emotion {name or '[a-z]+'} .*)$", text.partition("examples:\n")[2], flags=re.MULTILINE)
    assert examples
    for example in examples:
        words = shlex.split(re.split(r"  | [>|&] | && ", example)[0])
        assert callable(cli._parser().parse_args(words[1:]).run)


def test_the_help_loads_nothing_heavy():
    program = (
        "import sys; sys.argv = ['emotion', '--help']\n"
        "from emotion.app import cli\n"
        "try: cli.main()\n"
        "except SystemExit: print(*sorted(sys.modules), file=sys.stderr)"
    )
    # Where coverage measures, it loads modules into each process that the variable reaches.
    environment = {name: value for name, value in os.environ.items() if name != "COVERAGE_PROCESS_CONFIG"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "emotion.app.predict.command" in done.stderr.split()
    heavy = {"numpy", "cv2", "PIL", "tensorflow", "keras", "pandas", "fastapi", "uvicorn", "matplotlib", "pygame"}
    assert not loaded & (heavy | {"tqdm", "ruamel", "pydantic", "asyncio", "multiprocessing", "onnxruntime"})


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["unheard-of"],
        ["predict"],
        ["predict", "a.jpg", "--csv", "--json"],
        ["predict", "a.jpg", "--detector", "dlib"],
        *(["predict", "a.jpg", "--threads", value] for value in ("0", "-1", "1.5", "many", "9" * 30)),
        *(["predict", "a.jpg", "--margin", value] for value in ("-0.5", "3", "nan", "wide")),
        ["predict", "a.jpg", "--smallest", "0"],
    ],
)
def test_wrong_arguments_end_with_2_and_say_why(monkeypatch, capsys, words):
    monkeypatch.setattr("sys.argv", ["emotion", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "error: " in printed.err


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize(
    "words, now",
    [
        (["--faces", "whole"], "--detector whole"),
        (["--faces=cascade"], "--detector cascade"),
        (["--faces"], "--detector"),
    ],
)
def test_an_option_of_before_ends_with_2_and_its_new_name(monkeypatch, capsys, command, words, now):
    source = [] if command in ("webcam", "serve") else ["a.jpg"]
    monkeypatch.setattr("sys.argv", ["emotion", command, *source, *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith(f"emotion {command}: error: --faces ")
    assert message.endswith(now)


def test_the_folder_for_images_of_the_webcam_was_renamed(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["emotion", "webcam", "--pictures", "out"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    message = capsys.readouterr().err.strip()
    assert "error: --pictures " in message
    assert message.endswith("--images out")


@pytest.mark.parametrize("command", READERS)
def test_the_help_is_silent_on_options_of_before(monkeypatch, capsys, command):
    assert "--faces" not in help_of(monkeypatch, capsys, command)


def test_negative_margins_and_numbers_are_taken(monkeypatch):
    parsed = cli._parser().parse_args(["predict", "a.jpg", "--margin", "-0.2", "--smallest", "24", "--threads", "2"])
    assert (parsed.margin, parsed.smallest, parsed.threads) == (-0.2, 24, 2)


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("sys.argv", ["emotion", "release", "one"])
    monkeypatch.setitem(sys.modules, "emotion.app.release.release", None)
    with pytest.raises(ModuleNotFoundError, match="emotion"):
        cli.main()
    monkeypatch.delitem(sys.modules, "emotion.app.release.release")
    monkeypatch.delitem(sys.modules, "emotion.reports.facts", raising=False)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert str(end.value.code).startswith("error: ")
    assert "pandas" in str(end.value.code)
    assert "pip install" in str(end.value.code)


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as end:
        cli._parser().parse_args(["--version"])
    version = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert version
    assert (end.value.code, capsys.readouterr().out) == (0, f"emotion {version[1]}\n")


@pytest.mark.medium
@pytest.mark.skipif(sys.platform == "win32", reason="its shell has no such redirection")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_reason_for_a_traceback(closed, tmp_path):
    (tmp_path / "no.png").write_text("no image")
    code = "from emotion.app.cli import main; main()"
    done = subprocess.run(
        ["bash", "-c", f'exec "$0" -c "{code}" predict no.png {closed}', sys.executable],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (1, 3)
    assert "Traceback" not in done.stderr
