"""The command writes an image and a page that show each face, and leaves what is there."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from emotion.app.timeline.page import HEIGHT
from emotion.app.timeline.picture import BAND_GAP, BAND_HEIGHT, MARGIN, WIDTH, _legend_places
from emotion.app.timeline.texts import clock, ticks
from emotion.presentation.colors import COLORS
from tests.app.timeline.face_tables import HAPPY, SAD, write_table
from tests.app.video.tables import file_names


@pytest.fixture
def table(here):
    """Ten seconds: face 1 is happy for five and away for two, face 2 is seen for one."""
    samples = [(index, index / 10, 1, HAPPY if index < 50 else SAD) for index in range(100) if not 50 <= index < 70]
    samples += [(index, index / 10, 2, SAD) for index in range(10)]
    return write_table(here / "talk.csv", sorted(samples))


class Page(HTMLParser):
    """The parts of a page that tests look at."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.cells, self.texts = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        if data.strip():
            self.texts.append(data.strip())


def test_both_files_are_written_to_the_working_folder(table, here, emotion_timeline):
    (here / "deep").mkdir()
    table.rename(here / "deep/talk.csv")
    assert emotion_timeline("deep/talk.csv") == (0, "written: talk-timeline.png\nwritten: talk-timeline.html\n", "")
    assert file_names(here) == ["deep", "talk-timeline.html", "talk-timeline.png"]


def test_the_page_has_a_band_for_each_face_and_the_figures_as_a_table(table, here, emotion_timeline):
    assert emotion_timeline(table, "-o", "page.html")[0] == 0
    assert file_names(here) == ["page.html", "talk.csv"]
    text = (here / "page.html").read_text(encoding="utf-8")
    page = Page(text)
    labels = [attributes["aria-label"] for tag, attributes in page.tags if tag == "svg"]
    assert labels == [
        "Face 1: 0:00 to 0:10, seen for 0:08. happy 62 %, sad 38 %.",
        "Face 2: 0:00 to 0:01, seen for 0:01. sad 100 %.",
    ]
    assert re.search(r'<tr><th scope="row">1</th><td>0:00</td>.*<td>62 %</td><td>38 %</td><td>0 %</td></tr>', text)
    assert [tag for tag, _ in page.tags].count("h1") == 1
    for name in ("happy", "sad"):
        red, green, blue = bytes.fromhex(COLORS[name][1:])
        assert f"rgb({red} {green} {blue})" in text


