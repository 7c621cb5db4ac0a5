"""Other programs, such as git and DVC: started by commands, with their failures as messages."""

import subprocess
import sys
from collections.abc import Sequence

from emotion.core.errors import InputError


def run_git(*arguments: str) -> str:
    """Return the output of a git command; raise InputError with the output where it fails."""
    return run_program(["git", *arguments], f"git {arguments[0]}")


def run_dvc(*arguments: str) -> str:
    """Return the output of a DVC command; raise InputError with the output where it fails."""
    return run_program([sys.executable, "-m", "dvc", *arguments], f"dvc {arguments[0]}")


def run_program(command: Sequence[str], shown: str) -> str:
    """Return what a program printed to standard output.

    Args:
        command: the program and its arguments.
        shown: the name of the command in the message of an error.

    Raises:
        InputError: the program is not installed or failed. The message has its output.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    except FileNotFoundError:
        raise InputError(f"{command[0]} was not found; install it, or add its folder to PATH") from None
    if done.returncode:
        raise InputError(f"{shown} failed with the output: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
