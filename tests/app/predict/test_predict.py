"""`emotion predict`: whatever files there are, each gets its line, in order, and the exit status says how it went."""

import contextlib
import csv
import errno
import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import unicodedata
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from emotion.app.named_files import NamedFile
from emotion.app.predict.annotated_files import plan_targets
from emotion.app.predict.image_files import collect_files
from emotion.app.predict.predict_files import cut_pieces, predict_pieces
from emotion.app.predict.results import ImageResult, ResultCounts
from emotion.app.predict.terminal_table import Table
from emotion.core.emotion_names import EMOTIONS
from emotion.core.metadata import ModelMetadata
from emotion.data.images import read_image
from emotion.data.pillow_images import FORMATS
from emotion.faces.detection import Box
from emotion.inference.predictor import Face, Predictor
from tests.makers import write_onnx

pytestmark = pytest.mark.medium

EMOTION = Path(sys.executable).with_name("emotion")
HEADER = ["path", "face", "status", "emotion", "confidence", "x", "y", "width", "height", *EMOTIONS]


@pytest.fixture
def predict(model, run_emotion):
    """Run `emotion predict` in this process; return exit status, standard output and standard error."""

    def run(*arguments, model=model):
        return run_emotion("predict", *arguments, "--model", model)

    return run


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def save(path, image, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path, **options)
    return path


def noise(height=60, width=80, channels=3, seed=0):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


# What is printed


def test_a_photo_gives_its_face(here, predict, astronaut):
    save(here / "photo.png", astronaut)
    status, out, err = predict("photo.png", "--csv")
    assert (status, err) == (0, "")
    assert out.splitlines()[0].split(",") == HEADER
    (row,) = rows_of(out)
    assert (row["path"], row["face"], row["status"]) == ("photo.png", "1", "ok")
    probabilities = {name: float(row[name]) for name in EMOTIONS}
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-4)
    assert probabilities[row["emotion"]] == float(row["confidence"]) == max(probabilities.values())
    x, y, width, height = (int(row[name]) for name in HEADER[5:9])
    assert x < 225 < x + width
    assert y < 115 < y + height


def test_the_command_prints_what_the_predictor_returns(here, predict, model, astronaut):
    path = save(here / "photo.png", astronaut)
    _, out, _ = predict(path, "--json")
    (printed,) = json.loads(out)["faces"]
    (face,) = Predictor(model).predict(read_image(path))
    assert printed["box"] == face.box._asdict()
    assert printed["emotion"] == face.emotion
    assert list(printed["probabilities"]) == list(EMOTIONS)
    assert list(printed["probabilities"].values()) == pytest.approx(face.probabilities, abs=1e-5)


def test_json_is_an_object_a_line_for_each_image(here, predict):
    save(here / "a.png", noise())
    (here / "b.png").write_bytes(b"")
    status, out, err = predict("a.png", "b.png", "--json", "--detector", "whole")
    good, bad = map(json.loads, out.splitlines())
    assert status == 3
    assert err == "2 images: 1 with 1 face, 0 without a face, 1 unreadable\n"
    assert bad == {"path": "b.png", "status": "unreadable: the file is empty", "faces": []}
    assert good["faces"][0]["box"] == {"x": 0, "y": 0, "width": 80, "height": 60}
    assert good["faces"][0]["face"] == 1


def test_without_a_terminal_the_default_is_csv(here, predict):
    save(here / "a.png", noise())
    assert predict("a.png", "--detector", "whole") == predict("a.png", "--detector", "whole", "--csv")


def test_on_a_terminal_the_default_is_a_table(here, predict, monkeypatch):
    save(here / "a.png", noise())
    save(here / "folder/long_name.png", noise())
    (here / "b.png").write_text("no image\n\x1b[31m")
    table = predict("a.png", "folder", "b.png", "--detector", "whole", "--table")
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda self: self is sys.stdout)
    assert predict("a.png", "folder", "b.png", "--detector", "whole") == table
    head, first, second, third, empty, summary = table[1].splitlines()
    assert head.startswith("image                 face  box")
    assert first.startswith("a.png                    1  80 x 60 at 0, 0 ")
    assert second.startswith("folder/long_name.png     1  80 x 60 at 0, 0 ")
    assert third.startswith("b.png                    -  unreadable: no image")
    assert len({line.index("%") for line in (first, second)}) == 1
    assert empty == ""
    assert summary == "3 images: 2 with 2 faces, 0 without a face, 1 unreadable"


