"""Other programs, such as git and DVC: started by commands, with their failures as messages."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from emotion.core.errors import InputError


def run_git(*arguments: str) -> str:
    """Return the output of a git command; raise InputError with the output where it fails."""
    return run_program(["git", *arguments], f"git {arguments[0]}")


def run_dvc(*arguments: str) -> str:
    """Return the output of a DVC command; raise InputError with the output where it fails."""
    return run_program([sys.executable, "-m", "dvc", *arguments], f"dvc {arguments[0]}")


def run_program(
    command: Sequence[str], shown: str, *, variables: Mapping[str, str] | None = None, seconds: float | None = None
) -> str:
    """Return what a program printed to standard output.

    Args:
        command: the program and its arguments.
        shown: the name of the command in the message of an error.
        variables: further variables of its environment.
        seconds: the time that it may take.

    Raises:
        InputError: the program is not installed, failed or took too long. The message has its output.
    """
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            env=os.environ | variables if variables else None,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"{shown} gave no answer within {seconds:g} s") from None
    except FileNotFoundError:
        raise InputError(f"{command[0]} was not found; install it, or add its folder to PATH") from None
    if done.returncode:
        raise InputError(f"{shown} failed with the output: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
