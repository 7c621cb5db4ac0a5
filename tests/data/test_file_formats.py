"""emotion.data.file_formats: the first bytes of a file say what it is, whatever its name."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from emotion.data.file_formats import HEAD_BYTES, FileFormat, Kind, identify

FRAMES = [Image.fromarray(np.full((8, 8, 3), level, np.uint8)) for level in (0, 255)]


def saved(kind: str, *more: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    FRAMES[0].save(buffer, kind, **({"save_all": True, "append_images": more} if more else {}), **options)
    return buffer.getvalue()


def known_format(head: bytes) -> FileFormat:
    found = identify(head)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM"])
def test_images_that_are_read(kind):
    found = known_format(saved(kind))
    assert (found.kind, found.remedy) == (Kind.IMAGE, "")
    assert kind.removesuffix("2000") in found.name.upper()


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "AVIF"])
def test_animations(kind):
    found = known_format(saved(kind, FRAMES[1], **({} if kind == "AVIF" else {"loop": 0}))[:HEAD_BYTES])
    assert found.kind is Kind.ANIMATION
    assert f"animated {kind}" in found.name.replace("WebP", "WEBP")


def boxes(brand: bytes, *compatible: bytes) -> bytes:
    content = b"ftyp" + brand + bytes(4) + b"".join(compatible)
    return struct.pack(">I", len(content) + 4) + content + b"\0\0\0\x08mdat" * 2


@pytest.mark.parametrize("brands", [[b"heic", b"mif1"], [b"mif1", b"mif1", b"heic"], [b"hevc", b"msf1"], [b"heix"]])
def test_heic_by_its_brands(brands):
    assert known_format(boxes(*brands)).name == "a HEIC image"


@pytest.mark.parametrize("brands", [[b"avif", b"mif1"], [b"mif1", b"avif"], [b"msf1", b"avis"]])
def test_avif_by_its_brands(brands):
    assert known_format(boxes(*brands)).name == "an AVIF image"


@pytest.mark.parametrize(
    "head, name",
    [
        (boxes(b"isom", b"mp41"), "MP4"),
        (boxes(b"mp42"), "MP4"),
        (boxes(b"qt  "), "MOV"),
        (b"\0\0\0\x08wide\0\0\1\0mdat", "MOV"),
        (b"\0\0\1\0moov\0\0\0\x6cmvhd", "MOV"),
        (boxes(b"3gp4"), "3GP"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\1B\x82\x84webm", "WebM"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\1B\x82\x88matroska", "Matroska"),
        (b"RIFF\0\0\0\0AVI LIST", "AVI"),
        (b"\0\0\1\xba\x44\0\4\0", "MPEG"),
        (b"G" + bytes(187) + b"G" + bytes(187) + b"G", "MPEG transport stream"),
        (bytes(4) + b"G" + bytes(191) + b"G" + bytes(191) + b"G", "MPEG transport stream"),
        (b"FLV\1\5\0\0\0\x09", "FLV"),
        (b"OggS\0\2" + bytes(22) + b"\x80theora", "Ogg"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", "WMV"),
        (b"\x1f\x07\0\x3f", "DV"),
    ],
)
def test_videos_name_the_command_that_reads_them(head, name):
    found = known_format(head)
    assert (found.name, found.kind) == (f"a video ({name})", Kind.VIDEO)
    assert "`emotion video FILE`" in found.remedy


@pytest.mark.parametrize("brand", [b"M4A ", b"M4B "])
def test_sound_is_no_video(brand):
    assert known_format(boxes(brand)).kind is Kind.SOUND
    assert known_format(b"RIFF\0\0\0\0WAVEfmt ").kind is Kind.SOUND


@pytest.mark.parametrize(
    "head, name, step",
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript", "PNG"),
        (b"%PDF-1.7\n", "PDF", "pages"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG", "PNG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- drawn -->\n<svg width='5'/>", "SVG", "PNG"),
        (b"8BPS\0\1", "PSD", "PNG"),
        (b"\xff\x0a\xfa\x7f", "JPEG XL", "PNG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL", "PNG"),
        (b"\n<!DOCTYPE HTML><html><body><svg/></body></html>", "HTML", "download"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS", "git lfs pull"),
        (b"PK\3\4\x14\0", "ZIP", "unpack"),
        (boxes(b"crx ", b"isom"), "CR3", "convert"),
        (b"FUJIFILMCCD-RAW 0201", "RAF", "convert"),
        (b"II*\0\x10\0\0\0CR\2\0", "CR2", "convert"),
    ],
)
def test_other_files_name_the_way_out(head, name, step):
    found = known_format(head)
    assert name in found.name
    assert step in found.remedy


def tiff(order: str, tags: dict[int, int]) -> bytes:
    """Return the first directory of a TIFF file, with tags of one short number."""
    entries = [struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0) for tag, value in tags.items()]
    start = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8)
    return start + struct.pack(f"{order}H", len(tags)) + b"".join(entries) + bytes(4)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("tags", [{50706: 1}, {262: 32803}, {259: 34713}, {254: 1, 271: 0, 330: 900}])
def test_camera_raws_in_the_form_of_a_tiff(order, tags):
    found = known_format(tiff(order, tags))
    assert "camera raw" in found.name
    assert "convert" in found.remedy


def test_pixels_of_a_tiff_are_no_mark_of_a_camera():
    assert known_format(b"II*\0\x00\x50\0\0CR\2\0" + bytes(300)).name == "a TIFF image"


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("tags", [{}, {254: 1}, {254: 0, 271: 0, 330: 900}, {262: 2, 259: 7}])
def test_other_tiff_files_are_images(order, tags):
    assert known_format(tiff(order, tags)).name == "a TIFF image"


@pytest.mark.parametrize(
    "head", [b"", b"BMW is a car", b"Dear reader", b"Peter", b"<a>", bytes(500), b"RIFF\0\0\0\0DATA"]
)
def test_what_nobody_knows_has_no_name(head):
    assert identify(head) is None


@pytest.mark.fuzz
@given(
    st.sampled_from([b"II*\0", b"MM\0*", b"RIFF", b"\0\0\0\x20ftyp", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"<", b"G"]),
    st.binary(),
)
def test_any_bytes_are_known_or_not(start, rest):
    found = identify(start + rest)
    assert found is None or found.name