def test_tables_fit_names_of_any_kind():
    face = Face(Box(1, 2, 3, 4), np.array([0.0, 0.996, 0.004]), "sad", 0.996)
    wide, accent = "\N{CJK UNIFIED IDEOGRAPH-5B57}", "\N{COMBINING ACUTE ACCENT}"
    syllable = unicodedata.normalize("NFD", "\N{HANGUL SYLLABLE GAG}")
    names = [f"{wide * 30}.png", f"e{accent}.png", "a\x1b[2J\n.png", "\udcff.png", f"{syllable}.png"]
    table = Table(("happy", "sad", "neutral"), [Path(name) for name in names], columns=90, encoding="ascii")
    lines = [line for name in names for line in table.lines(ImageResult(Path(name), "ok", [face]))]
    assert lines[0].startswith(f"\N{HORIZONTAL ELLIPSIS}{wide}")
    assert lines[1].startswith(f"e{accent}.png  ")
    assert lines[2].startswith("a\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}.png")
    assert lines[3].startswith("\N{REPLACEMENT CHARACTER}.png")
    path_width = lines[2].index("     1  ")
    assert lines[4].startswith(f"{syllable}.png".ljust(path_width + 1)), "three letters in two places"
    assert all(line.endswith("sad       99.6 %  ##########") for line in lines), "nothing else has a whole percent"


def test_two_emotions_have_a_table_too():
    table = Table(("happy", "sad"), [Path("a.png")], columns=90, encoding="utf-8")
    (line,) = table.lines(ImageResult(Path("a.png"), "ok", [Face(Box(1, 2, 3, 4), np.array([0.2, 0.8]), "sad", 0.8)]))
    assert line.endswith("80.0 %  ████████    happy 20 %")


def test_the_box_of_a_large_face_is_apart_from_its_emotion():
    face = Face(Box(-325, 1214, 7896, 7896), np.array([0.2, 0.8]), "sad", 0.8)
    table = Table(("happy", "sad"), [Path("a.png")], columns=90, encoding="utf-8")
    (line,) = table.lines(ImageResult(Path("a.png"), "ok", [face]))
    assert " at -325, 1214  sad " in line


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files have to be Unicode")
def test_names_that_are_no_utf8_keep_their_bytes(here, predict, model):
    name = b"caf\xe9 \xc3\xa9.png"
    save(here / os.fsdecode(name), noise())
    printed = {}
    for option in ("--csv", "--json"):
        done = subprocess.run(
            [EMOTION, "predict", ".", option, "--detector", "whole", "--model", model], capture_output=True
        )
        assert (done.returncode, done.stderr) == (0, b"")
        printed[option] = done.stdout
    assert printed["--csv"].splitlines()[1].startswith(name + b",1,ok,")
    assert os.fsencode(json.loads(printed["--json"].decode())["path"]) == name
    _, table, _ = predict(".", "--table", "--detector", "whole")
    assert table.splitlines()[1].startswith("caf\N{REPLACEMENT CHARACTER} \N{LATIN SMALL LETTER E WITH ACUTE}.png  ")


# Which files are read


def make_tree(folder):
    for name in ("b.png", "a.JPG", "sub/c.png", "sub/deeper/d.webp", ".hidden.png", ".git/e.png", "sub/notes.txt"):
        save(folder / name.replace(".txt", ".png"), noise())
    (folder / "sub/notes.png").rename(folder / "sub/notes.txt")


def paths_of(names, **options):
    return [str(file.path) for file in collect_files(names, **options)]


def test_folders_give_their_images_sorted_and_without_hidden_ones(here):
    make_tree(here / "tree")
    assert paths_of(["tree"]) == ["tree/a.JPG", "tree/b.png", "tree/sub/c.png", "tree/sub/deeper/d.webp"]
    assert [file.relative.as_posix() for file in collect_files(["tree"])] == [
        "a.JPG",
        "b.png",
        "sub/c.png",
        "sub/deeper/d.webp",
    ]
    assert paths_of(["tree"], excluded=here / "tree/sub") == ["tree/a.JPG", "tree/b.png"]
    assert paths_of(["."]) == paths_of(["tree"])


def test_files_are_tried_whatever_they_are_called(here):
    make_tree(here / "tree")
    assert paths_of(["tree/sub/notes.txt", "tree/.hidden.png"]) == ["tree/sub/notes.txt", "tree/.hidden.png"]


def test_patterns_are_for_shells_that_leave_them_alone(here):
    make_tree(here / "tree")
    assert paths_of(["tree/*.png"]) == ["tree/b.png"]
    assert paths_of(["tree/**/*.png"]) == ["tree/b.png", "tree/sub/c.png"]
    assert paths_of(["tree/s*"]) == ["tree/sub/c.png", "tree/sub/deeper/d.webp"], "a folder that matches is read"
    assert paths_of([f"{here}/tree/?.JPG"]) == [f"{here}/tree/a.JPG"]
    save(here / "[1].png", noise())
    assert paths_of(["[1].png"]) == ["[1].png"], "a file of that name comes first"


