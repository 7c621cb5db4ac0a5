"""emotion.ingest.sources: every known layout is read; others are refused with a message that names what is there."""

import gzip
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources.content import content_of
from emotion.ingest.sources.pixel_hash import hash_pixels
from emotion.ingest.sources.source import BATCH, Place, Source
from emotion.ingest.sources.tables import open_table, plain_rows
from emotion.ingest.sources.tables.pixel_values import Shape, parse_pixels
from emotion.ingest.sources.tables.table_source import parse_row
from tests.makers import (
    USAGES,
    csv_line,
    csv_text,
    encode,
    image_files,
    make_rows,
    open_source,
    write_files,
    write_tar,
    write_zip,
)

ROWS = make_rows()
TEXT = csv_text(ROWS)
FILES = image_files(ROWS)
IMAGE = encode(ROWS[0][2])
FER2013_LABELS = LabelReader().with_default("fer2013")


def read(source: Source) -> list[tuple[str, str | None, str]]:
    """Return emotion, split and hash of all images, sorted; fail where one is refused."""
    found = [row for batch in source.batches(content_of) for row in batch]
    assert [content.reason for _, content in found if content.reason] == []
    return sorted((entry.emotion, entry.split, content.hash) for entry, content in found)


def copy_image(image: np.ndarray, place: Place) -> np.ndarray:
    return image.copy()


def reasons(source: Source) -> dict[str, str]:
    return {
        entry.image: content.reason
        for batch in source.batches(content_of)
        for entry, content in batch
        if content.reason
    }


EXPECTED = sorted((emotion, split, hash_pixels(image[:, :, None])) for emotion, split, image in ROWS)


# Layouts


def one_csv(folder):
    write_files(folder, {"fer2013.csv": TEXT.encode()})


def csv_with_windows_line_ends(folder):
    write_files(folder, {"fer2013.csv": b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode()})


def icml_face_data(folder):
    lines = [line.split(",") for line in TEXT.split("\n")[1:-1]]
    text = "\n".join(["emotion, Usage, pixels", *(f"{emotion},{usage},{pixels}" for emotion, pixels, usage in lines)])
    write_files(folder, {"icml_face_data.csv": text.encode()})


def quoted_csv(folder):
    lines = (",".join(f'"{value}"' for value in line.split(",")) for line in TEXT.strip().split("\n"))
    write_files(folder, {"fer2013.csv": "\n".join(lines).encode()})


def csv_in_tar_gz(folder):
    write_tar(folder / "fer2013.tar.gz", {"fer2013/README": b"hi", "fer2013/fer2013.csv": TEXT.encode(), "b.bib": b""})


def csv_in_zip(folder):
    write_zip(folder / "archive.zip", {"test.csv": b"pixels\n", "fer2013.csv": TEXT.encode()})


def tar_gz_in_zip(folder):
    write_zip(folder / "challenge.zip", {"fer2013.tar.gz": write_tar(folder / ".a.tgz", tar_files()).read_bytes()})


def tar_files():
    return {"fer2013/fer2013.csv": TEXT.encode()}


def unpacked_tar(folder):
    write_files(folder, {"fer2013/fer2013.csv": TEXT.encode(), "fer2013/README": b"", "fer2013/fer2013.bib": b""})


def msambare_folder(folder):
    write_files(folder, {**FILES, "README.md": b"", ".gitignore": b"", "train/.DS_Store": b"", "test/Thumbs.db": b""})


def msambare_zip(folder):
    write_zip(folder / "archive.zip", {**FILES, "__MACOSX/train/happy/._a.jpg": b"", "readme.txt": b"hi"})


def msambare_tar_gz(folder):
    write_tar(folder / "archive.tar.gz", FILES)


def an_archive_a_split(folder):
    for split in ("train", "test"):
        files = {name: data for name, data in FILES.items() if name.startswith(split)}
        (write_zip if split == "train" else write_tar)(
            folder / f"{split}.{'zip' if split == 'train' else 'tgz'}", files
        )


def msambare_zip_with_wrappers(folder):
    write_zip(folder / "archive.zip", {f"archive/fer2013/{name}": data for name, data in FILES.items()})


def msambare_folder_with_wrappers(folder):
    write_files(folder / "archive" / "images", FILES)


