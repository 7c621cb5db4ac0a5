"""emotion.ingest.sources: the content of an archive counts and not its name; unsafe ones are refused."""

import bz2
import gc
import gzip
import io
import lzma
import os
import pickle
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from emotion.core.errors import InputError
from emotion.ingest.sources import archives
from emotion.ingest.sources.archive_trees import ArchiveTree
from emotion.ingest.sources.content import content_of
from emotion.ingest.sources.file_source import open_archive
from emotion.ingest.sources.pixel_hash import hash_pixels
from emotion.ingest.sources.source import Place, Source
from tests.makers import csv_text, encode, image_files, make_rows, open_source, write_files, write_tar, write_zip

ROWS = make_rows()
CSV = csv_text(ROWS).encode()
FILES = image_files(ROWS)
IMAGE = encode(ROWS[0][2])
EXPECTED = sorted((emotion, split, hash_pixels(image[:, :, None])) for emotion, split, image in ROWS)


def zip_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tar_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def found(source: Source) -> list[tuple[str, str | None, str]]:
    rows = [row for batch in source.batches(content_of) for row in batch]
    assert [content.reason for _, content in rows if content.reason] == []
    images = source.read_again([Place(entry.image) for entry, _ in rows], lambda image, place: image)
    assert [hash_pixels(image) for image in images] == [content.hash for _, content in rows]
    return sorted((entry.emotion, entry.split, content.hash) for entry, content in rows)


TAR_OF_CSV = tar_of({"fer2013/README": b"", "fer2013/fer2013.csv": CSV})
TAR_OF_IMAGES = tar_of({f"./{name}": data for name, data in FILES.items()})
BACKSLASHES = {name.replace("/", "\\"): data for name, data in FILES.items()}