def test_a_file_that_is_named_twice_is_read_once(here):
    make_tree(here / "tree")
    assert paths_of(["tree/b.png", "tree", str(here / "tree/b.png")])[:2] == ["tree/b.png", "tree/a.JPG"]
    assert len(collect_files(["tree", "tree"])) == 4


def test_names_that_stand_for_nothing_keep_their_problem(here, predict):
    (here / "empty").mkdir()
    status, out, _ = predict("empty", "*.gif", "missing.jpg", "")
    assert status == 1
    rows = [(row["path"], row["status"]) for row in rows_of(out)]
    expected = [
        ("empty", "no image.*folder"),
        ("*.gif", "no file.*pattern"),
        ("missing.jpg", "No such file"),
        (".", "name.*empty"),
    ]
    for (path, status), (name, problem) in zip(rows, expected, strict=True):
        assert path == name
        assert re.match(f"unreadable: .*{problem}", status)


@pytest.mark.parametrize(
    "url, step",
    [
        ("https://example.org/a.jpg?size=[1]", "download.*name its file"),
        ("HTTP://example.org/*.jpg", "download.*name its file"),
        ("rtsp://camera/stream", "emotion video URL"),
        ("file:///home/me/photo.jpg", "named by its path"),
    ],
)
def test_a_url_names_the_step_that_helps(here, predict, url, step):
    status, out, err = predict(url)
    assert status == 1
    (row,) = rows_of(out)
    assert re.match(f"unreadable: .*URL.*{step}|unreadable: .*{step}.*URL", row["status"])
    assert err == "0 images: 0 with 0 faces, 0 without a face, 0 unreadable; 1 name without an image\n"


def test_the_credentials_of_a_url_are_not_printed(here, predict):
    _, out, err = predict("rtsp://me:my@secret@camera/stream", "https://you:hidden@example.org/a.jpg")
    assert [row["path"] for row in rows_of(out)] == ["rtsp:/camera/stream", "https:/example.org/a.jpg"]
    assert not re.search("secret|hidden|you", out + err)


def test_an_empty_folder_is_no_image(here, predict):
    (here / "empty").mkdir()
    save(here / "photo.png", noise())
    status, _, err = predict("empty", "photo.png", "--detector", "whole")
    assert status == 3
    assert err == "1 image: 1 with 1 face, 0 without a face, 0 unreadable; 1 name without an image\n"