def upper_case_synonyms_and_fillers(folder):
    names = {"angry": "Anger", "disgust": "1_DISGUSTED", "fear": "Fearful", "happy": "3_Happy_faces"}
    names |= {"sad": "04 - Sadness", "surprise": "SURPRISED", "neutral": "Calm"}
    files = {}
    for name, data in FILES.items():
        split, emotion, file = name.split("/")
        files[f"{split.upper()}/{names[emotion]}/{file}"] = data
    write_files(folder, files)


def named_splits(folder):
    folders = {"train": "Training", "val": "Valid", "test": "testing"}
    write_files(
        folder,
        {
            f"{folders[split]}/{emotion}/{number}.png": encode(image)
            for number, (emotion, split, image) in enumerate(ROWS)
        },
    )


LAYOUTS = [
    one_csv,
    csv_with_windows_line_ends,
    icml_face_data,
    quoted_csv,
    csv_in_tar_gz,
    csv_in_zip,
    tar_gz_in_zip,
    unpacked_tar,
    msambare_folder,
    msambare_zip,
    msambare_tar_gz,
    an_archive_a_split,
    msambare_zip_with_wrappers,
    msambare_folder_with_wrappers,
    upper_case_synonyms_and_fillers,
    named_splits,
]


@pytest.mark.parametrize("write", LAYOUTS, ids=lambda layout: layout.__name__)
def test_every_layout_gives_the_same_images(write, tmp_path):
    write(tmp_path)
    assert read(open_source(tmp_path)) == EXPECTED


@pytest.mark.parametrize("write", LAYOUTS, ids=lambda layout: layout.__name__)
def test_images_are_read_again_by_their_names(write, tmp_path):
    write(tmp_path)
    source = open_source(tmp_path)
    found = [row for batch in source.batches(content_of) for row in batch][1::3]
    images = source.read_again([Place(entry.image) for entry, _ in found], copy_image)
    assert [hash_pixels(image) for image in images] == [content.hash for _, content in found]


def test_train_and_validation_folders(tmp_path):
    """Kaggle's jonathanoheix/face-expression-recognition-dataset: the table makes its validation the test split."""
    write_files(tmp_path / "images", {"train/happy/1.jpg": IMAGE, "validation/happy/2.jpg": IMAGE})
    assert [split for _, split, _ in read(open_source(tmp_path))] == ["train", "val"]


def test_test_folder_without_official_file_names_is_the_test_split(tmp_path):
    write_files(tmp_path, {"train/sad/a.png": IMAGE, "test/sad/b.png": IMAGE, "test/happy/publictest_1.png": IMAGE})
    assert {(emotion, split) for emotion, split, _ in read(open_source(tmp_path))} == {
        ("sad", "train"),
        ("sad", "test"),
        ("happy", "val"),
    }


def test_folders_of_contempt(tmp_path):
    write_files(tmp_path, {"happy/a.png": IMAGE, "Contempt/b.png": IMAGE})
    found = [entry.emotion for batch in open_source(tmp_path).batches(content_of) for entry, _ in batch]
    assert sorted(found) == ["contempt", "happy"]


def test_class_folders_without_a_split(tmp_path):
    write_files(tmp_path, {"happy/a.png": IMAGE, "Sadness/b.jpg": IMAGE, "happiness/c.bmp": encode(ROWS[0][2], ".bmp")})
    assert [(emotion, split) for emotion, split, _ in read(open_source(tmp_path))] == [
        ("happy", None),
        ("happy", None),
        ("sad", None),
    ]


def test_csv_without_usage_has_no_split(tmp_path):
    write_files(tmp_path, {"a.csv": b"pixels,emotion\n1 2 3 4,happy\n5 6 7 8,4\n"})
    source = open_source(tmp_path, labels=FER2013_LABELS)
    assert [(emotion, split) for emotion, split, _ in read(source)] == [("happy", None), ("sad", None)]


def test_where_images_lie(tmp_path):
    one_csv(tmp_path / "a")
    msambare_zip(tmp_path / "b")
    first = [next(open_source(tmp_path / name).batches(content_of))[0][0] for name in "ab"]
    assert first[0][:3] == ("row 0", "angry", "train")
    assert first[1][:3] == ("test/angry/PrivateTest_00028.png", "angry", "test")


def test_large_images_are_not_kept(tmp_path):
    write_files(tmp_path, {"happy/a.png": encode(np.zeros((65, 64), np.uint8)), "happy/b.png": IMAGE})
    (_, large), (_, small) = next(open_source(tmp_path).batches(content_of))
    assert (large.height, large.width, large.pixels, large.blank) == (65, 64, b"", True)
    assert small.pixels == ROWS[0][2].tobytes()


