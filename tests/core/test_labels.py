"""Emotion names and label orders."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.core.emotion_names import EMOTIONS, KNOWN_EMOTIONS, RESERVED_NAMES, SYNONYMS, parse_emotion
from emotion.core.errors import InputError
from emotion.core.labels import SCHEMES, check_targets, resolve_scheme


def test_emotions_stand_in_the_official_order_of_fer2013():
    assert EMOTIONS == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


@pytest.mark.parametrize(
    "text",
    [
        "happy",
        "Happy",
        " HAPPINESS ",
        "joy",
        "3_happy",
        "03 - Happy",
        "3.happiness",
        "Happy_faces",
        "HappyFaces",
        "happy (2)",
    ],
)
def test_many_spellings_mean_happy(text):
    assert parse_emotion(text) == "happy"


def test_every_synonym_means_an_emotion():
    assert {parse_emotion(name) for name in SYNONYMS} <= set(KNOWN_EMOTIONS)


@pytest.mark.parametrize("text", ["contempt", "Contemptuous", "7_contempt"])
def test_contempt_is_known_by_its_names(text):
    assert parse_emotion(text) == "contempt"


@pytest.mark.parametrize(
    "text, emotion", [("Suprised", "surprise"), ("natural", "neutral"), ("Sad people", "sad"), ("anger", "angry")]
)
def test_names_of_published_data_sets_are_known(text, emotion):
    assert parse_emotion(text) == emotion


@pytest.mark.parametrize("text", ["", "3", "7", "-1", "smile", "train", "happy sad", "3.5", "faces", "unhappy"])
def test_other_names_are_refused_with_what_is_known(text):
    with pytest.raises(InputError, match=rf"{re.escape(repr(text))}.*angry, disgust, fear.*joyful"):
        parse_emotion(text)


@pytest.mark.parametrize("text, name", [("hapy", "happy"), ("Sed", "sad"), ("nuetral", "neutral"), ("angyr", "angry")])
def test_slips_are_refused_with_the_name_that_is_meant(text, name):
    with pytest.raises(InputError, match=rf"did you mean {name}\?"):
        parse_emotion(text)


def test_a_long_text_is_cut_in_the_message():
    with pytest.raises(InputError) as refusal:
        parse_emotion("9" * 5000)
    assert len(str(refusal.value)) < 500


def test_labels_are_places_in_the_scheme():
    seven = resolve_scheme("seven")
    assert [seven.label(emotion) for emotion in EMOTIONS] == list(range(7))
    two = resolve_scheme(["Sadness", "happy"])
    assert (two.label("sad"), two.label("happy"), two.label("fear")) == (0, 1, -1)


# Schemes


@pytest.mark.parametrize(
    "name, emotions",
    [
        ("seven", ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]),
        ("five", ["angry", "happy", "sad", "surprise", "neutral"]),
        ("happy_sad", ["happy", "sad"]),
        ("ferplus", ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt"]),
    ],
)
def test_named_schemes_and_their_orders(name, emotions):
    scheme = resolve_scheme(name)
    assert list(scheme.emotions) == emotions
    assert scheme.members == tuple((emotion,) for emotion in emotions)
    assert scheme.written == name
    assert scheme == resolve_scheme(emotions)


def test_merged_emotions_share_a_label_and_a_name():
    scheme = resolve_scheme(["neutral", {"positive": ["happiness", "surprise"]}, {" Angry ": ["anger", "disgust"]}])
    assert scheme.emotions == ("neutral", "positive", "angry")
    assert [scheme.label(emotion) for emotion in EMOTIONS] == [2, 2, -1, 1, -1, 1, 0]
    assert [scheme.name(emotion) for emotion in ("disgust", "happy", "sad", "unknown")] == [
        *("angry", "positive", "sad", "unknown")
    ]
    assert scheme.written == "[neutral, {positive: [happy, surprise]}, {angry: [angry, disgust]}]"
    assert scheme.write(["angry", "neutral"]) == "[{angry: [angry, disgust]}, neutral]"


def test_a_class_may_have_any_name_and_several_emotions():
    assert resolve_scheme([{"good": ["happy"]}, {"bad": ["sad", "angry"]}]).emotions == ("good", "bad")


@st.composite
def partitions(draw):
    """Return classes of any sizes, some of them emotions by themselves, and the label of each emotion."""
    emotions = draw(st.permutations(KNOWN_EMOTIONS))
    places = draw(st.lists(st.integers(-1, 3), min_size=8, max_size=8))
    members = [[emotion for emotion, at in zip(emotions, places, strict=True) if at == place] for place in range(4)]
    members = [group for group in members if group]
    choice = [group[0] if len(group) == 1 else {f"class {n}": group} for n, group in enumerate(members)]
    return choice, {emotion: label for label, group in enumerate(members) for emotion in group}


@given(partitions())
def test_labels_and_names_of_any_scheme_agree(drawn):
    choice, labels = drawn
    if len(choice) < 2:
        with pytest.raises(InputError, match="at least two classes"):
            resolve_scheme(choice)
        return
    scheme = resolve_scheme(choice)
    for emotion in KNOWN_EMOTIONS:
        label = labels.get(emotion, -1)
        assert scheme.label(emotion) == label
        assert scheme.name(emotion) == (emotion if label < 0 else scheme.emotions[label])


def test_a_scheme_may_name_emotions_of_ones_own():
    scheme = resolve_scheme(["Bored", "engaged", {"rest": ["very calm mood", "happy"]}])
    assert scheme.emotions == ("bored", "engaged", "rest")
    assert scheme.own == ("bored", "engaged", "very calm mood")
    assert scheme.label("very calm mood") == 2
    assert resolve_scheme(["level1", "level2"]).emotions == ("level1", "level2")


@pytest.mark.parametrize(
    "choice, message",
    [
        ("eight", r"got 'eight', expected .*seven, five, happy_sad, ferplus.*list.*\bangry\b"),
        ("sevn", r"got 'sevn' .*\bseven\?.*expected .*seven, five"),
        (["happy"], r"got \['happy'\], expected .*two classes.*\[happy, sad\]"),
        ([], "got .*, expected .*two classes"),
        ([{"both": ["happy", "sad"]}], "got .*both.*, expected .*two classes"),
        (["happy", "joy"], r"got \[\'happy\', \'joy\'\] .*\bhappy\b.*once"),
        (["happy", {"positive": ["happiness", "surprise"]}], r"got .*happiness.* emotion happy .*once"),
        ([{"a": ["sad", "sad"]}, "fear"], r"got .*fear.* emotion sad .*once"),
        ([{"a": ["sad"]}, {"A ": ["fear"]}], r"got .*fear.* class a .*once"),
        (["happy", "3"], r"'3'.*letters.*labels.numbers"),
        (["happy", "total"], r"'total'.*another name"),
        (["happy", "bored, engaged"], r"'bored, engaged'.*letters"),
        (["happy", "sed"], r"'sed'.*\bsad\?"),
        ([{"x": ["hapiness"]}, "sad"], r"'hapiness'.*\bhappiness\?"),
        (["happy", {"x": []}], r"'x', expected .*list.*angry"),
        (["happy", {"x": ["sad"], "y": ["fear"]}], r"got .*'x'.*\b2 names, expected one"),
        (["happy", {}], r"got .*\{\}.*\b0 names, expected one"),
        (["happy", {"": ["sad", "fear"]}], "name '' for sad, fear, expected .*letters and digits"),
        (["happy", {" ": ["sad", "fear"]}], "name ' ' for sad, fear, expected .*letters and digits"),
        (["happy", {"a,b": ["sad", "fear"]}], "name 'a,b' for sad, fear, expected .*letters and digits"),
        (["happy", {"surprise": ["sad", "fear"]}], "name 'surprise' .*emotion surprise.*add surprise"),
        (["happy", {"Joy": ["sad", "fear"]}], "name 'Joy' .*emotion happy.*add happy"),
        (["happy", {"3": ["sad", "fear"]}], "name '3' .*letters.*labels.numbers"),
        (["happy", {"Total": ["sad", "fear"]}], "name 'Total' .*expected .*another name"),
        (["happy", {"all": ["sad", "fear"]}], "name 'all' .*expected .*another name"),
    ],
)
def test_schemes_that_cannot_be_are_refused(choice, message):
    with pytest.raises(InputError, match=f"^labels.scheme: .*{message}"):
        resolve_scheme(choice)


def test_no_scheme_has_a_reserved_name():
    assert not set(KNOWN_EMOTIONS) & set(RESERVED_NAMES)
    assert set(SCHEMES) == {"seven", "five", "happy_sad", "ferplus", "ferplus_seven"}


@pytest.mark.parametrize("scheme", ["seven", "five", ["happy", "sad"]])
def test_only_ferplus_has_votes(scheme):
    check_targets("ferplus", "votes", 0)
    check_targets("ferplus_seven", "votes", 10)
    check_targets(scheme, "majority", 0)
    with pytest.raises(InputError, match=r"^labels.targets: got votes with labels.scheme .*ferplus and ferplus_seven"):
        check_targets(scheme, "votes", 0)


@pytest.mark.parametrize("scheme", ["seven", "ferplus"])
def test_votes_of_the_source_need_targets_of_votes(scheme):
    with pytest.raises(InputError, match=r"^labels.source_votes: got 10 .*set labels.targets to votes"):
        check_targets(scheme, "majority", 10)