FORMS = {
    "a tar named .tar.gz": ("fer2013.tar.gz", TAR_OF_CSV),
    "a tar.gz named .tar": ("fer2013.tar", gzip.compress(TAR_OF_CSV)),
    "a tar.gz named .zip": ("archive.zip", gzip.compress(TAR_OF_CSV)),
    "a zip named .csv": ("fer2013.csv", zip_of({"fer2013.csv": CSV})),
    "a zip named .tar.gz": ("fer2013.tar.gz", zip_of(FILES)),
    "a table without a suffix": ("fer2013", CSV),
    "a table named .zip": ("fer2013.zip", CSV),
    "a gzip of a table": ("fer2013", gzip.compress(CSV)),
    "a bzip2 of a table": ("fer2013.csv.bz2", bz2.compress(CSV)),
    "an xz of a table": ("fer2013.csv.xz", lzma.compress(CSV)),
    "a tar.bz2 of a table": ("fer2013.tar.bz2", bz2.compress(TAR_OF_CSV)),
    "a tar.xz of images": ("images.tar.xz", lzma.compress(TAR_OF_IMAGES)),
    "a tar of images": ("images.tar", TAR_OF_IMAGES),
    "a tar.gz of images": ("images.tar.gz", gzip.compress(TAR_OF_IMAGES)),
    "a tar.gz of a zip": ("a.tar.gz", gzip.compress(tar_of({"archive.zip": zip_of(FILES)}))),
    "a zip of a tar.gz": ("a.zip", zip_of({"readme.txt": b"hi", "fer2013.tar.gz": gzip.compress(TAR_OF_CSV)})),
    "a zip of a tar of images": ("a.zip", zip_of({"images.tar": TAR_OF_IMAGES})),
    "a zip of a gzip of a table": ("a.zip", zip_of({"fer2013.csv.gz": gzip.compress(CSV)})),
    "a zip of a table without a suffix": ("a.zip", zip_of({"table": CSV, "notes.txt": b"emotion and pixels"})),
    "a zip with backslashes": ("a.zip", zip_of(BACKSLASHES)),
    "a gzip of a zip": ("a.zip.gz", gzip.compress(zip_of(FILES))),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_content_decides_and_not_the_name(form, tmp_path):
    name, data = FORMS[form]
    write_files(tmp_path, {name: data})
    assert found(open_source(tmp_path)) == EXPECTED


OTHERS = {
    "a web page": (b"  <!DOCTYPE html><html>please sign in</html>", "a web page (HTML)", "from your browser"),
    "git lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS", "git lfs pull"),
    "rar": (b"Rar!\x1a\7\1\0" + bytes(99), "an archive (RAR)", "unpack it first"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(99), "an archive (7z)", "unpack it first"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(99), "an archive (Zstandard)", "unpack it first"),
    "pdf": (b"%PDF-1.7" + bytes(99), "a PDF document", "PNG or JPEG"),
    "sqlite": (b"SQLite format 3\0" + bytes(99), "a SQLite database", "PNG or JPEG"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file", "PNG or JPEG"),
    "mat": (b"MATLAB 5.0 MAT-file, " + bytes(99), "a MATLAB file", "PNG or JPEG"),
    "an image": (IMAGE, "a PNG image", "folder per emotion"),
    "a video": (b"\0\0\0\x20ftypisom" + bytes(99), "a video (MP4)", "folder per emotion"),
    "nothing": (b"", "an empty file", "download it again"),
    "noise": (b"\x07\x00\x03\xff" * 99, "an unknown format", "folder per emotion"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_files_are_refused_by_name_with_the_way_out(kind, tmp_path):
    data, name, remedy = OTHERS[kind]
    write_files(tmp_path, {"fer2013.tar.gz": data, "b.csv.gz": gzip.compress(data)})
    for file in ("fer2013.tar.gz", "b.csv.gz"):
        with pytest.raises(InputError) as error:
            open_source(tmp_path, file)
        for part in (file, name, "expected a zip, a tar", remedy):
            assert part in str(error.value)


def test_pipes_and_devices_are_never_opened(tmp_path):
    os.mkfifo(tmp_path / "fer2013.csv")
    for file in (None, "fer2013.csv"):
        with pytest.raises(InputError, match=r"fer2013\.csv is a named pipe, expected a file"):
            open_source(tmp_path, file)
    with pytest.raises(InputError, match="null is a device, expected a file"):
        open_source(Path("/dev"), "null")


def test_a_file_of_another_content_is_no_second_source(tmp_path):
    write_files(tmp_path, {"fer2013.csv": CSV, "labels.csv": b"name,person\na,b\n", "notes": b"hi", "a.pdf": b"%PDF"})
    os.mkfifo(tmp_path / "pipe.zip")
    assert found(open_source(tmp_path)) == EXPECTED


@pytest.mark.parametrize("depth", [2, 3])
def test_archives_deeper_than_one_in_another_are_refused(depth, tmp_path):
    data = zip_of({"fer2013.csv": CSV})
    for number in range(depth):
        data = zip_of({f"{number}.zip": data})
    write_files(tmp_path, {"a.zip": data})
    with pytest.raises(InputError, match=r"a\.zip: .*is an archive in an archive in an archive; unpack it"):
        open_source(tmp_path)
    write_files(tmp_path, {"a.zip": gzip.compress(gzip.compress(CSV))})
    with pytest.raises(InputError, match=r"a\.zip \(unpacked\) is an archive \(gzip\)"):
        open_source(tmp_path)


def repeated(kind: str) -> bytes:
    """Return an archive in which one name comes 31 times, each time with another content."""
    buffer = io.BytesIO()
    with pytest.warns(UserWarning, match="Duplicate name") if kind == "zip" else tempfile.TemporaryFile():
        if kind == "zip":
            with zipfile.ZipFile(buffer, "w") as archive:
                for number in range(31):
                    archive.writestr("happy/a.png", encode(np.full((9, 9), number, np.uint8)))
        else:
            with tarfile.open(fileobj=buffer, mode="w") as tar:
                for number in range(31):
                    data = encode(np.full((9, 9), number, np.uint8))
                    member = tarfile.TarInfo("happy/a.png")
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_name_that_comes_more_than_once_is_refused(kind, tmp_path):
    write_files(tmp_path / "a", {"images": repeated(kind)})
    with pytest.raises(InputError, match=r"images holds 'happy/a\.png' 31 times, expected each name once"):
        open_source(tmp_path / "a")
    # Directories may come twice.
    (tmp_path / "b").mkdir()
    with tarfile.open(tmp_path / "b/a.tar.gz", "w:gz") as tar:
        for name, data in (("happy", b""), ("happy", b""), ("happy/a.png", IMAGE)):
            member = tarfile.TarInfo(name)
            member.type, member.size = (tarfile.REGTYPE if data else tarfile.DIRTYPE), len(data)
            tar.addfile(member, io.BytesIO(data))
    assert len(found(open_source(tmp_path / "b"))) == 1


def test_the_csv_file_of_fer2013_twice_in_a_tar_gz_is_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        for _ in range(2):
            member = tarfile.TarInfo("fer2013/fer2013.csv")
            member.size = len(CSV)
            tar.addfile(member, io.BytesIO(CSV))
    with pytest.raises(InputError, match=r"holds 'fer2013/fer2013\.csv' 2 times"):
        found(open_source(tmp_path))


SPLITS = {
    split: {name.split("/", 1)[1]: data for name, data in FILES.items() if name.startswith(f"{split}/")}
    for split in ("train", "test")
}


@pytest.mark.parametrize("outer", ["", "train_set/", "images/"])
def test_one_archive_a_split(outer, tmp_path):
    train = {outer + name: data for name, data in SPLITS["train"].items()}
    write_zip(tmp_path / "train_set.zip", train | {"__MACOSX/x.png": b"", f"{outer}THUMBS.DB": b""})
    write_tar(tmp_path / "test.tar.gz", SPLITS["test"])
    source = open_source(tmp_path)
    assert found(source) == EXPECTED
    assert source.skipped["system files"] == 2


def test_archives_of_one_split_or_of_no_split_stay_several_sources(tmp_path):
    for folder, names in (("a", ["train.zip", "train_2.zip"]), ("b", ["train.zip", "other.zip"])):
        for name in names:
            write_zip(tmp_path / folder / name, SPLITS["train"])
        with pytest.raises(InputError, match=r"several sources: .*set source\.file"):
            open_source(tmp_path / folder)
    assert len(found(open_source(tmp_path / "b", "other.zip"))) == len(SPLITS["train"])


def test_an_archive_without_images_is_no_split(tmp_path):
    write_zip(tmp_path / "train.zip", SPLITS["train"])
    write_zip(tmp_path / "test.zip", {"Thumbs.db": b"x"})
    with pytest.raises(InputError, match=r"test\.zip holds no images"):
        open_source(tmp_path)


def test_a_split_with_one_class_keeps_the_folder_of_the_class(tmp_path):
    write_zip(tmp_path / "train.zip", {"happy/a.png": IMAGE})
    write_zip(tmp_path / "test.zip", {"test/sad/a.png": IMAGE, "test/happy/a.png": encode(ROWS[1][2])})
    assert [(emotion, split) for emotion, split, _ in found(open_source(tmp_path))] == [
        ("happy", "test"),
        ("happy", "train"),
        ("sad", "test"),
    ]


def test_names_of_members_that_are_no_utf8_or_hold_signs_of_control(tmp_path):
    name = "happy/\udcff.png"
    write_files(tmp_path / "a", {"a.tar": tar_of({name: IMAGE})})
    ((entry, content),) = next(open_source(tmp_path / "a").batches(content_of))
    assert (entry.image, content.reason) == ("happy/\\xff.png", "")
    write_zip(tmp_path / "b/a.zip", {"\x1b[31m../x.png": IMAGE, "\x1b/../x.png": IMAGE})
    with pytest.raises(InputError) as error:
        open_source(tmp_path / "b")
    assert "\x1b" not in str(error.value)
    assert "path outside the archive" in str(error.value)


def test_too_many_members_and_long_headers_are_refused(tmp_path, monkeypatch):
    write_files(tmp_path, {"a.zip": zip_of(FILES), "a.tar": tar_of(FILES), "b.tar": tar_of({"x" * 9000: b""} | FILES)})
    monkeypatch.setattr(archives, "MAX_MEMBERS", 40)
    for name in ("a.zip", "a.tar"):
        with pytest.raises(InputError, match=rf"{name} has more than 40 members"):
            open_source(tmp_path, name)
    monkeypatch.setattr("emotion.ingest.sources.tars.MAX_HEADER", 8000)
    with pytest.raises(InputError, match=r"b\.tar has a header of 9,011 bytes, expected at most 8,000"):
        open_source(tmp_path, "b.tar")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"GNU.sparse.size": "10", "GNU.sparse.numbytes": "1"},
        {"GNU.sparse.map": "no numbers", "GNU.sparse.size": "10"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "happy/a.png"},
    ],
    ids=["old", "0.0", "0.1", "1.0"],
)
def test_sparse_files_in_a_tar_are_refused(headers, tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        member = tarfile.TarInfo("happy/a.png")
        member.pax_headers = headers
        member.type = member.type if headers else tarfile.GNUTYPE_SPARSE
        tar.addfile(member)
    with pytest.raises(InputError, match=r"a\.tar holds the sparse file 'happy/a\.png'"):
        open_source(tmp_path)


def damaged_tar(field: slice, value: bytes) -> bytes:
    """Return TAR_OF_IMAGES with `value` in the header of its second member."""
    data = bytearray(TAR_OF_IMAGES)
    start = 512 + -(-len(next(iter(FILES.values()))) // 512) * 512
    header = data[start : start + 512]
    header[field] = value
    if field.start != 148:
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
    data[start : start + 512] = header
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        damaged_tar(slice(148, 156), b"0000001\0"),
        damaged_tar(slice(124, 136), b"\xff" * 10 + b"\xfe\0"),
        zip_of({"happy/é.png": IMAGE}).replace("é".encode(), b"\xff\xfe"),
    ],
    ids=["a checksum", "a size below 0", "a name that is not UTF-8"],
)
def test_damaged_headers_are_named_and_do_not_end_an_archive(data, tmp_path):
    write_files(tmp_path, {"a": data})
    with pytest.raises(InputError, match=r"a is damaged or not complete .*download it again"):
        open_source(tmp_path)