def test_the_page_loads_and_runs_nothing(table, here, emotion_timeline):
    emotion_timeline(table, "-o", "page.html")
    text = (here / "page.html").read_text(encoding="utf-8")
    page = Page(text)
    assert {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object"} == set()
    assert not re.search(r"https?:|url\(|@import|\bon\w+=", text)
    assert "default-src 'none'" in text


def test_a_band_is_empty_where_the_face_is_not_there(table, here, emotion_timeline):
    emotion_timeline(table, "-o", "page.html")
    [*_, path] = re.findall(r'<path class="e0" d="([^"]+)"', (here / "page.html").read_text(encoding="utf-8"))[:1]
    first, second = re.findall(r"M(\d+) \d+([^M]+)Z", path)
    assert (first[0], second[0]) == ("0", "140")  # columns of 0.05 s; the face comes back after 7 s
    assert first[1] == f"V{HEIGHT - 800}h100V{HEIGHT}"
    assert second[1].startswith(f"V{HEIGHT - 200}h60")


def test_names_in_the_table_cannot_become_part_of_the_page(here, emotion_timeline):
    path = write_table(here / "<b>&.csv", [(0, 0.0, 1, HAPPY)])
    path.write_text(path.read_text(encoding="utf-8").replace("neutral", "<script>x"), encoding="utf-8")
    assert emotion_timeline(path, "-o", "page.html")[0] == 0
    page = Page((here / "page.html").read_text(encoding="utf-8"))
    assert {"b", "script"} & {tag for tag, _ in page.tags} == set()
    assert "<b>&.csv" in page.texts
    assert "<script>x" in page.texts


def test_the_image_shows_colors_where_the_face_is_and_none_elsewhere(table, here, emotion_timeline):
    assert emotion_timeline(table, "-o", "new/image.png", "--faces", 1)[0] == 0
    pixels = np.asarray(Image.open(here / "new/image.png").convert("RGB"))
    assert pixels.shape[1] == WIDTH
    happy = (pixels == list(bytes.fromhex(COLORS["happy"][1:]))).all(axis=2)
    rows = np.flatnonzero(happy[:, MARGIN + 100])
    assert len(rows) == pytest.approx(0.8 * BAND_HEIGHT, abs=1)
    row = happy[rows[-1]]
    places = (np.flatnonzero(row) - MARGIN) / (WIDTH - 2 * MARGIN)
    assert places[0] == pytest.approx(0, abs=0.002)
    assert not ((places > 0.5) & (places < 0.698)).any()
    assert places[-1] == pytest.approx(1, abs=0.005)


def test_the_image_grows_with_the_faces(table, here, emotion_timeline):
    emotion_timeline(table, "-o", "two.png", "-o", "page.html")
    emotion_timeline(table, "-o", "one.png", "--faces", 1)
    heights = [Image.open(here / name).height for name in ("two.png", "one.png")]
    assert heights[0] - heights[1] == pytest.approx(BAND_HEIGHT + BAND_GAP, abs=40)  # the other one is counted
    assert "1 more face is not drawn" not in (here / "page.html").read_text(encoding="utf-8")


def test_a_legend_of_many_names_takes_more_lines():
    places = _legend_places([f"emotion {number}" for number in range(30)], 100)
    assert {top for _, top in places} == {100, 130, 160, 190, 220}
    assert max(left for left, _ in places) < WIDTH - MARGIN - 100
    assert places == sorted(places, key=lambda place: place[1])


def test_a_table_that_is_cut_off_is_drawn_with_a_warning(table, here, emotion_timeline):
    with table.open("a", encoding="utf-8") as file:
        file.write("100,10.0")
    status, _, err = emotion_timeline(table)
    assert status == 0
    assert re.match(r"warning: .*talk\.csv is cut off", err)
    assert "cut off" in (here / "talk-timeline.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments, problem",
    [
        (["talk.csv", "-o", "there.html"], r"there\.html exists.*--overwrite"),
        (["talk.csv", "-o", "talk.csv"], r"--output: got talk\.csv, expected .*\.png or \.html"),
        (["talk.png", "-o", "talk.png", "--overwrite"], r"talk\.png is the file to read"),
        (["missing.csv"], r"missing\.csv does not exist"),
    ],
)
def test_what_cannot_be_done_changes_nothing(arguments, problem, table, here, emotion_timeline):
    (here / "there.html").write_text("kept", encoding="utf-8")
    (here / "talk.png").write_bytes(table.read_bytes())
    before = file_names(here)
    status, out, _ = emotion_timeline(*arguments)
    assert out == ""
    assert re.match(f"error: (--output: )?{problem}", status)
    assert file_names(here) == before
    assert (here / "there.html").read_text(encoding="utf-8") == "kept"


def test_what_is_there_is_replaced_when_asked(table, here, emotion_timeline):
    (here / "talk-timeline.html").write_text("old", encoding="utf-8")
    assert emotion_timeline(table, "--overwrite")[0] == 0
    assert "<h1>" in (here / "talk-timeline.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "seconds, step, text",
    [(7, 1, "0:07"), (7.46, 0.1, "0:07.5"), (59.99, 1, "1:00"), (750, 1, "12:30"), (3725, 1, "1:02:05")],
)
def test_times_read_as_on_a_clock(seconds, step, text):
    assert clock(seconds, step=step) == text


@pytest.mark.parametrize("seconds", [0.04, 0.4, 6, 59, 754, 5000, 90_000, 1e6])
def test_the_axis_has_a_few_labels_that_differ(seconds):
    places, labels = zip(*ticks(seconds), strict=True)
    assert places[0] == 0
    assert places[-1] <= 1
    assert len(set(labels)) == len(labels)
    assert len(labels) <= 7
    assert len(labels) >= 3 or seconds < 0.2


@pytest.mark.medium
def test_it_runs_in_the_small_installation(table, here):
    code = (
        "import sys\nfrom emotion.app import cli\nsys.argv = ['emotion', 'timeline', 'talk.csv']\ncli.main()\n"
        "heavy = {'tensorflow', 'keras', 'pandas', 'scipy', 'sklearn', 'matplotlib', 'pygame', 'dvc', 'skimage'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
