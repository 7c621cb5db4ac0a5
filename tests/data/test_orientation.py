"""One rule turns every image upright: whatever its format, its pixel type and the place where the turn is noted."""

import io
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from emotion.data.images import ImageError, decode
from emotion.data.jpeg_header import read_jpeg_header
from emotion.data.orientation import OrientationNotes, find_orientation, turn_upright
from emotion.data.png_header import read_png_header

TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda image: image,
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: image.swapaxes(0, 1)[::-1, ::-1],
    8: lambda image: np.rot90(image),
}
"""Each orientation as EXIF defines it, without OpenCV."""

WIDTH, HEIGHT = 48, 32
GRAY = np.add.outer(3 * np.arange(HEIGHT), 2 * np.arange(WIDTH)).astype(np.uint8)
GRAY[:8, :16] = 255
RGB = np.stack([GRAY, GRAY // 2, 255 - GRAY], axis=-1)
ALPHA = np.where(GRAY > 100, 255, 60).astype(np.uint8)

PIXELS = {
    "1": Image.fromarray(GRAY > 100),
    "L": Image.fromarray(GRAY),
    "LA": Image.merge("LA", [Image.fromarray(GRAY), Image.fromarray(ALPHA)]),
    "P": Image.fromarray(RGB).quantize(64),
    "I;16": Image.fromarray(GRAY.astype(np.uint16) * 257),
    "RGB": Image.fromarray(RGB),
    "RGBA": Image.fromarray(np.dstack([RGB, ALPHA])),
    "CMYK": Image.fromarray(RGB).convert("CMYK"),
}


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int, order: str = ">") -> bytes:
    """Return an EXIF block with nothing but the orientation, in either byte order."""
    start = {">": b"MM\0*", "<": b"II*\0"}[order]
    return b"Exif\0\0" + start + struct.pack(f"{order}IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)


def xmp(orientation: int) -> bytes:
    return (
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        b"<rdf:Description xmlns:tiff='http://ns.adobe.com/tiff/1.0/' tiff:Orientation=\"%d\"/></rdf:RDF></x:xmpmeta>"
    ) % orientation


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_chunk(data: bytes, kind: bytes, content: bytes, *, behind: bool = False) -> bytes:
    """Return a PNG file with one more chunk, before its pixels or behind them."""
    place = data.rindex(b"IEND") - 4 if behind else 33
    return data[:place] + png_chunk(kind, content) + data[place:]


def text(kind: bytes, keyword: bytes, content: bytes) -> tuple[bytes, bytes]:
    """Return the type and the content of a text chunk."""
    if kind == b"zTXt":
        return kind, keyword + b"\0\0" + zlib.compress(content)
    if kind == b"iTXt":
        return kind, keyword + b"\0\1\0en\0keyword\0" + zlib.compress(content)
    return kind, keyword + b"\0" + content


def profile(name: bytes, content: bytes) -> bytes:
    """Return a profile as ImageMagick writes it."""
    digits = content.hex().encode()
    lines = [digits[start : start + 72] for start in range(0, len(digits), 72)]
    return b"\n%s\n%8d\n%s\n" % (name, len(content), b"\n".join(lines))


PNG_NOTES: dict[str, Callable[[int], tuple[bytes, bytes]]] = {
    "eXIf": lambda turn: (b"eXIf", exif(turn)[6:]),
    "eXIf with a prefix": lambda turn: (b"eXIf", exif(turn, "<")),
    "XMP": lambda turn: (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(turn)),
    "packed XMP": lambda turn: text(b"iTXt", b"XML:com.adobe.xmp", xmp(turn)),
    "zTXt profile": lambda turn: text(b"zTXt", b"Raw profile type exif", profile(b"exif", exif(turn))),
    "tEXt profile": lambda turn: text(b"tEXt", b"Raw profile type exif", profile(b"exif", exif(turn)[6:])),
    "iTXt profile": lambda turn: text(b"iTXt", b"Raw profile type exif", profile(b"exif", exif(turn))),
    "APP1 profile": lambda turn: text(b"zTXt", b"Raw profile type APP1", profile(b"generic profile", exif(turn))),
    "XMP profile": lambda turn: text(b"zTXt", b"Raw profile type xmp", profile(b"xmp", xmp(turn))),
}


def png_of(mode: str) -> bytes:
    if mode == "RGB;16":
        return cv2.imencode(".png", RGB[:, :, ::-1].astype(np.uint16) * 257)[1].tobytes()
    return saved(PIXELS[mode], "PNG")


def check_all_turns(write: Callable[[int | None], bytes], tolerance: int = 0) -> None:
    """Check what `write` makes for each orientation against what it makes without a note."""
    stored = decode(write(None))
    assert stored.shape[:2] == (HEIGHT, WIDTH)
    for turn, expected in TURNS.items():
        upright = decode(write(turn))
        np.testing.assert_allclose(upright.astype(int), expected(stored), atol=tolerance, err_msg=f"orientation {turn}")
        assert upright.flags.c_contiguous


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "RGB", "RGBA", "RGB;16"])
@pytest.mark.parametrize("note", PNG_NOTES)
@pytest.mark.parametrize("behind", [False, True], ids=["before the pixels", "behind them"])
def test_png(mode, note, behind):
    plain = png_of(mode)
    check_all_turns(lambda turn: plain if turn is None else with_chunk(plain, *PNG_NOTES[note](turn), behind=behind))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("order", "<>")