def test_damaged_ends_of_bzip2_and_xz_are_named(tmp_path):
    for name, data in (("a.bz2", bz2.compress(CSV)), ("a.xz", lzma.compress(CSV)), ("b.xz", b"\xfd7zXZ\0" + bytes(99))):
        write_files(tmp_path, {name: data[:-20]})
        with pytest.raises(InputError, match=rf"{name} is damaged or not complete .*download it again"):
            open_source(tmp_path, name)


def test_a_full_disk_names_the_folder_of_temporary_files(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("emotion.ingest.sources.shared_file._write_block", fail)
    write_files(tmp_path, {"a.tar.gz": gzip.compress(TAR_OF_IMAGES)})
    with pytest.raises(InputError, match=r"cannot be unpacked to .*No space left.*TMPDIR"):
        open_source(tmp_path)


def count_open_files() -> int:
    gc.collect()  # the files of other tests end at any time
    return len(list(Path("/proc/self/fd").iterdir()))


def test_the_temporary_file_has_no_name_and_goes_with_the_source(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(TAR_OF_IMAGES))
    before = count_open_files()
    archive = open_archive(path)
    assert archive is not None
    tree = ArchiveTree(archive)
    del archive
    assert not any((tmp_path / "temporary").iterdir())
    assert pickle.loads(pickle.dumps(tree)) is tree  # noqa: S301  # its own bytes
    assert len(pickle.dumps(tree)) < 200
    assert tree.read("test/angry/PrivateTest_00028.png") == FILES["test/angry/PrivateTest_00028.png"]
    assert count_open_files() > before
    del tree
    assert count_open_files() == before
