"""Bounds on memory: inputs that are made to fill it are refused early, and many rows need little."""

import gzip
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from emotion.core.errors import InputError
from tests.makers import open_source

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory stands in /proc")

MOST_MIB = 500

READ = """
import json, resource, sys
from pathlib import Path
from emotion.core.errors import InputError
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.content import content_of
from emotion.ingest.sources.locate import open_source
rows, reason = 0, ""
try:
    for batch in open_source(Path(sys.argv[1]), None, LabelReader()).batches(content_of):
        rows += len(batch)
except InputError as error:
    reason = str(error)
# getrusage would count the memory of the process of the tests, which started this one.
own = int(Path("/proc/self/status").read_text(encoding="utf-8").split("VmHWM:")[1].split()[0])
workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"rows": rows, "reason": reason, "mib": max(own, workers) / 1024}))
"""


def read_apart(folder: Path) -> dict[str, object]:
    """Read the source in `folder` in a process of its own; return its rows, the refusal and the peak memory."""
    command = [sys.executable, "-c", READ, str(folder)]
    result: dict[str, object] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return result


def write_gzip(path: Path, start: bytes, block: bytes, times: int) -> None:
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(start)
        for _ in range(times):
            file.write(block)


def long_header(kind: bytes) -> bytes:
    """Return the header of a member that describes the next one in a gibibyte."""
    header = bytearray(512)
    header[:7], header[100:108], header[124:136] = b"PaxHead", b"0000644\0", b"%011o\0" % 2**30
    header[156:157], header[257:265] = kind, b"ustar\x0000"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


@pytest.mark.parametrize("kind", [b"g", b"L", b"K"])
def test_long_headers_of_every_kind_are_refused(kind, tmp_path):
    (tmp_path / "a.tar").write_bytes(long_header(kind) + bytes(2**20))
    with pytest.raises(InputError, match=r"a\.tar has a header of 1,073,741,824 bytes, expected at most 1,048,576"):
        open_source(tmp_path)


def pax_header(kind: bytes, key: str, length: int) -> bytes:
    content = f"{length} {key}=".encode().ljust(length - 1, b"v") + b"\n"
    header = tarfile.TarInfo(key)
    header.type, header.size = kind, length
    return header.tobuf() + content.ljust(-(-length // 512) * 512, b"\0")


@pytest.mark.parametrize("kind", [b"x", b"g"])
def test_headers_together_are_at_most_the_bound(kind, tmp_path):
    """Each member of a tar keeps the headers before it, and all members keep the global ones."""
    members = [tarfile.TarInfo(f"{number}/").tobuf() if kind == b"g" else b"" for number in range(3)]
    headers = [pax_header(kind, f"key{number}", 400_000) + member for number, member in enumerate(members)]
    (tmp_path / "a.tar").write_bytes(b"".join(headers))
    with pytest.raises(InputError, match=r"a\.tar has a header of 1,200,000 bytes, expected at most 1,048,576"):
        open_source(tmp_path)


def test_long_names_of_members_are_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("happy/" + "n" * 5000 + ".png"))
    with pytest.raises(InputError, match=r"has 5,010 characters, expected at most 4,096"):
        open_source(tmp_path)


@pytest.mark.medium
def test_a_header_of_a_gibibyte_in_a_small_tar_is_refused_early(tmp_path):
    write_gzip(tmp_path / "a.tar.gz", long_header(b"x"), bytes(2**24), 16)
    result = read_apart(tmp_path)
    assert "a.tar.gz has a header of 1,073,741,824 bytes" in str(result["reason"])
    assert float(str(result["mib"])) < MOST_MIB


@pytest.mark.medium
@pytest.mark.parametrize(
    "start, fault", [(b"", "a line of more than"), (b'"1 2\n', "a quotation mark opens in the row")]
)
def test_rows_of_many_mebibytes_are_refused_early(start, fault, tmp_path):
    """A quoted value that never ends is such a row too, though its lines are short."""
    end = b"\n" if not start else b""
    row = b"happy," + start + (b"7 7 7;\n" if start else b"7 7 7 7") * 2**20 + end
    write_gzip(tmp_path / "a.csv.gz", b"emotion,pixels\n", row, 3)
    result = read_apart(tmp_path)
    assert fault in str(result["reason"])
    assert "4 MiB" in str(result["reason"])
    assert float(str(result["mib"])) < MOST_MIB
