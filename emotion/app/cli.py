"""The `emotion` command: lists its commands, and runs the one that was named."""

import argparse
import os
import sys
from contextlib import nullcontext
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from emotion.app import convert
from emotion.app.check import command as check
from emotion.app.decoder_messages import silenced_decoders
from emotion.app.evaluate import command as evaluate
from emotion.app.explain import command as explain
from emotion.app.labels import command as labels
from emotion.app.metrics import command as metrics
from emotion.app.predict import command as predict
from emotion.app.preset import command as preset
from emotion.app.release import command as release
from emotion.app.serve import command as serve
from emotion.app.sweep import command as sweep
from emotion.app.timeline import command as timeline
from emotion.app.video import command as video
from emotion.app.webcam import command as webcam
from emotion.core.errors import InputError, run_command

if TYPE_CHECKING:
    SubParsersAction = argparse._SubParsersAction[argparse.ArgumentParser]
else:  # it is generic for type checkers only
    SubParsersAction = argparse._SubParsersAction

PACKAGE = "facial-emotion-pipeline"
"""The name under which pip knows this package."""

BROKEN_PIPE = 141
"""The exit status that shells give a process that wrote to a pipe without a reader."""

READING = "read faces"

GROUPS = {
    READING: (predict, video, webcam, timeline, explain, serve),
    "the pipeline that trains models": (preset, check, labels, sweep, metrics, evaluate, convert, release),
}
"""The commands by their use. Each is named as its module or folder."""

DECODING = (*GROUPS[READING], evaluate)
"""The commands that decode images of users, whose damage they report themselves."""

DESCRIPTION = """\
Find faces in images, videos and the camera, and predict their emotions.
Train models for this with the pipeline."""

DETAILS = """\
examples:
  emotion predict photo.jpg                      print a table of the faces
  emotion predict ~/Pictures --csv > faces.csv   read a folder, write CSV
  emotion predict photo.jpg --annotate boxed     also write boxed/photo.jpg
  emotion webcam                                 read the camera
  emotion serve --open                           read images in the browser
  emotion preset fer2013                         set params.yaml for FER2013
  emotion check                                  show what would be read
  emotion labels audit                           find labels likely wrong
  emotion metrics HEAD                           show changes of all figures
  emotion evaluate --data faces                  score a model on your images

exit status:
  0    success
  1    an input cannot be used; the message says why
  2    the command line is wrong
  130  Ctrl-C ended the command

The help of each command says more: emotion predict --help"""


def main() -> None:
    """Run `emotion` with the arguments of the process.

    The exit status is 0 after success. It is 1, with a message, where an input cannot be used. It is 2 where the
    arguments are wrong, 130 after an interruption, and 141 where the reader of the output has ended. The help of a
    command lists its other exit statuses.
    """
    _open_closed_streams()
    arguments = _parser().parse_args()
    try:
        try:
            run_command(lambda: _run(arguments))
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Without this, Python would flush again at its end and print an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)


def _open_closed_streams() -> None:
    """Take the place of standard streams that are closed, so that no file gets their number and their output."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115


def _run(arguments: argparse.Namespace) -> None:
    decoding = [module.run for module in DECODING]
    try:
        with silenced_decoders() if arguments.run in decoding else nullcontext():
            arguments.run(arguments)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "emotion"):
            raise
        raise InputError(
            f"this command needs the package {package}, which is not installed; install it with "
            "pip install 'facial-emotion-pipeline[pipeline]', or in a clone with pip install -r requirements.txt"
        ) from None


class _Parser(argparse.ArgumentParser):
    """Leaves passwords in addresses out of its messages."""

    def error(self, message: str) -> NoReturn:
        """End with a message and exit status 2."""
        from emotion.inference.stream_address import hide_secrets

        super().error(hide_secrets(message))


class _Version(argparse.Action):
    """Prints the version of the installed package and ends."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        """End with the version."""
        from importlib.metadata import version

        print(f"emotion {version(PACKAGE)}")
        parser.exit()


class _Commands(SubParsersAction):
    """Adds commands as argparse does, and keeps the help line of each, so that they can be listed by use."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.help_lines: dict[str, str] = {}

    def add_parser(self, name: str, **options: Any) -> argparse.ArgumentParser:
        self.help_lines[name] = options.pop("help", "")
        return super().add_parser(name, **options)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="emotion",
        usage="emotion COMMAND ...",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands: Any = parser.add_subparsers(
        prog=parser.prog, required=True, metavar="COMMAND", action=_Commands, help=argparse.SUPPRESS
    )
    for modules in GROUPS.values():
        for module in modules:
            module.add_parser(commands)
    parser.epilog = f"{_list_commands(commands.help_lines)}\n\n{DETAILS}"
    return parser


def _list_commands(help_lines: dict[str, str]) -> str:
    blocks = [
        "\n".join([f"{title}:", *(f"  {name:12} {help_lines[name]}" for name in map(name_of, modules))])
        for title, modules in GROUPS.items()
    ]
    return "\n\n".join(blocks)


def name_of(module: ModuleType) -> str:
    """Return the name of the command that `module` holds."""
    return module.__name__.split(".")[2]