def test_gray_images_saved_as_rgb_have_the_same_hash():
    gray = ROWS[0][2][:, :, None]
    rgb = np.repeat(gray, 3, axis=2)
    assert hash_pixels(gray) == hash_pixels(rgb)
    for channel in range(3):
        colored = rgb.copy()
        colored[0, 0, channel] ^= 1
        assert hash_pixels(gray) != hash_pixels(colored)
    assert hash_pixels(gray) != hash_pixels(gray.reshape(6, 24, 1))


# Finding the source


def test_missing_and_empty_folders_say_where_to_get_images(tmp_path):
    (tmp_path / "empty").mkdir()
    write_files(tmp_path / "nearly", {".gitignore": b"*", "README.md": b"put it here"})
    for name in ("missing", "empty", "nearly"):
        with pytest.raises(InputError, match="Kaggle") as error:
            open_source(tmp_path / name)
        for part in (name, "msambare/fer2013", "facial-expression-recognition-challenge", "`emotion preset sample`"):
            assert part in str(error.value)


def test_several_sources_are_listed(tmp_path):
    msambare_folder(tmp_path)
    one_csv(tmp_path)
    msambare_zip(tmp_path)
    with pytest.raises(
        InputError, match=r"several sources: \. \(the class folders\), archive\.zip, fer2013\.csv, .*set sou"
    ):
        open_source(tmp_path)
    for file in (".", "archive.zip", "fer2013.csv"):
        assert read(open_source(tmp_path, file)) == EXPECTED


@pytest.mark.parametrize("name", ["fer2013new.csv", "FER2013new.CSV"])
def test_the_votes_of_ferplus_are_no_source(name, tmp_path):
    write_files(tmp_path / "a", {"fer2013.csv": TEXT.encode(), name: b"Usage,Image name,neutral\n"})
    write_files(tmp_path / "b", {"fer2013/fer2013.csv": TEXT.encode(), name: b""})
    write_files(tmp_path / "c", {**FILES, name: b""})
    for folder in "abc":
        assert read(open_source(tmp_path / folder)) == EXPECTED
    write_files(tmp_path / "d", {name: b""})
    with pytest.raises(InputError, match=r"d \(source\.folder\) holds no images"):
        open_source(tmp_path / "d")


def test_named_file_that_is_missing_or_none(tmp_path):
    write_files(tmp_path, {"a.csv": b"", "notes.txt": b""})
    with pytest.raises(
        InputError, match=r"b\.csv \(source\.folder and source\.file\).* a\.csv, notes\.txt.*source\.file"
    ):
        open_source(tmp_path, "b.csv")
    with pytest.raises(InputError, match=r"notes\.txt is an empty file, expected a zip"):
        open_source(tmp_path, "notes.txt")


@pytest.mark.parametrize("file", [None, "inner", "inner/fer2013"])
def test_a_source_behind_a_link_to_a_folder_is_refused(file, tmp_path):
    write_files(tmp_path / "elsewhere/fer2013", FILES)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/inner").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"raw/inner.*elsewhere.*Move.*source\.folder"):
        open_source(tmp_path / "raw", file)


def test_class_folders_that_are_links_are_refused(tmp_path):
    write_files(tmp_path / "raw", FILES)
    (tmp_path / "raw/train/sad").rename(tmp_path / "elsewhere")
    (tmp_path / "raw/train/sad").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"raw/train/sad.*elsewhere"):
        open_source(tmp_path / "raw")


def test_links_behind_which_dvc_sees_changes_are_read(tmp_path):
    one_csv(tmp_path / "elsewhere")
    (tmp_path / "raw").symlink_to(tmp_path / "elsewhere")
    assert read(open_source(tmp_path / "raw")) == EXPECTED
    (tmp_path / "files").mkdir()
    (tmp_path / "files/big.csv").symlink_to(tmp_path / "elsewhere/fer2013.csv")
    (tmp_path / "files/.hidden").symlink_to(tmp_path / "elsewhere")
    for file in (None, "big.csv"):
        assert read(open_source(tmp_path / "files", file)) == EXPECTED


# Archives