def test_jpeg_with_exif(mode, order):
    check_all_turns(lambda turn: saved(PIXELS[mode], "JPEG", **({} if turn is None else {"exif": exif(turn, order)})))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_with_xmp(mode):
    check_all_turns(lambda turn: saved(PIXELS[mode], "JPEG", **({} if turn is None else {"xmp": xmp(turn)})))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("name, note", [("exif", exif), ("xmp", xmp)])
def test_webp(mode, name, note):
    check_all_turns(
        lambda turn: saved(PIXELS[mode], "WEBP", lossless=True, **({} if turn is None else {name: note(turn)}))
    )


@pytest.mark.parametrize("mode", ["1", "L", "P", "I;16", "RGB", "RGBA", "CMYK"])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
@pytest.mark.parametrize("tag, note", [(274, int), (700, xmp)], ids=["tag", "XMP"])
def test_tiff(mode, compression, tag, note):
    check_all_turns(
        lambda turn: saved(
            PIXELS[mode], "TIFF", compression=compression, tiffinfo={} if turn is None else {tag: note(turn)}
        )
    )


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("name, note", [("exif", exif), ("xmp", xmp)])
def test_avif(mode, name, note):
    options = {"quality": 100, "subsampling": "4:4:4", "speed": 10}
    check_all_turns(lambda turn: saved(PIXELS[mode], "AVIF", **options, **({} if turn is None else {name: note(turn)})))


def save_heic(image: Image.Image, **options: object) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed, so no HEIC file is made")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, quality=-1, chroma=444, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("name, note", [("exif", exif), ("xmp", xmp)])
def test_heic(mode, name, note):
    check_all_turns(lambda turn: save_heic(PIXELS[mode], **({} if turn is None else {name: note(turn)})), tolerance=2)


def test_heic_whose_exif_contradicts_its_container_is_turned_once():
    upright = decode(save_heic(PIXELS["RGB"]))
    data = save_heic(PIXELS["RGB"], exif=exif(6))
    place = data.rindex(exif(6)[6:])
    other = data[:place] + exif(3)[6:] + data[place + len(exif(3)[6:]) :]
    np.testing.assert_allclose(decode(other).astype(int), np.rot90(upright, -1), atol=2)


def test_the_case_of_imagemagick_is_upright():
    data = (Path(__file__).with_name("cases") / "orientation_imagemagick.png").read_bytes()
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    np.testing.assert_array_equal(decode(data), np.asarray(stored)[::-1, ::-1])


XMP_FORMS = {
    "attribute": b'<rdf:Description tiff:Orientation="6"/>',
    "single quotes": b"<rdf:Description tiff:Orientation='6'/>",
    "spaces": b'<rdf:Description tiff:Orientation = "6" />',
    "element": b"<rdf:Description><tiff:Orientation>6</tiff:Orientation></rdf:Description>",
    "element with line breaks": b"<tiff:Orientation>\n  6\n</tiff:Orientation>",
    "element with an attribute": b"<tiff:Orientation rdf:datatype='integer'>6</tiff:Orientation>",
    "cut off behind it": b'<rdf:Description tiff:Orientation="6" xmp:Creator',
}


