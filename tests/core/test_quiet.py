"""What a block writes is held back, past Python too, and comes to light where the block fails."""

import subprocess
import sys

import pytest

BEFORE = """
import os, sys
from emotion.core.errors import InputError
from emotion.core.quiet import quiet

def chatter():
    print("print to stdout")
    print("print to stderr", file=sys.stderr)
    os.write(1, b"native stdout\\n")
    os.write(2, b"native stderr\\n")

def fail(error):
    with quiet(stdout=True):
        chatter()
        raise error
"""
OUT, ERR = ["native stdout", "print to stdout"], ["native stderr", "print to stderr"]


@pytest.mark.parametrize(
    "code, out, err",
    [
        ("chatter()", OUT, ERR),
        ("with quiet(): chatter()", OUT, []),
        ("with quiet(stdout=True): chatter()", [], []),
        ("with quiet(stdout=True): pass\nchatter()", OUT, ERR),
        ("try: fail(InputError('no model'))\nexcept InputError: pass", [], []),
        ("try: fail(KeyError('other'))\nexcept KeyError: pass", ["native stdout"], ERR),
        ("os.close(2)\nwith quiet(): pass\nprint('done')", ["done"], []),
    ],
    ids=["loud", "quiet", "quieter", "afterwards", "user", "failure", "no stderr"],
)
def test_what_reaches_the_terminal(code, out, err):
    done = subprocess.run([sys.executable, "-c", BEFORE + code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (sorted(done.stdout.splitlines()), sorted(done.stderr.splitlines())) == (out, err)