@pytest.mark.parametrize("size", [0.02, 0.5, 0.98])
def test_truncated_archives_are_named(size, tmp_path):
    write_tar(tmp_path / "a" / "fer2013.tar.gz", tar_files())
    write_zip(tmp_path / "b" / "archive.zip", FILES)
    write_zip(tmp_path / "c" / "fer2013.zip", {"fer2013.csv": TEXT.encode()})
    for path in sorted(tmp_path.glob("*/*")):
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * size)])
        with pytest.raises(InputError, match=rf"{path.name}.* damaged .*download it again"):
            read(open_source(path.parent))


def test_damaged_archives_are_named(tmp_path):
    write_tar(tmp_path / "a" / "fer2013.tar.gz", tar_files())
    write_zip(tmp_path / "b" / "archive.zip", FILES)
    write_zip(tmp_path / "c" / "fer2013.zip", {"fer2013.csv": TEXT.encode()})
    for path in sorted(tmp_path.glob("*/*")):
        content = bytearray(path.read_bytes())
        content[len(content) // 3] ^= 0xFF
        path.write_bytes(content)
        with pytest.raises(InputError, match="download it again"):
            read(open_source(path.parent))


def test_files_that_are_no_archives(tmp_path):
    for name in ("a.zip", "a.tar.gz", "a.tar", "a.csv.gz"):
        write_files(tmp_path, {name: b"<html>please sign in</html>"})
        with pytest.raises(InputError, match="download it again"):
            read(open_source(tmp_path, name))


@pytest.mark.parametrize("name", ["../evil.csv", "a/../../evil.csv", "/etc/evil.csv", "C:\\evil.csv", "..\\evil.csv"])
def test_members_that_climb_out_are_refused(name, tmp_path):
    write_tar(tmp_path / "a" / "a.tar.gz", {name: TEXT.encode()})
    write_zip(tmp_path / "b" / "a.zip", {name: TEXT.encode()})
    write_zip(tmp_path / "c" / "a.zip", {**FILES, name.replace("csv", "png"): IMAGE})
    for folder in "abc":
        with pytest.raises(InputError, match="outside the archive") as error:
            read(open_source(tmp_path / folder))
        assert "evil" in str(error.value)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_in_archives_are_refused(tmp_path, kind):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        link = tarfile.TarInfo("fer2013.csv")
        link.type, link.linkname = kind, "/etc/passwd"
        archive.addfile(link)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as packed:
        info = zipfile.ZipInfo("happy/a.png")
        info.external_attr = 0o120777 << 16
        packed.writestr(info, "/etc/passwd")
    for name in ("a.tar.gz", "b.zip"):
        with pytest.raises(InputError, match=rf"{re.escape(name)}: .*link"):
            read(open_source(tmp_path, name))


def test_archives_of_absurd_size_are_refused(tmp_path, monkeypatch):
    write_tar(tmp_path / "a.tar.gz", tar_files())
    write_tar(tmp_path / "a.tar", tar_files())
    write_zip(tmp_path / "b.zip", FILES)
    write_zip(tmp_path / "c.zip", {"fer2013.csv": TEXT.encode()})
    write_files(tmp_path, {"d.csv.gz": gzip.compress(TEXT.encode())})
    monkeypatch.setattr("emotion.ingest.sources.archives.MAX_TOTAL_BYTES", 1000)
    for name in ("a.tar.gz", "a.tar", "b.zip", "c.zip", "d.csv.gz"):
        with pytest.raises(InputError, match=f"{name}.* unpacks to more than"):
            read(open_source(tmp_path, name))


def test_the_members_of_an_archive_count_together(tmp_path, monkeypatch):
    write_tar(tmp_path / "a.tar", {"notes.txt": bytes(600), "fer2013.csv": TEXT.encode()})
    monkeypatch.setattr("emotion.ingest.sources.archives.MAX_TOTAL_BYTES", len(TEXT) + 500)
    with pytest.raises(InputError, match=r"a\.tar unpacks to more than"):
        read(open_source(tmp_path))


def test_large_members_are_refused_singly(tmp_path, monkeypatch):
    monkeypatch.setattr("emotion.ingest.sources.archive_trees.MAX_FILE_BYTES", 70_000)
    monkeypatch.setattr("emotion.data.images.MAX_FILE_BYTES", 70_000)
    files = {"happy/a.png": IMAGE, "happy/b.png": IMAGE + bytes(70_000)}
    write_zip(tmp_path / "a" / "a.zip", files)
    write_files(tmp_path / "b", files)
    for folder in "ab":
        refused = reasons(open_source(tmp_path / folder))
        assert list(refused) == ["happy/b.png"]
        assert "larger than" in refused["happy/b.png"]


def test_archives_without_anything_to_read(tmp_path):
    write_zip(tmp_path / "a.zip", {"notes.txt": b"hi"})
    write_tar(tmp_path / "a.tar.gz", {"notes.txt": b"hi"})
    write_zip(tmp_path / "b.zip", {"a.csv": TEXT.encode(), "b.csv": TEXT.encode()})
    write_tar(tmp_path / "b.tar.gz", {"a.csv": TEXT.encode(), "b.csv": TEXT.encode()})
    for name in ("a.zip", "a.tar.gz"):
        with pytest.raises(InputError, match=rf"{re.escape(name)} .*CSV.*folders.*\bnotes\.txt"):
            read(open_source(tmp_path, name))
    for name in ("b.zip", "b.tar.gz"):
        with pytest.raises(InputError, match=rf"{re.escape(name)} .*a\.csv, b\.csv, expected one"):
            read(open_source(tmp_path, name))


def test_encrypted_zip_is_refused(tmp_path):
    write_zip(tmp_path / "a.zip", FILES)
    content = bytearray((tmp_path / "a.zip").read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(InputError, match="encrypted"):
        open_source(tmp_path)


def test_a_zip_of_an_unknown_compression_is_refused_with_the_formats_to_use(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"fer2013.csv": TEXT.encode()})
    content = bytearray(path.read_bytes())
    for field in (content.index(b"PK\x03\x04") + 8, content.index(b"PK\x01\x02") + 10):
        content[field] = 99
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.zip.* cannot be unpacked .*plain zip or tar\.gz"):
        read(open_source(tmp_path))


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_a_tar_whose_first_table_is_another_is_read(name, tmp_path):
    write_tar(tmp_path / name, {"._fer2013.csv": b"", "a.csv": b"", "fer2013.csv": TEXT.encode()})
    assert read(open_source(tmp_path)) == EXPECTED


# Rows


@pytest.mark.parametrize("header", ["", "emotion,Usage", "0,70 80 82 72,Training", "emotion,emotion,pixels"])
def test_csv_without_the_columns_is_refused(header, tmp_path):
    write_files(tmp_path, {"a.csv": f"{header}\n".encode()})
    with pytest.raises(InputError, match=r"a\.csv: .*columns emotion, pixels"):
        read(open_source(tmp_path))


BAD_ROWS = {
    csv_line(3, "1 2 3"): "3 pixels, expected 4 (2x2)",
    csv_line(3, "1 2 3 4 5"): "5 pixels, expected 4 (2x2)",
    csv_line(3, "1 2 3 4 5 6 7 8 9"): "9 pixels, expected 4 (2x2)",
    csv_line(3, ""): "0 pixels, expected 4",
    csv_line(3, "1 2 3 4 65534"): "5 pixels, expected 4",
    csv_line(3, "1 2 3 65534"): "a pixel of 65534",
    csv_line(3, "1 2 3 256"): "a pixel of 256",
    csv_line(3, "1 2 x 4"): "hold 'x', expected digits and blanks",
    csv_line(3, "1 2 -3 4"): "hold '-', expected digits",
    csv_line(3, "1 2 3.5 4"): "hold '.', expected digits",
    csv_line(3, "1 2 +3 4"): "hold '+', expected digits",
    csv_line(3, "1 2 nan 4"): "hold 'nan'",
    csv_line(3, "1 2 256 4"): "a pixel of 256, expected 0 to 255",
    csv_line(3, "1 2 65537 4"): "a pixel of 65537",
    csv_line(3, "1 2 4294967297 4"): "a pixel of 4294967297",
    csv_line(3, "1 2 99999999999999999999999 4"): "expected 0 to 255",
    csv_line(7, "1 2 3 4"): "the emotion 7 is not known; the numbers are 0 angry",
    csv_line("9" * 5000, "1 2 3 4"): "the emotion '999",
    csv_line("hapy", "1 2 3 4"): "the emotion 'hapy' is not known (did you mean happy?)",
    csv_line("", "1 2 3 4"): "the emotion '' is not known",
    csv_line(-1, "1 2 3 4"): "the emotion '-1' is not known",
    csv_line(3, "1 2 3 4", "Holiday"): "Usage 'Holiday', expected Training",
    csv_line(3, "1 2 3 4", ""): "Usage '', expected Training",
    "3,1 2 3 4": "2 values, expected 3",
    "3,1 2 3 4,Training,more": "4 values, expected 3",
    "nonsense": "1 values, expected 3",
    "\ufffd\x00\x01": "1 values, expected 3",
}


@pytest.mark.parametrize("line, reason", BAD_ROWS.items(), ids=range(len(BAD_ROWS)))
def test_bad_rows_are_listed_with_their_reason(line, reason, tmp_path):
    good = [csv_line(3, "1 2 3 4")] * 3
    write_files(tmp_path, {"a.csv": "\n".join(["emotion,pixels,Usage", *good, line, *good]).encode()})
    source = open_source(tmp_path)
    found = reasons(source)
    assert list(found) == ["row 3"]
    assert reason in found["row 3"]
    assert sum(len(batch) for batch in source.batches(content_of)) == 7


def test_a_line_of_absurd_length_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(plain_rows, "MAX_LINE", 10_000)
    write_files(tmp_path, {"a.csv": TEXT.encode() + b"0," + b"1 " * 10_000})
    with pytest.raises(InputError, match=r"a line of more than"):
        read(open_source(tmp_path))


good_rows = st.tuples(
    st.integers(0, 6), st.lists(st.integers(0, 255), min_size=4, max_size=4), st.sampled_from(sorted(USAGES.values()))
)


@pytest.mark.fuzz
@given(st.lists(st.one_of(st.integers(0, 255), st.integers(0, 10**25)), max_size=12), st.sampled_from([" ", "  "]))
def test_pixels_are_parsed_or_refused(numbers, blank):
    field = blank.join(map(str, numbers)).encode()
    if len(numbers) == 4 and max(numbers) <= 255:
        assert parse_pixels(field, Shape(2)).ravel().tolist() == numbers
    else:
        with pytest.raises(InputError, match=r"pixel"):
            parse_pixels(field, Shape(2))


mixed_rows = st.lists(st.one_of(good_rows, st.sampled_from(sorted(BAD_ROWS))), max_size=40)


@pytest.mark.fuzz
@given(mixed_rows, st.integers(1, 60))
def test_any_mix_of_rows(mixed, block):
    """The good ones survive in order, the bad ones are listed, whatever the size of the file's buffer."""
    good = {f"row {number}": row for number, row in enumerate(mixed) if isinstance(row, tuple)}
    if len(good) * 2 <= len(mixed):
        mixed = [row for row in mixed if isinstance(row, tuple)]
        good = {f"row {number}": row for number, row in enumerate(mixed)}
    assume(mixed)
    lines = [row if isinstance(row, str) else csv_line(row[0], " ".join(map(str, row[1])), row[2]) for row in mixed]
    data = "\n".join(["emotion,pixels,Usage", *lines]).encode()
    table = open_table._open_rows("a.csv", lambda: io.BufferedReader(io.BytesIO(data), block), FER2013_LABELS)
    found = [parse_row(row, table.parse, table.labels) for row in table.rows]
    assert len(found) == len(mixed)
    survivors = {entry.image: (entry, pixels) for entry, pixels in found if not isinstance(pixels, str)}
    assert list(survivors) == list(good)
    for image, (emotion, values, usage) in good.items():
        entry, pixels = survivors[image]
        assert entry.emotion == EMOTIONS[emotion]
        assert USAGES[entry.split or ""] == usage
        assert pixels.ravel().tolist() == values
    for (entry, reason), row in zip(found, mixed, strict=True):
        if isinstance(row, str):
            assert isinstance(reason, str)
            assert BAD_ROWS[row] in reason, entry


def test_the_size_of_most_rows_counts_not_that_of_the_first(tmp_path):
    lines = [csv_line(3, "1"), *[csv_line(3, "1 2 3 4")] * 3]
    write_files(tmp_path, {"a.csv": "\n".join(["emotion,pixels,Usage", *lines]).encode()})
    assert list(reasons(open_source(tmp_path))) == ["row 0"]


def test_many_rows_come_in_batches(tmp_path):
    lines = [csv_line(number % 7, f"{number % 256} 2 3 4") for number in range(3 * BATCH + 5)]
    write_files(tmp_path, {"a.csv": "\n".join(["emotion,pixels,Usage", *lines]).encode()})
    batches = list(open_source(tmp_path).batches(content_of))
    assert [len(batch) for batch in batches] == [BATCH] * 3 + [5]
    assert [entry.image for batch in batches for entry, _ in batch] == [f"row {n}" for n in range(3 * BATCH + 5)]


# Files

BAD_FILES = {
    b"": "the file is empty",
    b"no image at all": "no image",
    IMAGE[:60]: "cut off",
    encode(ROWS[0][2], ".jpg")[:200]: "cut off",
    IMAGE[:50] + bytes(20) + IMAGE[70:]: "",
}


@pytest.mark.medium
@pytest.mark.fuzz
@given(
    st.lists(st.one_of(st.integers(0, len(ROWS) - 1), st.sampled_from(sorted(BAD_FILES))), max_size=20), st.booleans()
)
def test_any_mix_of_files(mixed, packed):
    files = {
        f"happy/{number:03}.png": encode(ROWS[item][2]) if isinstance(item, int) else item
        for number, item in enumerate(mixed)
    }
    if not files:
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if packed:
            write_zip(folder / "a.zip", files)
        else:
            write_files(folder, files)
        found = [row for batch in open_source(folder).batches(content_of) for row in batch]
    assert [entry.image for entry, _ in found] == sorted(files)
    for (_, content), item in zip(found, mixed, strict=True):
        if isinstance(item, int):
            assert content.pixels == ROWS[item][2].tobytes()
        else:
            assert content.reason
            assert BAD_FILES[item] in content.reason


def test_images_that_vanish_or_break_between_the_stages(tmp_path):
    write_files(tmp_path, {"happy/a.png": IMAGE, "happy/b.png": IMAGE})
    source = open_source(tmp_path)
    (tmp_path / "happy/a.png").unlink()
    (tmp_path / "happy/b.png").write_bytes(b"")
    for name in ("happy/a.png", "happy/b.png"):
        with pytest.raises(InputError, match=rf"{name} .*`dvc repro create_dataframe`"):
            list(source.read_again([Place(name)], copy_image))
    write_files(tmp_path / "csv", {"a.csv": TEXT.encode()})
    source = open_source(tmp_path / "csv")
    with pytest.raises(InputError, match="row 999 is no longer there"):
        list(source.read_again([Place("row 1"), Place("row 999")], copy_image))
    broken = TEXT.replace(TEXT.splitlines()[2].split(",")[1], "1 2 3")
    write_files(tmp_path / "csv", {"a.csv": broken.encode()})
    with pytest.raises(InputError, match=r"row 1\b.*`dvc repro create_dataframe`"):
        list(source.read_again([Place("row 1")], copy_image))


# Processes

COMPARE_WORKERS = """
import sys
from pathlib import Path
from emotion.ingest.label_reader import LabelReader
from emotion.ingest.sources import tree_source
from emotion.ingest.sources.content import content_of
from emotion.ingest.sources.locate import open_source
from emotion.ingest.sources.pixel_hash import hash_pixels
from emotion.ingest.sources.source import Place
from emotion.ingest.sources.tables import table_source
from emotion.parallel import batches
from tests.ingest.sources.test_sources import copy_image
tree_source.BATCH = tree_source.REREAD_BATCH = table_source.BATCH = 5
source = open_source(Path(sys.argv[1]), None, LabelReader())
results = []
for count in (1, 3):
    batches._count_workers = lambda batches: count
    found = [row for batch in source.batches(content_of) for row in batch]
    images = source.read_again([Place(entry.image) for entry, _ in found], copy_image)
    results.append((found, [hash_pixels(image) for image in images]))
assert results[0] == results[1]
assert len(results[0][0]) == len(results[0][1]) == 42
"""


@pytest.mark.medium
@pytest.mark.parametrize(
    "write", [msambare_folder, msambare_tar_gz, an_archive_a_split, csv_in_tar_gz], ids=lambda layout: layout.__name__
)
def test_results_do_not_depend_on_the_number_of_workers(write, tmp_path):
    write(tmp_path)
    subprocess.run([sys.executable, "-c", COMPARE_WORKERS, str(tmp_path)], check=True)


def test_gzip_of_several_parts(tmp_path):
    data = TEXT.encode()
    buffer = io.BytesIO()
    for part in (data[:1000], data[1000:]):
        buffer.write(gzip.compress(part))
    write_files(tmp_path, {"a.csv.gz": buffer.getvalue()})
    assert read(open_source(tmp_path)) == EXPECTED
