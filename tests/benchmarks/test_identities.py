"""What the figures of benchmarks/identities.py rest on: its videos, its counts and its thresholds."""

import numpy as np
import pytest

from benchmarks.crossing_videos import SIZE, Person, Place, Video, make_scenes
from benchmarks.identities import Score
from benchmarks.returning_people import COLOR, compare
from emotion.faces.detection import Box, Detection
from emotion.inference.predictor import Face
from emotion.inference.tracking import TrackedFace

LEFT, RIGHT = Place(100.0, 200.0, 80.0, visible=True), Place(400.0, 200.0, 80.0, visible=True)


def tracked(number, place):
    box = Box(round(place.x - 40), round(place.y - 40), 80, 80)
    return TrackedFace(number, Face(box, np.ones(1), "any", 1.0), detected=True)


def count(*frames):
    """Return the counts of frames, each of which has places and tracked faces."""
    score = Score()
    for places, faces in frames:
        score.add(places, faces)
    return score.counts


class TestCounts:
    def test_numbers_that_stay_are_right(self):
        frame = [LEFT, RIGHT], [tracked(1, LEFT), tracked(2, RIGHT)]
        counts = count(frame, frame)
        assert (counts.visible, counts.right, counts.boxes) == (4, 4, 4)
        assert counts.missed == counts.switches == counts.exchanges == counts.false == 0

    def test_a_new_number_is_a_switch(self):
        counts = count(([LEFT, None], [tracked(1, LEFT)]), ([LEFT, None], [tracked(2, LEFT)]))
        assert (counts.right, counts.switches, counts.exchanges) == (1, 1, 0)

    def test_numbers_that_change_places_are_exchanged(self):
        before = [LEFT, RIGHT], [tracked(1, LEFT), tracked(2, RIGHT)]
        counts = count(before, ([LEFT, RIGHT], [tracked(2, LEFT), tracked(1, RIGHT)]))
        assert (counts.right, counts.switches, counts.exchanges) == (2, 2, 2)

    def test_a_face_without_a_box_is_missed_and_a_box_without_a_face_is_false(self):
        counts = count(([LEFT, None], [tracked(1, RIGHT)]))
        assert (counts.missed, counts.false) == (1, 1)

    def test_a_covered_face_does_not_count(self):
        counts = count(([LEFT._replace(visible=False), RIGHT], [tracked(1, RIGHT)]))
        assert (counts.visible, counts.right) == (1, 1)


def person(gray):
    return Person.cut("photo", np.full((400, 400, 3), gray, np.uint8), (150, 150, 100, 100))


@pytest.mark.parametrize("scene", make_scenes(), ids=lambda scene: scene.name)
def test_each_scene_begins_and_ends_with_two_visible_people(scene):
    video = Video(scene.name, (person(90), person(200)), (80, 90), scene.paths, np.zeros((*SIZE, 3)), 0, 30, 1)
    for seconds in (0.0, scene.seconds):
        places = video.places(seconds, np.zeros(2))
        assert all(place is not None and place.visible for place in places)


def test_the_one_in_front_covers_the_other():
    paths = (lambda _: (0.5, 0.4)), (lambda time: (0.9 - 0.4 * time, 0.4))
    background = np.zeros((*SIZE, 3), np.float32)
    video = Video("covered", (person(90), person(200)), (80, 80), paths, background, 2.0, 1, 1)
    (_, apart, [behind, _]), (_, together, [hidden, front]) = video
    assert [place is not None and place.visible for place in (behind, hidden, front)] == [True, False, True]
    assert apart[192, 320].mean() < 130 < together[192, 320].mean()


def test_the_threshold_lets_one_pair_of_two_people_in_a_hundred_pass():
    different = np.linspace(0, 1, 1001).tolist()
    assert compare([0.5, 0.985, 0.995, 1.0], different) == {"recall": 0.5, "pairs_of_one": 4, "pairs_of_two": 1001}


@pytest.mark.parametrize("describe", COLOR, ids=lambda describe: describe.__name__)
def test_a_descriptor_is_most_like_itself(describe):
    images = np.random.default_rng(1).integers(0, 256, (2, 200, 200, 3), dtype=np.uint8)
    images[1] //= 2
    one, other = (describe(image, Detection(Box(60, 40, 64, 64))) for image in images)
    assert float(one @ one) == pytest.approx(1)
    assert float(one @ other) < 0.99
