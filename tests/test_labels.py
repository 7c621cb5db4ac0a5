"""Emotion names and label orders."""

import pytest

from emotion.errors import InputError
from emotion.labels import EMOTIONS, SYNONYMS, parse_emotion, resolve_scheme


def test_emotions_stand_in_the_official_order_of_fer2013():
    assert EMOTIONS == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


@pytest.mark.parametrize("text", ["happy", "Happy", " HAPPINESS ", "joy", "3", "3_happy", "03 - Happy", "3.happiness"])
def test_many_spellings_mean_happy(text):
    assert parse_emotion(text) == "happy"


def test_every_synonym_means_an_emotion():
    assert {parse_emotion(name) for name in SYNONYMS} <= set(EMOTIONS)


@pytest.mark.parametrize("text", ["", "7", "-1", "smile", "train", "happy sad", "3.5"])
def test_other_names_are_refused_with_what_is_known(text):
    with pytest.raises(InputError, match=r"no emotion.*angry, disgust, fear.*0 \(angry\) to 6 \(neutral\)"):
        parse_emotion(text)


def test_labels_are_places_in_the_scheme():
    seven = resolve_scheme("seven")
    assert [seven.label(emotion) for emotion in EMOTIONS] == list(range(7))
    two = resolve_scheme(["Sadness", "happy"])
    assert (two.label("sad"), two.label("happy"), two.label("fear")) == (0, 1, -1)


@pytest.mark.parametrize("choice", ["eight", ["happy"], ["happy", "joy"], ["happy", "smile"], []])
def test_schemes_that_cannot_be_are_refused(choice):
    with pytest.raises(InputError):
        resolve_scheme(choice)