@pytest.mark.parametrize("packet", XMP_FORMS.values(), ids=XMP_FORMS)
@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "WEBP"])
def test_forms_of_xmp(packet, kind):
    options = {"tiffinfo": {700: packet}} if kind == "TIFF" else {"xmp": packet}
    assert decode(saved(PIXELS["RGB"], kind, **options)).shape[:2] == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    "notes, expected",
    [
        (OrientationNotes(), 1),
        (OrientationNotes(exif(8), xmp(6)), 8),
        (OrientationNotes(exif(1), xmp(6)), 1),
        (OrientationNotes(exif(0), xmp(6)), 1),
        (OrientationNotes(exif(9)), 1),
        (OrientationNotes(exif(65535)), 1),
        (OrientationNotes(b"", xmp(0)), 1),
        (OrientationNotes(b"", xmp(9)), 1),
        (OrientationNotes(b"", xmp(6).replace(b'"6"', b'"right"')), 1),
        (OrientationNotes(exif(3)[:12], xmp(6)), 6),
        (OrientationNotes(exif(3)[:20], xmp(6)), 6),
        (OrientationNotes(exif(3).replace(b"MM\0*", b"II*\0"), xmp(6)), 6),
        (OrientationNotes(b"Exif\0\0", xmp(6)), 6),
        (OrientationNotes(exif(3).replace(b"\1\x12\0\3", b"\1\x12\0\2"), xmp(6)), 1),
        (OrientationNotes(exif(3).replace(b"\1\x12\0\3\0\0\0\1", b"\1\x12\0\3\0\0\0\0"), xmp(6)), 1),
    ],
    ids=[
        "none",
        "EXIF before XMP",
        "EXIF upright",
        "EXIF 0",
        "EXIF 9",
        "EXIF 65535",
        "XMP 0",
        "XMP 9",
        "XMP without a number",
        "EXIF cut off before its tags",
        "EXIF cut off in its tag",
        "EXIF in the wrong byte order",
        "empty EXIF",
        "a text in EXIF",
        "no number in EXIF",
    ],
)
def test_which_note_counts(notes, expected):
    assert find_orientation(notes) == expected


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("note", ["zTXt profile", "eXIf"])
def test_broken_notes_of_png_leave_the_image_as_stored(mode, note):
    plain = png_of(mode)
    kind, content = PNG_NOTES[note](6)
    for broken in (content[: len(content) // 2], content[:-12]):
        np.testing.assert_array_equal(decode(with_chunk(plain, kind, broken)), decode(plain))
    no_digits = text(b"tEXt", b"Raw profile type exif", profile(b"exif", exif(6)).replace(b"4d", b"zz"))
    np.testing.assert_array_equal(decode(with_chunk(plain, *no_digits)), decode(plain))


def test_the_chunk_of_png_counts_before_the_profile_of_imagemagick():
    data = with_chunk(png_of("RGB"), *PNG_NOTES["eXIf"](3), behind=True)
    data = with_chunk(data, *PNG_NOTES["zTXt profile"](6))
    np.testing.assert_array_equal(decode(data), RGB[::-1, ::-1])


def test_long_texts_in_png_are_unpacked_only_as_far_as_needed(monkeypatch):
    plain = png_of("RGB")
    others = with_chunk(plain, *text(b"zTXt", b"Comment", bytes(5 * 2**20)))
    monkeypatch.setattr("zlib.decompressobj", lambda: pytest.fail("a text was unpacked that notes no orientation"))
    np.testing.assert_array_equal(decode(others), RGB)
    monkeypatch.undo()
    long = profile(b"exif", exif(6) + bytes(2 * 2**20))
    with_note = with_chunk(plain, *text(b"zTXt", b"Raw profile type exif", long))
    np.testing.assert_array_equal(decode(with_note), np.rot90(RGB, -1))


def test_headers_of_countless_parts_take_little_time():
    png, jpeg = png_of("RGB"), saved(PIXELS["RGB"], "JPEG")
    started = time.process_time()
    many_chunks = png[:33] + png_chunk(b"tEXt", b"") * 1_000_000 + png[33:]
    read_png_header(many_chunks)
    for part in (b"\xff\xfe\0\2", b"\xff\xd0", b"\xff"):
        read_jpeg_header(jpeg[:2] + part * 3_000_000 + jpeg[2:])
    assert time.process_time() - started < 1


def test_long_xmp_of_jpeg_goes_on_in_other_blocks():
    plain = saved(PIXELS["RGB"], "JPEG")
    more = b"http://ns.adobe.com/xmp/extension/\0" + bytes(40) + xmp(3)
    blocks = [b"http://ns.adobe.com/xap/1.0/\0" + xmp(6), more, exif(8), exif(3)]

    def with_blocks(*chosen):
        return plain[:2] + b"".join(b"\xff\xe1" + struct.pack(">H", len(one) + 2) + one for one in chosen) + plain[2:]

    np.testing.assert_array_equal(decode(with_blocks(more, blocks[0])), np.rot90(decode(plain), -1))
    np.testing.assert_array_equal(decode(with_blocks(*blocks)), np.rot90(decode(plain)))


def test_several_images_in_a_jpeg_file_take_the_turn_of_the_first():
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "MPO", save_all=True, append_images=frames[1:], exif=exif(6))
    np.testing.assert_array_equal(decode(buffer.getvalue()), np.rot90(decode(saved(frames[0], "JPEG")), -1))


@pytest.mark.fuzz
@given(st.binary(max_size=200), st.binary(max_size=200), st.sampled_from([b"", b"MM\0*", b"Exif\0\0II*\0"]))
def test_any_notes_give_an_orientation(block, packet, start):
    assert find_orientation(OrientationNotes(start + block, packet)) in TURNS


@pytest.mark.fuzz
@given(st.sampled_from(sorted(PNG_NOTES)), st.data())
def test_any_damage_to_a_note_of_png_is_survived(note, data):
    kind, content = PNG_NOTES[note](6)
    changed = bytearray(content)
    place = data.draw(st.integers(0, len(content) - 1))
    changed[place] = data.draw(st.integers(0, 255))
    try:
        image = decode(with_chunk(png_of("L"), kind, bytes(changed)))
    except ImageError:
        return
    assert sorted(image.shape) == sorted((HEIGHT, WIDTH, 1))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("turn", TURNS)
def test_turned_pixels_keep_their_channels(channels, turn):
    image = RGB[:, :, :channels]
    np.testing.assert_array_equal(turn_upright(image, turn), TURNS[turn](image))