def test_a_folder_that_cannot_be_read_has_its_line(here, predict, monkeypatch):
    make_tree(here / "tree")
    real = os.scandir

    def scandir(path):
        if str(path).endswith("deeper"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    status, out, _ = predict("tree", "--detector", "whole")
    assert status == 3
    assert rows_of(out)[-1]["path"] == "tree/sub/deeper"
    assert rows_of(out)[-1]["status"].startswith("unreadable: ")
    assert "Permission denied" in rows_of(out)[-1]["status"]


def test_a_name_that_the_system_refuses_loses_no_other_image(here, predict):
    save(here / "photo.png", noise())
    status, out, err = predict("x" * 300 + ".png", "photo.png", "--detector", "whole")
    assert status == 3
    first, second = rows_of(out)
    assert first["status"] == "unreadable: it cannot be read: File name too long"
    assert (second["path"], second["status"]) == ("photo.png", "ok")
    assert err.startswith("1 image: 1 with 1 face")


# Bad input


def good_images(folder):
    """Write images of every kind that can be read, at most 80 x 60 pixels; return their names."""
    gray, color = noise(channels=1), noise()
    alpha = Image.fromarray(noise(channels=4, seed=1))
    frames = [Image.fromarray(noise(seed=seed)).quantize(16) for seed in range(3)]
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    save(folder / "deep.png", (gray.astype(np.uint16) << 8))
    save(folder / "palette.png", frames[0])
    save(folder / "cmyk.jpg", Image.fromarray(color).convert("CMYK"))
    save(folder / "gray_alpha.png", alpha.convert("LA"))
    save(folder / "animated.gif", frames[0], save_all=True, append_images=frames[1:])
    save(folder / "rotated.jpg", color, exif=exif)
    save(folder / "pixel.png", color[:1, :1])
    save(folder / "called.jpg", color, format="PNG")
    return sorted(path.name for path in folder.iterdir())


def bad_images(folder):
    """Write files that cannot be read; return the problem of each."""
    save(folder / "cut.jpg", noise(300, 300))
    (folder / "cut.jpg").write_bytes((folder / "cut.jpg").read_bytes()[:-300])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("I am text")
    (folder / "link.png").symlink_to("nowhere.png")
    save(folder / "huge.png", noise())
    header = bytearray((folder / "huge.png").read_bytes())
    header[16:24] = (100_000).to_bytes(4, "big") * 2
    (folder / "huge.png").write_bytes(header)
    return {
        "cut.jpg": "the JPEG file is cut off",
        "empty.png": "the file is empty",
        "huge.png": "got 100000x100000 pixels, expected at most 67108864; scale the image down",
        "link.png": "the file cannot be read: No such file or directory",
        "text.jpg": "no image: the file starts with b'I am text', expected one of " + ", ".join(FORMATS),
    }


HEIC_START = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


def test_heic_without_its_reader_is_counted_in_a_folder(here, predict, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    save(here / "photos/a.png", noise())
    for name in ("b.heic", "c.HEIF", "d.hif"):
        (here / "photos" / name).write_bytes(HEIC_START)
    status, out, err = predict("photos", "--detector", "whole")
    assert status == 3
    assert all(re.search(r"HEIC.*pip install.*\[heic\]", row["status"]) for row in rows_of(out)[1:])
    assert err == "4 images: 1 with 1 face, 0 without a face, 3 unreadable\n"


def test_heic_is_read_from_a_folder(here, predict, astronaut):
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed, so no HEIC file is made")
    (here / "photos").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = np.ascontiguousarray(np.rot90(np.asarray(astronaut)))
    pillow_heif.from_pillow(Image.fromarray(turned)).save(here / "photos/a.heic", quality=90, exif=exif.tobytes())
    status, out, _ = predict("photos")
    assert (status, [row["status"] for row in rows_of(out)]) == (0, ["ok"])


def test_a_video_names_the_command_that_reads_it(here, predict):
    (here / "a.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(100))
    _, out, _ = predict("a.mp4")
    assert re.search("video.*MP4.*emotion video", rows_of(out)[0]["status"])


@pytest.mark.parametrize("faces", ["whole", "auto"])
def test_images_of_every_kind_are_read(here, predict, faces):
    names = good_images(here / "good")
    status, out, _ = predict("good", "--detector", faces)
    rows = {Path(row["path"]).name: row for row in rows_of(out)}
    assert list(rows) == names
    if faces == "auto":
        assert rows.pop("pixel.png")["status"] == "no face"
        assert {row["status"] for row in rows.values()} == {"ok"}
        return
    assert {row["status"] for row in rows.values()} == {"ok"}
    assert status == 0
    assert (rows["rotated.jpg"]["width"], rows["rotated.jpg"]["height"]) == ("60", "80"), "turned as EXIF says"
    assert (rows["pixel.png"]["width"], rows["pixel.png"]["height"]) == ("1", "1")


def test_images_without_a_face_are_no_failure_of_the_detector(here, predict):
    good_images(here / "good")
    status, out, err = predict("good", "--detector", "cascade")
    assert status == 1
    assert {row["status"] for row in rows_of(out)} == {"no face"}
    assert err == "8 images: 0 with 0 faces, 8 without a face, 0 unreadable\n"


def test_good_and_bad_images_keep_their_order(here, predict):
    good = good_images(here / "mix")
    bad = bad_images(here / "mix")
    status, out, err = predict("mix", "--detector", "whole")
    assert status == 3
    rows = rows_of(out)
    assert [Path(row["path"]).name for row in rows] == sorted([*good, *bad])
    statuses = {Path(row["path"]).name: row["status"] for row in rows}
    assert statuses == dict.fromkeys(good, "ok") | {name: f"unreadable: {reason}" for name, reason in bad.items()}
    assert err == "13 images: 8 with 8 faces, 0 without a face, 5 unreadable\n"
    assert all(not row[name] for row in rows if row["status"] != "ok" for name in HEADER if name not in HEADER[:3])


def test_only_bad_images_say_that_none_worked(here, predict):
    bad_images(here / "bad")
    assert predict("bad")[0] == 1


def test_an_image_too_large_for_the_memory_has_its_line(here, predict, monkeypatch):
    save(here / "large.png", noise())
    save(here / "small.png", noise())

    def read_small(path):
        if path.name == "large.png":
            raise MemoryError
        return read_image(path)

    monkeypatch.setattr("emotion.app.predict.predict_files.read_image", read_small)
    status, out, _ = predict("large.png", "small.png", "--detector", "whole")
    large, small = (row["status"] for row in rows_of(out))
    assert (status, small) == (3, "ok")
    assert "memory" in large


def test_a_file_that_may_not_be_read_has_its_line(here, predict, monkeypatch):
    save(here / "mine.png", noise())
    save(here / "theirs.png", noise())

    def open_file(path, *arguments, **options):
        if str(path).endswith("theirs.png"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return open(path, *arguments, **options)  # noqa: PTH123

    monkeypatch.setattr("emotion.data.images.open", open_file, raising=False)
    status, out, _ = predict("mine.png", "theirs.png", "--detector", "whole")
    assert status == 3
    assert [row["status"] for row in rows_of(out)] == ["ok", "unreadable: the file cannot be read: Permission denied"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_devices_are_not_waited_for(here, predict):
    os.mkfifo("pipe.jpg")
    status, out, _ = predict("pipe.jpg", "/dev/zero")
    assert status == 1
    statuses = [row["status"] for row in rows_of(out)]
    assert len(statuses) == 2
    assert all(re.match("unreadable: .*device.*pipe", status) for status in statuses)


def test_a_panorama_is_read(here, predict, astronaut):
    panorama = np.full((600, 20_000, 3), 128, np.uint8)
    panorama[40:552, 9_000:9_512] = astronaut
    save(here / "panorama.jpg", panorama, quality=95)
    status, out, _ = predict("panorama.jpg", "--detector", "cascade", "--smallest", "60")
    assert status == 0
    corners = [(int(row["x"]), int(row["y"])) for row in rows_of(out)]
    assert any(9_100 < x < 9_250 and 60 < y < 150 for x, y in corners)
    assert predict("panorama.jpg", "--detector", "whole")[0] == 0


def test_faces_cut_by_the_border_are_no_trouble(here, predict, astronaut):
    for name, part in {
        "left.png": astronaut[:, 195:],
        "right.png": astronaut[:, :255],
        "top.png": astronaut[85:],
        "bottom.png": astronaut[:150],
        "close.png": astronaut[70:160, 180:270],
    }.items():
        save(here / "cut" / name, part)
    status, out, _ = predict(
        "cut", "--detector", "cascade", "--margin", "0.5", "--smallest", "30", "--annotate", "annotated"
    )
    assert status in (0, 3)
    assert sorted(path.name for path in (here / "annotated").iterdir()) == sorted(
        {Path(row["path"]).name for row in rows_of(out) if row["status"] == "ok"}
    )
    assert {row["status"] for row in rows_of(out)} <= {"ok", "no face"}
    for row in rows_of(out):
        if row["status"] == "ok":
            height, width = read_image(here / row["path"]).shape[:2]
            x, y, wide, high = (int(row[name]) for name in HEADER[5:9])
            assert 0 <= x + wide // 2 < width
            assert 0 <= y + high // 2 < height


def test_fifty_faces_are_numbered(here, predict, astronaut):
    crowd = np.tile(astronaut[30:190, 140:310], (5, 10, 1))
    save(here / "crowd.png", crowd)
    status, out, _ = predict("crowd.png", "--detector", "cascade", "--annotate", "annotated")
    rows = rows_of(out)
    assert status == 0
    assert 45 <= len(rows) <= 55
    assert [row["face"] for row in rows] == [str(number) for number in range(1, len(rows) + 1)]
    areas = [int(row["width"]) * int(row["height"]) for row in rows]
    assert areas == sorted(areas, reverse=True)
    assert (read_image(here / "annotated/crowd.png") != crowd).any(axis=2).mean() > 0.05


@pytest.mark.parametrize("height, width", [(1, 20_000), (20_000, 1), (2, 2), (30, 30_000), (19, 400)])
def test_images_of_any_shape_are_searched(here, predict, height, width):
    save(here / "a.png", noise(height, width, 1))
    for faces in ("cascade", "auto", "whole"):
        status, out, _ = predict("a.png", "--detector", faces, "--margin", "0.3", "--annotate", "annotated")
        assert status in (0, 1)
        assert rows_of(out)[0]["status"] == ("ok" if status == 0 else "no face")


@pytest.mark.parametrize(
    "name, content, problem",
    [
        ("missing.onnx", None, "missing; .*models/released/"),
        ("model.onnx", b"no model", r"loaded .*\(it is no ONNX file\).*\.onnx"),
        ("empty.onnx", b"", r"loaded .*\(.*\).*\.onnx"),
        ("model.tflite", b"\0\0\0\0TFL3 and nothing else", r"metadata.*\.tflite"),
        ("model.pkl", b"\x80\x04.", r"'\.pkl', expected .*\.keras, \.tflite or \.onnx"),
        ("model", b"", r"'', expected .*\.keras, \.tflite or \.onnx"),
    ],
)
def test_what_is_no_model_is_refused(here, predict, name, content, problem):
    save(here / "a.png", noise())
    if content is not None:
        (here / name).write_bytes(content)
    status, out, _ = predict("a.png", model=name)
    assert out == ""
    assert re.match(f"error: {re.escape(name)}.*{problem}", status)


def test_a_detector_that_opencv_lacks_is_named(here, predict, monkeypatch):
    monkeypatch.setattr("emotion.faces.cascade.CASCADE_FILE", "none.xml")
    save(here / "a.png", noise())
    status, out, _ = predict("a.png", "--detector", "cascade")
    assert out == ""
    assert "cascade" in status
    assert "yunet" in status


def test_a_thorough_search_finds_smaller_faces(here, predict, astronaut):
    save(here / "a.png", cv2.resize(astronaut, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA))
    status, out, _ = predict("a.png", "--detector", "yunet", "--smallest", "20", "--thorough")
    assert status == 0
    assert len(out.splitlines()) == 2


# Annotated images


def hashes(folder):
    return {path: hashlib.md5(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_annotated_images_are_not_written_to_an_address(here, predict):
    save(here / "a.png", noise())
    status, out, _ = predict("a.png", "--annotate", "s3://bucket/boxed")
    assert status.startswith("error: --annotate: got an address, expected a folder")
    assert out == ""
    assert [path.name for path in here.iterdir()] == ["a.png"]


def test_an_error_leaves_no_empty_folder_for_annotated_images(here, predict):
    save(here / "a.png", noise())
    status, _, _ = predict("a.png", "--annotate", "annotated", model="none.tflite")
    assert "none.tflite" in status
    assert not (here / "annotated").exists()
    (here / "mine").mkdir()
    predict("a.png", "--annotate", "mine", model="none.tflite")
    assert (here / "mine").is_dir()


def test_annotated_images_lie_as_their_originals_do(here, predict):
    save(here / "one/photo.jpg", noise(300, 400))
    save(here / "one/deep/photo.png", noise(300, 400, seed=1))
    save(here / "one/deep/photo.gif", noise(300, 400, seed=2))
    save(here / "two/PHOTO.JPG", noise(300, 400, seed=3), format="JPEG")
    (here / "two/bad.jpg").write_text("no image")
    before = hashes(here)
    status, _, _ = predict("one", "two", "two/PHOTO.JPG", "--detector", "whole", "--annotate", "annotated/here")
    assert status == 3
    assert {path: digest for path, digest in hashes(here).items() if "annotated" not in path.parts} == before
    made = sorted(path.relative_to(here / "annotated/here").as_posix() for path in hashes(here / "annotated"))
    assert made == ["PHOTO-2.JPG", "deep/photo-2.png", "deep/photo.png", "photo.jpg"]
    formats = {path: Image.open(here / "annotated/here" / path).format for path in made}
    assert set(formats.values()) == {"JPEG", "PNG"}
    assert formats["PHOTO-2.JPG"] == "JPEG"


def test_annotated_images_show_box_and_label(here, predict, astronaut):
    save(here / "photo.png", astronaut)
    _, out, _ = predict("photo.png", "--annotate", "annotated")
    (row,) = rows_of(out)
    changed = (read_image(here / "annotated/photo.png") != astronaut).any(axis=2)
    x, y, width, height = (int(row[name]) for name in HEADER[5:9])
    assert changed[y + height // 2, x]
    assert changed[y, x + width // 2]
    assert not changed[y + height // 3 : y + height // 2, x + width // 3 : x + width // 2].any()
    assert not changed[y + 2 * height :].any()


def test_small_images_are_enlarged_so_that_labels_can_be_read(here, predict):
    save(here / "face.png", noise(48, 48, 1))
    save(here / "thin.png", noise(1, 20_000, 1))
    predict("face.png", "thin.png", "--detector", "whole", "--annotate", "annotated")
    assert read_image(here / "annotated/face.png").shape == (240, 240, 3)
    assert read_image(here / "annotated/thin.png").shape == (1, 20_000, 3)


def test_images_without_a_face_are_not_annotated(here, predict):
    save(here / "wall.png", noise(200, 200))
    predict("wall.png", "--detector", "cascade", "--annotate", "annotated")
    assert list((here / "annotated").iterdir()) == []


def test_annotated_images_of_an_earlier_run_are_replaced_and_not_read(here, predict):
    for suffix in ("jpg", "png"):
        save(here / f"{suffix}.{suffix}", noise(300, 300))
    first = predict(".", "--detector", "whole", "--annotate", "annotated")
    before = hashes(here)
    assert predict(".", "--detector", "whole", "--annotate", "annotated") == first
    assert len(first[1].splitlines()) == 3
    assert hashes(here) == before


@pytest.mark.parametrize("target", [".", "others"])
def test_what_was_not_made_here_is_never_written_over(here, predict, target):
    save(here / "a.png", noise())
    save(here / "b.jpg", noise())
    save(here / "others/b.jpg", noise(seed=1))
    before = hashes(here)
    status, out, _ = predict("a.png", "b.jpg", "--detector", "whole", "--annotate", target)
    assert out == ""
    file = Path(target) / ("a.png" if target == "." else "b.jpg")
    assert re.match(rf"error: --annotate .*overwrite {file}\b.*new folder", status)
    assert hashes(here) == before


def test_annotated_images_that_are_read_are_originals_too(here, predict):
    save(here / "a.png", noise())
    predict("a.png", "--detector", "whole", "--annotate", "annotated")
    before = hashes(here)
    status, _, _ = predict("annotated", "--detector", "whole", "--annotate", "other/../annotated")
    assert re.search(r"overwrite other/../annotated/a\.png\b.*new folder", status)
    assert predict("annotated", "--detector", "whole", "--annotate", "again")[0] == 0
    assert {path: digest for path, digest in hashes(here).items() if "again" not in path.parts} == before


def test_links_to_images_are_not_written_through(here, predict):
    save(here / "a.png", noise())
    (here / "annotated").mkdir()
    (here / "annotated/a.png").symlink_to(here / "a.png")
    status, _, _ = predict("a.png", "--detector", "whole", "--annotate", "annotated")
    assert re.search(r"overwrite annotated/a\.png\b.*new folder", status)


def test_a_folder_in_the_place_of_an_annotated_image_is_kept(here, predict):
    save(here / "a.png", noise())
    (here / "annotated/a.png").mkdir(parents=True)
    status, _, _ = predict("a.png", "--detector", "whole", "--annotate", "annotated")
    assert "annotated/a.png" in status
    assert (here / "annotated/a.png").is_dir()


def test_a_folder_that_cannot_be_made_is_named(here, predict):
    save(here / "a.png", noise())
    status, _, _ = predict("a.png", "--annotate", "a.png")
    assert re.match(r"error: --annotate: .*a\.png.*File exists.*another folder", status)


def test_an_annotated_image_that_cannot_be_written_leaves_nothing(here, predict, monkeypatch):
    save(here / "a.png", noise())

    def fail(self, target):
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "replace", fail)
    status, _, _ = predict("a.png", "--detector", "whole", "--annotate", "annotated")
    assert re.match("error: .*annotated/a.png.*Permission denied", status)
    assert not (here / "annotated").exists()


# Many images


@pytest.mark.parametrize("threads", [2, 5])
def test_more_threads_give_the_same(here, predict, astronaut, threads):
    for number in range(12):
        save(here / f"many/{number:02}.png", np.roll(astronaut[:300], 17 * number, axis=1)[: 250 + number])
    save(here / "many/06.png", noise(300, 300))
    alone = predict("many", "--threads", "1", "--detector", "cascade")
    assert predict("many", "--threads", str(threads), "--detector", "cascade") == alone
    assert alone[0] == 3


class Slow(Predictor):
    """A predictor that counts the images that are there at a time."""

    def __init__(self, model):
        super().__init__(model, detector="whole")
        self.searched = 0
        self.batches = []

    def detect(self, image, *, level=True):
        self.searched += 1
        return super().detect(image, level=level)

    def probabilities(self, crops):
        self.batches.append(len(crops))
        return super().probabilities(crops)


def files_of(paths):
    return [NamedFile(Path(path), Path(Path(path).name)) for path in paths]


def test_faces_of_many_images_go_to_the_model_together(here, model):
    paths = [save(here / f"{number}.png", noise(seed=number)) for number in range(70)]
    predictor = Slow(model)
    results = list(predict_pieces(cut_pieces(files_of(paths)), predictor, threads=2))
    assert [result.path for result in results] == paths
    assert predictor.batches == [1, 2, 4, 8, 16, 32, 7], "the first answers come at once"
    alone = Predictor(model, detector="whole")
    for result, path in zip(results[::23], paths[::23], strict=True):
        assert result.faces[0].probabilities == pytest.approx(
            alone.predict(read_image(path))[0].probabilities, abs=1e-6
        )


def test_only_a_few_images_are_ahead_of_the_reader(here, model):
    path = save(here / "a.png", noise())
    predictor = Slow(model)
    results = predict_pieces(cut_pieces(files_of([path] * 500)), predictor, threads=2)
    next(results)
    time.sleep(0.3)
    assert 1 <= predictor.searched <= 1 + 3 * 2
    results.close()
    done = predictor.searched
    time.sleep(0.1)
    assert predictor.searched == done, "nothing goes on in the background"


def test_few_images_wait_to_be_annotated(here, model, monkeypatch):
    monkeypatch.setattr("emotion.app.predict.predict_files.MOST_WAITING_BYTES", 100_000)
    paths = [save(here / f"{number}.png", noise(100, 100, seed=number)) for number in range(20)]
    files = files_of(paths)
    predictor = Slow(model)
    results = list(
        predict_pieces(cut_pieces(files), predictor, threads=2, targets=plan_targets(files, here / "annotated"))
    )
    assert len(results) == len(list((here / "annotated").iterdir())) == 20
    assert max(predictor.batches) == 4, "of 30,000 bytes each"


def test_progress_comes_by_image_and_before_the_results(here, model):
    path = save(here / "a.png", noise())
    ticks = []
    pieces = cut_pieces(files_of([path] * 40))
    results = predict_pieces(pieces, Predictor(model, detector="whole"), on_prepared=lambda: ticks.append(1))
    seen = [len(ticks) for _ in results]
    assert seen[:5] == [1, 3, 3, 7, 7]
    assert len(ticks) == 40


def test_opencv_gets_its_threads_back(here, model):
    before = cv2.getNumThreads()
    path = save(here / "a.png", noise())
    results = predict_pieces(cut_pieces(files_of([path] * 3)), Predictor(model, detector="whole"), threads=2)
    next(results)
    assert cv2.getNumThreads() == 1
    results.close()
    assert cv2.getNumThreads() == before


def test_no_thread_is_left(here, model):
    path = save(here / "a.png", noise())
    before = threading.active_count()
    list(predict_pieces(cut_pieces(files_of([path] * 9)), Predictor(model, detector="whole"), threads=3))
    assert threading.active_count() == before


@pytest.mark.parametrize("statuses, status", [(["ok"], 0), (["ok", "no face"], 3), (["no face", "unreadable: x"], 1)])
def test_the_exit_status_says_whether_all_some_or_none_worked(statuses, status):
    counts = ResultCounts()
    for text in statuses:
        counts.add(ImageResult(Path("a"), text))
    assert counts.exit_status == status


# As a process


@pytest.fixture
def many(here):
    """A folder of 3,000 names of one image."""
    first = save(here / "many/0000.png", noise(500, 500))
    for number in range(1, 3000):
        os.link(first, here / f"many/{number:04}.png")
    return here / "many"


def start(model, folder):
    command = [EMOTION, "predict", folder, "--csv", "--detector", "whole", "--model", model]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_reader_that_goes_away_ends_it_quietly(model, many):
    process = start(model, many)
    assert process.stdout.readline().startswith(b"path,face")
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == b""


@pytest.mark.skipif(os.name == "nt", reason="signals are another thing there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_it_with_one_line(model, many, number):
    process = start(model, many)
    out = b"".join(process.stdout.readline() for _ in range(5))
    process.send_signal(number)
    out += process.stdout.read()
    assert process.wait(timeout=60) == 130
    assert process.stderr.read() == b"interrupted\n"
    assert out.count(b"\n") < 2900
    assert out.endswith(b"\n"), "whole lines only"


@pytest.mark.skipif(os.name == "nt", reason="terminals are another thing there")
def test_a_quick_run_on_a_terminal_shows_no_progress_bar(here, model):
    import pty

    save(here / "a.png", noise())
    terminal, end = pty.openpty()
    command = [EMOTION, "predict", "a.png", "--detector", "whole", "--model", model]
    with subprocess.Popen(command, stdout=end, stderr=end, stdin=subprocess.DEVNULL):
        os.close(end)
        lines = read_terminal(terminal).decode().splitlines()
    assert [line.split()[0] for line in lines if line] == ["image", "a.png", "1"]


def read_terminal(terminal):
    """Return all bytes that come before its other end is closed."""
    content = b""
    # Linux says that it is closed by an error.
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 4096):
            content += part
    os.close(terminal)
    return content


def test_nothing_heavy_is_loaded(here, model):
    save(here / "a.png", noise())
    program = (
        "import sys; from emotion.app import cli\n"
        "options = ['--detector', 'whole', '--annotate', 'out', '--model', sys.argv[1]]\n"
        "sys.argv = ['emotion', 'predict', 'a.png', *options]\n"
        "cli.main(); print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(model)], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "onnxruntime" in loaded
    heavy = {"tensorflow", "keras", "jax", "pandas", "scipy", "sklearn", "matplotlib", "pydantic", "ruamel", "yaml"}
    assert not loaded & (heavy | {"onnx", "fastapi", "dvc", "requests", "skimage", "rich"}), "rich only for a table"


def test_the_columns_are_the_emotions_of_the_model(here, predict, tmp_path):
    model = write_onnx(tmp_path / "two.onnx", ModelMetadata(("happy", "sad"), 24, "rgb", temperature=2.0))
    save(here / "a.png", noise())
    _, out, _ = predict("a.png", "--detector", "whole", model=model)
    assert out.splitlines()[0].split(",")[9:] == ["happy", "sad"]
