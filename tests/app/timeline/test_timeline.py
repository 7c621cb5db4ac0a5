"""Means and shares weigh time, and where a face is not there, nothing is made up."""

import tracemalloc

import numpy as np
import pytest

from emotion.app.timeline.table import FaceRows
from emotion.app.timeline.timeline import MOST_COLUMNS, read_timeline
from emotion.core.errors import InputError
from tests.app.timeline.face_tables import HAPPY, HEADER, SAD, write_table


def timeline_of(folder, samples, most_faces=8):
    return read_timeline(FaceRows(write_table(folder / "a.csv", samples)), most_faces)


def present(face):
    return ~np.isnan(face.columns).any(axis=1)


def test_columns_are_means_and_gaps_stay_empty(here):
    # A hundred seconds at 10 frames per second; the face is away from 20 to 60, and sad from 60 on.
    samples = [(index, index / 10, 1, HAPPY if index < 200 else SAD) for index in range(1000) if not 200 <= index < 600]
    timeline = timeline_of(here, samples)
    [face] = timeline.faces
    assert (timeline.seconds, timeline.column_seconds, timeline.rows) == (pytest.approx(100), 0.5, 600)
    np.testing.assert_array_equal(np.flatnonzero(~present(face)), [*range(40, 120), *range(200, len(face.columns))])
    np.testing.assert_allclose(face.columns[:40], np.tile(HAPPY, (40, 1)))
    np.testing.assert_allclose(face.columns[120:200], np.tile(SAD, (80, 1)))
    np.testing.assert_allclose(face.shares, [1 / 3, 2 / 3, 0])
    assert (face.first, face.last, face.seconds) == pytest.approx((0, 100, 60))


def test_a_frame_that_lasts_longer_counts_more(here):
    # Frames of a camera in the dark: happy for 0.1 s, sad for 0.3 s, and so on.
    times = [time for start in range(0, 40, 4) for time in (start / 10, start / 10 + 0.1)]
    samples = [(index, time, 1, SAD if index % 2 else HAPPY) for index, time in enumerate(times)]
    [face] = timeline_of(here, samples).faces
    np.testing.assert_allclose(face.shares, [0.25, 0.75, 0], atol=0.02)
    assert face.seconds == pytest.approx(4, abs=0.2)


def test_a_pause_is_a_gap_though_its_frames_follow_each_other(here):
    times = [*np.arange(0, 5, 0.1), *np.arange(65, 70, 0.1)]
    [face] = timeline_of(here, [(index, time, 1, HAPPY) for index, time in enumerate(times)]).faces
    assert face.seconds == pytest.approx(10, abs=1.5)
    assert present(face).sum() < len(face.columns) / 5


def test_a_slow_camera_has_no_gaps(here):
    [face] = timeline_of(here, [(index, 3.0 * index, 1, HAPPY) for index in range(100)]).faces
    assert present(face)[:-1].all()
    assert face.seconds == pytest.approx(300)


def test_a_column_takes_its_part_of_a_frame_that_crosses_its_edge(here):
    samples = [(0, 0.0, 1, HAPPY), (1, 0.015, 1, SAD), (2, 0.045, 1, SAD)]
    timeline = timeline_of(here, samples)
    assert timeline.column_seconds == 0.02
    expected = 0.75 * np.array(HAPPY) + 0.25 * np.array(SAD)
    np.testing.assert_allclose(timeline.faces[0].columns[0], expected)


@pytest.mark.parametrize("seconds", [0.3, 9, 100, 3600, 20_000, 900_000])
def test_columns_are_not_too_many(seconds, here):
    timeline = timeline_of(here, [(0, 0.0, 1, HAPPY), (1000, seconds, 1, SAD)])
    assert len(timeline.faces[0].columns) <= MOST_COLUMNS + 1


def test_one_row_and_rows_without_time_are_drawn(here):
    assert timeline_of(here, [(0, 0.0, 1, HAPPY)]).faces[0].seconds == pytest.approx(0.04)
    assert timeline_of(here, [(index, 5.0, 1, HAPPY) for index in range(3)]).faces[0].shares[0] == 1


def test_the_faces_with_most_frames_are_drawn_and_the_others_counted(here):
    counts = {1: 2, 2: 9, 3: 5, 4: 1}
    samples = [
        (frame, frame / 25, face, HAPPY) for frame in range(9) for face, count in counts.items() if frame < count
    ]
    timeline = timeline_of(here, samples, most_faces=2)
    assert [face.number for face in timeline.faces] == [2, 3]
    assert timeline.other_faces == 2


def test_a_table_without_a_face_is_refused(here):
    (here / "a.csv").write_text(HEADER + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.csv has no face.*expected"):
        read_timeline(FaceRows(here / "a.csv"), 8)


@pytest.mark.medium
def test_the_memory_does_not_grow_with_the_length(here):
    peaks = []
    for rows in (1_000, 5_000):
        path = write_table(here / "a.csv", ((index, index / 25, 1, HAPPY) for index in range(rows)))
        tracemalloc.start()
        read_timeline(FaceRows(path), 8)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] + 100_000


def test_rows_that_come_while_it_is_read_wait_for_the_next_time(here, monkeypatch):
    path = write_table(here / "a.csv", [(0, 0.0, 1, HAPPY)])
    rows = FaceRows(path)
    readings = []

    def grow(self):
        readings.append(1)
        if len(readings) == 2:
            write_table(path, [(0, 0.0, 1, HAPPY), (90_000, 3600.0, 1, SAD)])
        return read(self)

    read = FaceRows.__iter__
    monkeypatch.setattr(FaceRows, "__iter__", grow)
    timeline = read_timeline(rows, 8)
    assert len(readings) == 2
    assert timeline.faces[0].shares.tolist() == [1, 0, 0]
