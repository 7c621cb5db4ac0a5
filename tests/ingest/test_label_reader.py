"""Labels of sources: names, numbers in a numbering, and what is refused."""

from unicodedata import normalize

import pytest

from emotion.core.emotion_names import KNOWN_EMOTIONS
from emotion.core.errors import InputError
from emotion.core.labels import resolve_scheme
from emotion.core.params import LabelsParams
from emotion.ingest.label_reader import (
    NUMBERINGS,
    BareNumberError,
    LabelReader,
    UnreadLabelError,
    explain_numbers,
    make_label_reader,
    parse_number,
)

SEVEN = resolve_scheme("seven")
TRUTH = {
    "fer2013": "angry disgust fear happy sad surprise neutral",
    "ckplus": "angry disgust fear happy sad surprise neutral contempt",
    "rafdb": "- surprise fear disgust happy sad angry neutral",
    "affectnet": "neutral happy sad surprise fear disgust angry contempt none uncertain no_face",
    "ferplus": "neutral happy surprise sad angry disgust fear contempt",
    "alphabetical": "angry disgust fear happy neutral sad surprise",
}


def labels_params(numbers: object) -> LabelsParams:
    return LabelsParams.model_validate(
        {"scheme": "seven", "numbers": numbers, "targets": "majority", "source_votes": 0, "decisions": None}
    )


@pytest.mark.parametrize("name", TRUTH)
def test_numbers_mean_what_the_data_set_says(name):
    reader = make_label_reader(SEVEN, name)
    for number, word in enumerate(TRUTH[name].split()):
        emotion = word.replace("_", " ")
        if emotion == "-":
            with pytest.raises(UnreadLabelError, match="1 surprise"):
                reader.read("0")
        else:
            assert reader.read(f" {number} ") == reader.read(f"{number}.0") == emotion
    with pytest.raises(UnreadLabelError, match=r"labels\.numbers"):
        reader.read("11")


def test_params_take_every_numbering():
    for name in NUMBERINGS:
        assert labels_params(name).numbers == name
    assert set(TRUTH) == set(NUMBERINGS)


def test_bare_numbers_need_a_numbering():
    for label in ("0", "3", "3.0", "007"):
        with pytest.raises(BareNumberError, match=r"labels\.numbers"):
            LabelReader().read(label)
    assert LabelReader().read("3_happy") == "happy"


def test_the_numbering_of_the_params_wins_over_that_of_a_layout():
    assert LabelReader().with_default("rafdb").read("4") == "happy"
    assert make_label_reader(SEVEN, "affectnet").with_default("rafdb").read("4") == "fear"


def test_a_mapping_gives_numbers_their_names():
    scheme = resolve_scheme(["bored", "happy"])
    reader = make_label_reader(scheme, {5: "Bored", 1: "joy", 2: "asleep"})
    assert [reader.read(label) for label in ("5", "1", "2")] == ["bored", "happy", "asleep"]
    with pytest.raises(UnreadLabelError, match=r"1 happy, 2 asleep, 5 bored"):
        reader.read("0")
    with pytest.raises(InputError, match=r"labels.numbers: .*'hapy'.*happy\?"):
        make_label_reader(scheme, {0: "hapy"})
    with pytest.raises(InputError, match=r"labels.numbers: .*\b3\b.*a name"):
        make_label_reader(scheme, {0: "3"})


def test_emotions_of_ones_own_are_read_by_their_names():
    reader = make_label_reader(resolve_scheme(["Bored", "level1", "level2", "calm"]), None)
    assert [reader.read(label) for label in ("Bored", "bored_faces", "03_BORED")] == ["bored"] * 3
    assert [reader.read(label) for label in ("Level1", "level2", "level3")] == ["level1", "level2", "level3"]
    assert reader.knows("Bored")
    assert not reader.knows("level3")
    with pytest.raises(UnreadLabelError, match=r"bored\?"):
        reader.read("borred")


def test_numbers_tell_the_emotions_of_ones_own_apart():
    reader = make_label_reader(resolve_scheme(["AU12", "neutral"]), None)
    assert [reader.read(label) for label in ("au12", "AU_12", "AU12_faces")] == ["au12"] * 3
    assert [reader.read(label) for label in ("AU6", "AU1", "AU", "12_AU6")] == ["au6", "au1", "au", "12_au6"]


def test_both_ways_to_write_an_umlaut_are_one_name():
    ways = [normalize(form, "Ängstlich") for form in ("NFC", "NFD")]
    assert len(set(ways)) == 2
    for scheme in ways:
        reader = make_label_reader(resolve_scheme([scheme, "neutral"]), None)
        assert {reader.read(label) for label in ways} == {normalize("NFC", "ängstlich")}


def test_other_names_stay_and_are_left_out():
    assert LabelReader().read("Ahegao") == "ahegao"
    assert SEVEN.label("ahegao") == -1
    assert LabelReader().read("Contempt") == "contempt"
    assert LabelReader().read("Content") == "content"
    assert resolve_scheme(["content", "happy"]).own == ("content",)


@pytest.mark.parametrize("label", ["", "  ", "?!", "-1", "3.5", "9" * 5000, "hapy", "Suprize d"])
def test_what_names_nothing_is_refused_in_a_short_message(label):
    with pytest.raises(UnreadLabelError) as refusal:
        LabelReader((), ()).read(label)
    assert len(str(refusal.value)) < 200


def test_a_number_is_whole_and_not_negative():
    assert [parse_number(text) for text in ("7", "7.", "7.00", " 7 ", "07")] == [7] * 5
    assert [parse_number(text) for text in ("7.5", "-7", "7a", "", "7,0", "1" * 10)] == [None] * 6


def test_the_refusal_shows_each_numbering_beside_what_was_found():
    text = str(explain_numbers("data/raw", ["7", "1", "2"]))
    assert "data/raw" in text
    assert "labels.numbers" in text
    lines = {line.split()[0]: line.split()[1:] for line in text.splitlines()[1:]}
    assert lines["number"] == list(NUMBERINGS)
    assert lines["1"] == [dict(pairs)[1] for pairs in NUMBERINGS.values()]
    assert lines["7"] == ["-", "contempt", "neutral", "contempt", "contempt", "-"]
    assert "(ckplus, rafdb, affectnet, ferplus)" in text


@pytest.mark.parametrize("numbers", [{}, {-1: "sad"}, "raf", 3, {"a": "sad"}, {1.5: "sad"}])
def test_other_values_of_the_param_are_refused(numbers):
    with pytest.raises(ValueError):
        labels_params(numbers)


def test_every_known_emotion_is_in_some_numbering():
    assert {emotion for pairs in NUMBERINGS.values() for _, emotion in pairs} >= set(KNOWN_EMOTIONS)
