"""Faces from frame to frame: boxes go with the motion, numbers stay, and what is smoothed does not mind the rate."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.faces.detection import Box, Detection
from emotion.inference.motion import LONGEST_SIDE, View, propagate
from emotion.inference.predictor import Face
from emotion.inference.tracking import (
    BRIDGE,
    DOUBLE,
    FARTHEST,
    HALF_LIFE,
    KEEP,
    SEARCH_EVERY,
    FaceTracker,
    Tracker,
    distance,
    match,
    new_share,
)

SIZE = 240, 320
BOX = np.array([120.0, 80.0, 60.0, 60.0])
EYES = np.array([135.0, 100.0, 165.0, 102.0])


def texture(size=SIZE, seed=0, grain=9):
    """Return an image that motion shows in, uint8 (height, width, 3)."""
    noise = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), grain / 3).astype(float)
    return (255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)


def moved(image, shift=(0.0, 0.0), growth=1.0, center=(150.0, 110.0)):
    """Return `image` after it grew about `center` and was shifted by (x, y)."""
    (x, y), (across, down) = center, shift
    matrix = np.array([[growth, 0, x - growth * x + across], [0, growth, y - growth * y + down]])
    return cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


def carry_one(before, now, place=BOX):
    return propagate(View.of(before), View.of(now), [place])[0]


class TestMotion:
    def test_the_same_frame_leaves_a_face_exactly_where_it_was(self):
        np.testing.assert_allclose(
            carry_one(texture(), texture(), np.append(BOX, EYES)), np.append(BOX, EYES), atol=1e-9
        )

    @pytest.mark.parametrize("shift", [(1, 0), (7, -4), (-15, 20), (0.5, 0.25)])
    def test_a_face_goes_with_a_shift(self, shift):
        image = texture()
        expected = BOX + [*shift, 0, 0]
        np.testing.assert_allclose(carry_one(image, moved(image, shift)), expected, atol=0.3)

    @pytest.mark.parametrize("growth", [0.9, 1.05, 1.15])
    def test_a_face_grows_about_its_middle(self, growth):
        image = texture()
        side = 60 * growth
        expected = [150 - side / 2, 110 - side / 2, side, side]
        np.testing.assert_allclose(carry_one(image, moved(image, growth=growth)), expected, atol=1.0)

    def test_eyes_go_with_the_box(self):
        image = texture()
        carried = carry_one(image, moved(image, (6, 3), 1.1), np.append(BOX, EYES))
        eyes = (EYES.reshape(2, 2) - [150, 110]) * 1.1 + [156, 113]
        np.testing.assert_allclose(carried[4:], eyes.ravel(), atol=1.0)

    def test_gray_frames_move_as_well(self):
        image = texture()[:, :, :1]
        shifted = moved(image, (5, 5))[:, :, None]
        np.testing.assert_allclose(carry_one(image, shifted), BOX + [5, 5, 0, 0], atol=0.3)

    def test_large_frames_are_measured_in_small(self):
        image = texture((1200, 1920), grain=27)
        assert max(View.of(image).gray.shape) == LONGEST_SIDE
        place = np.array([900.0, 500.0, 200.0, 200.0])
        np.testing.assert_allclose(carry_one(image, moved(image, (30, -16)), place), place + [30, -16, 0, 0], atol=1.0)

    def test_each_of_many_faces_goes_its_own_way(self):
        left, right = texture(seed=1), texture(seed=2)
        before = np.hstack([left, right])
        now = np.hstack([moved(left, (6, 0)), moved(right, (0, -9))])
        places = [BOX, BOX + [320, 0, 0, 0], BOX + [330, 20, -10, -10]]
        carried = propagate(View.of(before), View.of(now), places)
        shifts = [[6, 0, 0, 0], [0, -9, 0, 0], [0, -9, 0, 0]]
        np.testing.assert_allclose(np.array(carried), np.array(places) + shifts, atol=0.5)

    @pytest.mark.parametrize(
        "now",
        [texture(seed=5), np.full((*SIZE, 3), 90, np.uint8), texture((200, 320))],
        ids=["another scene", "nothing to see", "another size"],
    )
    def test_a_face_that_cannot_be_followed_is_lost(self, now):
        assert carry_one(texture(), now) is None

    def test_a_face_that_leaves_the_image_is_lost(self):
        image = texture()
        place = np.array([-20.0, 80.0, 60.0, 60.0])
        assert carry_one(image, moved(image, (5, 0)), place) is not None
        assert carry_one(image, moved(image, (-15, 0)), place) is None

    def test_a_whole_image_stays_whole(self):
        image = texture()
        whole = np.array([0.0, 0.0, 320.0, 240.0])
        np.testing.assert_array_equal(carry_one(image, moved(image, (9, 9)), whole), whole)

    def test_no_faces_need_no_motion(self):
        assert propagate(View.of(texture()), View.of(texture()), []) == []


boxes = st.tuples(st.floats(-500, 500), st.floats(-500, 500), st.floats(10, 300), st.floats(10, 300)).map(np.array)


class TestMatch:
    @given(boxes, boxes)
    def test_distance_is_the_same_both_ways_and_none_to_itself(self, one, other):
        assert distance(one, one) == 0
        assert distance(one, other) == pytest.approx(distance(other, one))
        assert distance(one, other) >= 0

    def test_distance_counts_sides_away_and_doublings(self):
        assert distance(BOX, BOX + [30, 0, 0, 0]) == pytest.approx(0.5)
        assert distance(BOX, np.array([90.0, 50.0, 120.0, 120.0])) == pytest.approx(1)

    def test_faces_side_by_side_are_two(self):
        assert match([BOX], [BOX + [60, 0, 0, 0]]) == []

    def test_each_face_is_matched_once_the_closest_first(self):
        expected = [BOX, BOX + [20, 0, 0, 0]]
        found = [BOX + [18, 0, 0, 0], BOX + [30, 0, 0, 0], BOX + [500, 0, 0, 0]]
        assert match(expected, found) == [(1, 0), (0, 1)]

    @given(st.lists(boxes, max_size=6), st.lists(boxes, max_size=6))
    def test_pairs_are_close_and_nothing_is_in_two(self, expected, found):
        pairs = match(expected, found)
        firsts, seconds = [one for one, _ in pairs], [other for _, other in pairs]
        assert len(set(firsts)) == len(firsts)
        assert len(set(seconds)) == len(seconds)
        assert all(distance(expected[one], found[other]) < FARTHEST for one, other in pairs)


class TestSmoothing:
    def test_half_shows_after_the_half_life(self):
        assert new_share(0.25, 0.25) == 0.5
        assert new_share(0.5, 0.25) == 0.75

    def test_nothing_is_smoothed_without_a_half_life(self):
        assert new_share(0.0, 0) == new_share(5.0, 0) == 1

    def test_time_that_goes_back_changes_nothing(self):
        assert new_share(-1.0, 0.25) == 0

    @pytest.mark.parametrize("rate", [5, 24, 30, 60, 240])
    def test_the_frame_rate_does_not_matter(self, rate):
        tracker = Tracker(HALF_LIFE)
        tracker.observe([BOX], 0.0)
        tracker.update_scores(tracker.visible, np.array([[1.0, 0.0]]), 0.0)
        for frame in range(1, rate + 1):
            tracker.update_scores(tracker.visible, np.array([[0.0, 1.0]]), frame / rate)
        share = 0.5 ** (1 / HALF_LIFE)
        [track] = tracker.visible
        assert track.probabilities is not None
        np.testing.assert_allclose(track.probabilities, [share, 1 - share])

    @pytest.mark.parametrize("searches", [4, 8])
    def test_a_box_steps_half_way_in_the_half_life(self, searches):
        tracker = Tracker(0.2)
        tracker.observe([BOX], 0.0)
        for search in range(1, searches + 1):
            tracker.observe([BOX + [10, 0, 0, 0]], 0.2 * search / searches)
        np.testing.assert_allclose(tracker.visible[0].place, BOX + [5, 0, 0, 0])

    def test_the_first_answer_stands_as_it_is(self):
        tracker = Tracker(HALF_LIFE)
        tracker.observe([BOX], 7.0)
        said = np.array([[0.1, 0.2, 0.7]])
        tracker.update_scores(tracker.visible, said, 7.0)
        np.testing.assert_array_equal(tracker.visible[0].probabilities, said[0])


def numbers(tracker):
    return [track.number for track in tracker.visible]


def seen(tracker, times, *places):
    for time in times:
        tracker.observe(list(places), time)


class TestTracker:
    other = BOX + [100, 0, 0, 0]

    def test_numbers_stay_whatever_the_order_of_the_search(self):
        tracker = Tracker()
        tracker.observe([BOX, self.other], 0.0)
        tracker.observe([self.other + [5, 0, 0, 0], BOX - [5, 0, 0, 0]], 0.1)
        assert numbers(tracker) == [1, 2]
        assert tracker.visible[0].place[0] < BOX[0] < tracker.visible[1].place[0]

    def test_a_later_face_counts_once_two_searches_found_it(self):
        tracker = Tracker()
        seen(tracker, [0.0, 0.1], BOX)
        tracker.observe([BOX, self.other], 0.2)
        assert numbers(tracker) == [1]
        assert tracker.has_tentative
        tracker.observe([BOX, self.other], 0.3)
        assert numbers(tracker) == [1, 2]
        assert not tracker.has_tentative

    def test_what_one_search_finds_and_the_next_does_not_gets_no_number(self):
        tracker = Tracker()
        seen(tracker, [0.0, 0.1], BOX)
        tracker.observe([BOX, self.other], 0.2)
        tracker.observe([BOX], 0.3)
        assert len(tracker.tracks) == 1
        seen(tracker, [0.4, 0.5], BOX, self.other)
        assert numbers(tracker) == [1, 2]

    def test_a_face_that_flickers_is_carried_on(self):
        tracker = Tracker()
        seen(tracker, [0.0, 0.3, 0.6], BOX)
        tracker.observe([], 0.6 + BRIDGE)
        assert numbers(tracker) == [1]
        tracker.observe([], 0.61 + BRIDGE)
        assert numbers(tracker) == []

    def test_a_face_is_not_carried_on_for_longer_than_it_was_there(self):
        tracker = Tracker()
        seen(tracker, [0.0, 0.1], BOX)
        tracker.observe([], 0.2)
        assert numbers(tracker) == [1]
        tracker.observe([], 0.3)
        assert numbers(tracker) == []

    @pytest.mark.parametrize("gap, number", [(KEEP - 0.1, 1), (KEEP + 0.1, 2)])
    def test_a_face_that_comes_back_in_time_has_its_number(self, gap, number):
        tracker = Tracker()
        tracker.observe([BOX], 0.0)
        tracker.observe([], gap / 2)
        assert numbers(tracker) == []
        tracker.observe([], gap)
        seen(tracker, [gap + 0.01, gap + 0.02], BOX + [10, 0, 0, 0])
        assert numbers(tracker) == [number]

    def test_a_face_that_comes_back_is_where_it_was_found(self):
        tracker = Tracker()
        tracker.observe([BOX], 0.0)
        tracker.observe([], 0.1)
        tracker.observe([BOX + [30, 0, 0, 0]], 0.2)
        np.testing.assert_array_equal(tracker.visible[0].place, BOX + [30, 0, 0, 0])

    def test_a_face_that_is_gone_does_not_take_the_place_of_one_that_is_there(self):
        tracker = Tracker()
        tracker.observe([BOX, self.other], 0.0)
        tracker.observe([self.other], 0.1)
        near = BOX + [60, 0, 0, 0]  # halfway: the first was carried there once
        tracker.tracks[0].place = near
        tracker.observe([near + [5, 0, 0, 0]], 0.15)
        assert numbers(tracker) == [2]

    def test_of_two_boxes_on_one_face_the_unseen_goes(self):
        tracker = Tracker()
        seen(tracker, [0.0, 0.2, 0.4], BOX, self.other)
        tracker.tracks[1].place = BOX + [60 * DOUBLE - 1, 0, 0, 0]
        tracker.observe([BOX], 0.5)
        assert numbers(tracker) == [1]
        assert len(tracker.tracks) == 1

    def test_what_is_forgotten_takes_no_memory(self):
        tracker = Tracker()
        for frame in range(1000):
            tracker.observe([BOX + [100 * frame, 0, 0, 0]] if frame % 2 else [], frame / 10)
            assert len(tracker.tracks) <= 1 + KEEP * 10

    def test_without_smoothing_faces_come_and_go_with_each_search(self):
        tracker = Tracker(half_life=0)
        seen(tracker, [0.0, 0.1], BOX)
        tracker.observe([self.other], 0.2)
        assert numbers(tracker) == [2]
        tracker.observe([], 0.3)
        assert numbers(tracker) == []

    def test_eyes_may_come_and_go(self):
        tracker = Tracker()
        tracker.observe([np.append(BOX, EYES)], 0.0)
        assert tracker.visible[0].found.eyes == ((135.0, 100.0), (165.0, 102.0))
        tracker.observe([BOX], 0.1)
        assert tracker.visible[0].found.eyes is None


FOUND = Detection(Box(120, 80, 60, 60))


class FakePredictor:
    """Finds a face where it is told, and says what it is told; counts what it is asked."""

    def __init__(self, found=(FOUND,), said=(0.25, 0.75)):
        self.found, self.said = list(found), list(said)
        self.searched, self.read = 0, 0
        self.cropped: list[Detection] = []

    def detect(self, image):
        self.searched += 1
        return list(self.found)

    def crop(self, image, found):
        self.cropped.append(found)
        return np.zeros((8, 8, 1), np.uint8)

    def probabilities(self, crops):
        self.read += len(crops)
        return np.array([self.said] * len(crops))

    def make_faces(self, found, probabilities):
        pairs = zip(found, probabilities, strict=True)
        return [Face(face.box, row, ("no", "yes")[int(row.argmax())], float(row.max())) for face, row in pairs]


def follow(predictor, rate=30, frames=31, image=None, **options):
    tracker = FaceTracker(predictor, **options)
    image = texture() if image is None else image
    return [tracker.update(image, number / rate) for number in range(frames)]


class TestFollower:
    @pytest.mark.parametrize("rate, every", [(30, 5), (10, 2), (60, 9), (240, 36), (2, 1)])
    def test_searches_go_by_time(self, rate, every):
        predictor = FakePredictor()
        tracked_faces = follow(predictor, rate, 3 * every)
        assert [seen[0].detected for seen in tracked_faces] == [frame % every == 0 for frame in range(3 * every)]
        assert predictor.searched == 3

    def test_there_can_be_a_search_in_every_frame(self):
        assert all(seen[0].detected for seen in follow(FakePredictor(), search_every=0))

    @pytest.mark.parametrize("every", [1, 2, 10])
    def test_the_model_reads_every_nth_frame(self, every):
        predictor = FakePredictor()
        tracked_faces = follow(predictor, frames=20, read_every=every)
        assert predictor.read == 20 / every
        assert all(seen[0].face.confidence == 0.75 for seen in tracked_faces)

    def test_a_new_face_is_read_at_once(self):
        predictor = FakePredictor()
        tracker = FaceTracker(predictor, read_every=100, search_every=0)
        tracker.update(texture(), 0.0)
        predictor.found.append(Detection(Box(20, 20, 50, 50)))
        tracker.update(texture(), 0.1)
        assert [seen.number for seen in tracker.update(texture(), 0.2)] == [1, 2]
        assert predictor.read == 2

    def test_the_first_frame_is_read_as_a_image(self):
        eyes = ((135.25, 100.5), (165.0, 102.0))
        predictor = FakePredictor([Detection(Box(121, 80, 61, 63), eyes)])
        [tracked] = FaceTracker(predictor).update(texture(), 0.0)
        assert tracked.face.box == (121, 80, 61, 63)
        assert tracked.face.probabilities.tolist() == [0.25, 0.75]
        assert (tracked.number, tracked.detected) == (1, True)

    def test_what_is_carried_on_is_cropped_with_its_eyes(self):
        eyes = ((135.0, 100.0), (165.0, 102.0))
        predictor = FakePredictor([Detection(Box(120, 80, 60, 60), eyes)])
        tracker = FaceTracker(predictor)
        tracker.update(texture(), 0.0)
        tracker.update(moved(texture(), (8, 0)), 0.03)
        assert predictor.cropped[1].box == (128, 80, 60, 60)
        np.testing.assert_allclose(np.array(predictor.cropped[1].eyes), np.array(eyes) + [8, 0], atol=0.3)

    def test_boxes_go_with_the_face_between_searches(self):
        image, predictor = texture(), FakePredictor()
        tracker = FaceTracker(predictor, search_every=10)
        places = [tracker.update(moved(image, (3 * frame, frame)), frame / 30)[0].face.box for frame in range(12)]
        assert predictor.searched == 1
        np.testing.assert_allclose(places, [[120 + 3 * frame, 80 + frame, 60, 60] for frame in range(12)], atol=1)

    def test_a_smoothed_box_does_not_lag_behind_a_face_that_moves(self):
        image, predictor = texture(), FakePredictor()
        tracker = FaceTracker(predictor, search_every=0)
        for frame in range(20):
            predictor.found = [Detection(Box(60 + 5 * frame, 80, 60, 60))]
            [tracked] = tracker.update(moved(image, (5 * frame, 0)), frame / 30)
            assert abs(tracked.face.box.x - (60 + 5 * frame)) <= 1

    def test_a_cut_brings_a_search_in_the_same_frame(self):
        predictor = FakePredictor()
        tracker = FaceTracker(predictor, search_every=10)
        tracker.update(texture(), 0.0)
        predictor.found = []
        assert tracker.update(texture(seed=3), 0.03) == []
        assert predictor.searched == 2
        assert tracker.update(texture(seed=4), 0.06) == []
        assert predictor.searched == 2

    def test_what_may_be_a_face_does_not_wait_for_a_rare_search(self):
        predictor = FakePredictor()
        tracker = FaceTracker(predictor, search_every=100)
        tracker.update(texture(), 0.0)
        predictor.found.append(Detection(Box(20, 20, 50, 50)))
        tracker.update(texture(), 100.0)
        assert len(tracker.update(texture(), 100 + SEARCH_EVERY)) == 2

    def test_an_earlier_search_is_carried_to_this_frame(self):
        image = texture()
        tracker = FaceTracker(FakePredictor())
        then = tracker.propagate(image)
        now = moved(image, (12, -6))
        tracker.propagate(moved(image, (6, -3)))
        tracker.propagate(now)
        tracker.set_detections([FOUND], 0.0, view=then)
        [tracked] = tracker.read(now, 0.1)
        np.testing.assert_allclose(tracked.face.box, [132, 74, 60, 60], atol=1)

    def test_frames_may_change_their_size(self):
        tracker = FaceTracker(FakePredictor())
        assert tracker.update(texture(), 0.0)
        assert tracker.update(texture((480, 640)), 0.03)[0].detected

    def test_frames_without_faces_are_read_as_such(self):
        predictor = FakePredictor([])
        assert follow(predictor) == [[]] * 31
        assert predictor.read == 0

    def test_emotions_are_smoothed_before_they_are_named(self):
        predictor = FakePredictor(said=(0.1, 0.9))
        tracker = FaceTracker(predictor, half_life=0.25)
        tracker.update(texture(), 0.0)
        predictor.said = [0.9, 0.1]
        faces = [tracker.update(texture(), 0.05 * frame)[0].face for frame in range(1, 11)]
        named = [face.emotion for face in faces]
        assert named == sorted(named, reverse=True)  # yes, and from some frame on no
        assert named.count("yes") == 4
        np.testing.assert_allclose(faces[4].probabilities, [0.5, 0.5])
