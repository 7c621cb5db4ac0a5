"""Numbers stay with their faces, and what is smoothed does not depend on the frame rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.inference.box_tracking import (
    DUPLICATE_DISTANCE,
    KEEP_NUMBER,
    MAX_DISTANCE,
    MAX_MISSED,
    BoxTracker,
    box_distance,
    match_boxes,
    smoothing_weight,
)
from emotion.inference.defaults import HALF_LIFE
from tests.inference.textures import BOX

coordinates, sides, tilts = st.floats(-500, 500), st.floats(10, 300), st.floats(-1, 1)
boxes = st.tuples(coordinates, coordinates, sides, sides, tilts).map(np.array)


class TestMatchBoxes:
    @given(boxes, boxes)
    def test_distance_is_symmetric_and_zero_to_itself(self, one, other):
        assert box_distance(one, one) == 0
        assert box_distance(one, other) == pytest.approx(box_distance(other, one))
        assert box_distance(one, other) >= 0

    def test_distance_counts_sides_and_doublings(self):
        assert box_distance(BOX, BOX + [30, 0, 0, 0, 0]) == pytest.approx(0.5)
        assert box_distance(BOX, np.array([90.0, 50.0, 120.0, 120.0, 0.0])) == pytest.approx(1)

    def test_faces_side_by_side_are_two(self):
        assert match_boxes([BOX], [BOX + [60, 0, 0, 0, 0]]) == []

    def test_each_face_is_matched_once_the_closest_first(self):
        expected = [BOX, BOX + [20, 0, 0, 0, 0]]
        detected = [BOX + [18, 0, 0, 0, 0], BOX + [30, 0, 0, 0, 0], BOX + [500, 0, 0, 0, 0]]
        assert match_boxes(expected, detected) == [(1, 0), (0, 1)]

    @given(st.lists(boxes, max_size=6), st.lists(boxes, max_size=6))
    def test_pairs_are_close_and_no_box_is_in_two(self, expected, detected):
        pairs = match_boxes(expected, detected)
        firsts, seconds = [one for one, _ in pairs], [other for _, other in pairs]
        assert len(set(firsts)) == len(firsts)
        assert len(set(seconds)) == len(seconds)
        assert all(box_distance(expected[one], detected[other]) < MAX_DISTANCE for one, other in pairs)


class TestSmoothing:
    def test_a_value_weighs_a_half_after_the_half_life(self):
        assert smoothing_weight(0.25, 0.25) == 0.5
        assert smoothing_weight(0.5, 0.25) == 0.75

    def test_nothing_is_smoothed_without_a_half_life(self):
        assert smoothing_weight(0.0, 0) == smoothing_weight(5.0, 0) == 1

    def test_time_that_goes_back_has_no_weight(self):
        assert smoothing_weight(-1.0, 0.25) == 0

    @pytest.mark.parametrize("rate", [5, 24, 30, 60, 240])
    def test_the_frame_rate_does_not_matter(self, rate):
        tracker = BoxTracker(HALF_LIFE)
        tracker.update_boxes([BOX], 0.0)
        tracker.update_scores(tracker.visible, np.array([[1.0, 0.0]]), 0.0)
        for frame in range(1, rate + 1):
            tracker.update_scores(tracker.visible, np.array([[0.0, 1.0]]), frame / rate)
        share = 0.5 ** (1 / HALF_LIFE)
        [track] = tracker.visible
        assert track.probabilities is not None
        np.testing.assert_allclose(track.probabilities, [share, 1 - share])

    @pytest.mark.parametrize("searches", [4, 8])
    def test_a_box_steps_half_way_in_the_half_life(self, searches):
        tracker = BoxTracker(0.2)
        tracker.update_boxes([BOX], 0.0)
        for search in range(1, searches + 1):
            tracker.update_boxes([BOX + [10, 0, 0, 0, 0]], 0.2 * search / searches)
        np.testing.assert_allclose(tracker.visible[0].box, BOX + [5, 0, 0, 0, 0])

    def test_the_first_probabilities_stay_as_they_are(self):
        tracker = BoxTracker(HALF_LIFE)
        tracker.update_boxes([BOX], 7.0)
        probabilities = np.array([[0.1, 0.2, 0.7]])
        tracker.update_scores(tracker.visible, probabilities, 7.0)
        np.testing.assert_array_equal(tracker.visible[0].probabilities, probabilities[0])


def numbers(tracker):
    return [track.number for track in tracker.visible]


def update_at(tracker, times, *boxes):
    """Update a tracker with the same boxes at several times."""
    for time in times:
        tracker.update_boxes(list(boxes), time)


class TestBoxTracker:
    other = BOX + [100, 0, 0, 0, 0]

    def test_numbers_stay_whatever_the_order_of_the_detections(self):
        tracker = BoxTracker()
        tracker.update_boxes([BOX, self.other], 0.0)
        tracker.update_boxes([self.other + [5, 0, 0, 0, 0], BOX - [5, 0, 0, 0, 0]], 0.1)
        assert numbers(tracker) == [1, 2]
        assert tracker.visible[0].box[0] < BOX[0] < tracker.visible[1].box[0]

    def test_a_later_face_counts_once_two_searches_found_it(self):
        tracker = BoxTracker()
        update_at(tracker, [0.0, 0.1], BOX)
        tracker.update_boxes([BOX, self.other], 0.2)
        assert numbers(tracker) == [1]
        assert tracker.has_tentative
        tracker.update_boxes([BOX, self.other], 0.3)
        assert numbers(tracker) == [1, 2]
        assert not tracker.has_tentative

    def test_what_one_search_finds_and_the_next_does_not_gets_no_number(self):
        tracker = BoxTracker()
        update_at(tracker, [0.0, 0.1], BOX)
        tracker.update_boxes([BOX, self.other], 0.2)
        tracker.update_boxes([BOX], 0.3)
        assert len(tracker.tracks) == 1
        update_at(tracker, [0.4, 0.5], BOX, self.other)
        assert numbers(tracker) == [1, 2]

    def test_a_face_that_searches_miss_stays_for_a_while(self):
        tracker = BoxTracker()
        update_at(tracker, [0.0, 0.3, 0.6], BOX)
        tracker.update_boxes([], 0.6 + MAX_MISSED)
        assert numbers(tracker) == [1]
        tracker.update_boxes([], 0.61 + MAX_MISSED)
        assert numbers(tracker) == []

    def test_a_face_stays_no_longer_than_it_was_there(self):
        tracker = BoxTracker()
        update_at(tracker, [0.0, 0.1], BOX)
        tracker.update_boxes([], 0.2)
        assert numbers(tracker) == [1]
        tracker.update_boxes([], 0.3)
        assert numbers(tracker) == []

    @pytest.mark.parametrize("gap, number", [(KEEP_NUMBER - 0.1, 1), (KEEP_NUMBER + 0.1, 2)])
    def test_a_face_that_comes_back_in_time_has_its_number(self, gap, number):
        tracker = BoxTracker()
        tracker.update_boxes([BOX], 0.0)
        tracker.update_boxes([], gap / 2)
        assert numbers(tracker) == []
        tracker.update_boxes([], gap)
        update_at(tracker, [gap + 0.01, gap + 0.02], BOX + [10, 0, 0, 0, 0])
        assert numbers(tracker) == [number]

    def test_a_face_that_comes_back_is_where_it_was_found(self):
        tracker = BoxTracker()
        tracker.update_boxes([BOX], 0.0)
        tracker.update_boxes([], 0.1)
        tracker.update_boxes([BOX + [30, 0, 0, 0, 0]], 0.2)
        np.testing.assert_array_equal(tracker.visible[0].box, BOX + [30, 0, 0, 0, 0])

    def test_a_face_that_is_gone_does_not_take_the_box_of_one_that_is_there(self):
        tracker = BoxTracker()
        tracker.update_boxes([BOX, self.other], 0.0)
        tracker.update_boxes([self.other], 0.1)
        near = BOX + [60, 0, 0, 0, 0]  # halfway between the two
        tracker.tracks[0].box = near
        tracker.update_boxes([near + [5, 0, 0, 0, 0]], 0.15)
        assert numbers(tracker) == [2]

    def test_of_two_boxes_on_one_face_the_missed_one_is_hidden_and_forgotten(self):
        tracker = BoxTracker()
        update_at(tracker, [0.0, 0.2, 0.4], BOX, self.other)
        tracker.tracks[1].box = BOX + [60 * DUPLICATE_DISTANCE - 1, 0, 0, 0, 0]
        tracker.update_boxes([BOX], 0.5)
        assert numbers(tracker) == [1]
        tracker.update_boxes([BOX], 0.5 + KEEP_NUMBER)
        assert len(tracker.tracks) == 1

    @pytest.mark.parametrize("back_at", [80, 150, 220], ids=["turned back", "stopped", "walked on"])
    def test_a_face_that_another_one_hid_keeps_its_number(self, back_at):
        tracker, front = BoxTracker(half_life=0.001), BOX + [120, 0, 0, 0, 0]
        for frame in range(7):  # it walks up to the left border of the one in front
            tracker.update_boxes([front, BOX + [15 * frame, 0, 0, 0, 0]], 0.1 * frame)
        for frame in range(7, 14):
            tracker.tracks[1].box = front  # the motion of the face in front carries the box along
            tracker.update_boxes([front], 0.1 * frame)
        assert numbers(tracker) == [1]
        back = BOX + [back_at, 0, 0, 0, 0]
        tracker.update_boxes([front, back], 1.4)
        assert numbers(tracker) == [1, 2]
        np.testing.assert_array_equal(tracker.visible[1].box, back)

    def test_a_hidden_face_does_not_take_the_box_of_the_one_in_front(self):
        tracker = BoxTracker()
        for frame in range(4):
            tracker.update_boxes([self.other, BOX + [20 * frame, 0, 0, 0, 0]], 0.1 * frame)
        tracker.update_boxes([self.other], 0.4)
        moved = self.other - [10, 0, 0, 0, 0]  # the hidden face would be there by now
        tracker.update_boxes([moved], 0.5)
        assert [track.number for track in tracker.tracks if track.detected] == [1]

    def test_a_face_far_from_its_way_gets_a_new_number(self):
        tracker = BoxTracker()
        for frame in range(5):
            tracker.update_boxes([BOX + [15 * frame, 0, 0, 0, 0]], 0.1 * frame)
        update_at(tracker, [0.9, 1.0], BOX - [100, 0, 0, 0, 0])
        assert numbers(tracker) == [2]

    def test_old_tracks_take_no_memory(self):
        tracker = BoxTracker()
        for frame in range(1000):
            tracker.update_boxes([BOX + [100 * frame, 0, 0, 0, 0]] if frame % 2 else [], frame / 10)
            assert len(tracker.tracks) <= 1 + KEEP_NUMBER * 10

    def test_without_smoothing_faces_come_and_go_with_each_search(self):
        tracker = BoxTracker(half_life=0)
        update_at(tracker, [0.0, 0.1], BOX)
        tracker.update_boxes([self.other], 0.2)
        assert numbers(tracker) == [2]
        tracker.update_boxes([], 0.3)
        assert numbers(tracker) == []

    def test_a_tilt_is_smoothed_as_boxes_are(self):
        tracker = BoxTracker(0.2)
        tracker.update_boxes([BOX], 0.0)
        tracker.update_boxes([BOX + [0, 0, 0, 0, 0.4]], 0.2)
        assert tracker.visible[0].detection.tilt == pytest.approx(0.2)

    def test_a_box_is_in_whole_pixels_and_a_tilt_is_not(self):
        tracker = BoxTracker()
        tracker.update_boxes([BOX + [0.4, 0.6, 0, 0, 0.25]], 0.0)
        assert tracker.visible[0].detection == ((120, 81, 60, 60), 0.25)
