"""The reading of a source's labels: names of emotions, and numbers in a known numbering."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize

from emotion.core.emotion_names import EMOTIONS, KNOWN_EMOTIONS, find_emotion, find_slip, shorten, simplify
from emotion.core.errors import InputError
from emotion.core.labels import Scheme

Numbering = tuple[tuple[int, str], ...]
"""Pairs of a number and its emotion."""

NUMBERINGS: dict[str, Numbering] = {
    "fer2013": tuple(enumerate(EMOTIONS)),
    "ckplus": tuple(enumerate(KNOWN_EMOTIONS)),
    "rafdb": tuple(enumerate(("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"), start=1)),
    "affectnet": tuple(
        enumerate(
            (
                *("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt"),
                *("none", "uncertain", "no face"),
            )
        )
    ),
    "ferplus": tuple(enumerate(("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt"))),
    "alphabetical": tuple(enumerate(("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"))),
}
"""The numberings of data sets, by their names in labels.numbers.

- fer2013: the column `emotion` of fer2013.csv. ExpW numbers like it.
- ckplus: the file ckextended.csv of Kaggle.
- rafdb: RAF-DB (Li, Deng and Du 2017), also its folders.
- affectnet: AffectNet (Mollahosseini, Hasani and Mahoor 2017), also its folders.
- ferplus: the order of the votes of FER+.
- alphabetical: the order of the folders of the seven emotions, as Keras numbers them.
"""

NUMBER = re.compile(r"\s*(\d{1,9})(?:\.0*)?\s*")
"""A bare number, also as a spreadsheet writes it: `3.0`."""


class UnreadLabelError(InputError):
    """A label names no emotion, or may be a slip."""


class BareNumberError(InputError):
    """A label is a bare number, and no numbering is chosen."""


def parse_number(label: str) -> int | None:
    """Return the number that `label` is; None where it is anything else."""
    match = NUMBER.fullmatch(label)
    return int(match[1]) if match else None


@dataclass(frozen=True)
class LabelReader:
    """Reads the labels of a source as emotions.

    Attributes:
        numbering: the meaning of bare numbers; None refuses them.
        own: the emotions of the user's own, which the scheme names.
    """

    numbering: Numbering | None = None
    own: tuple[str, ...] = ()

    def with_default(self, numbering: str) -> "LabelReader":
        """Return this reader with the named numbering of a data set, unless the params chose one."""
        return self if self.numbering is not None else LabelReader(NUMBERINGS[numbering], self.own)

    def read(self, label: str) -> str:
        """Return the emotion that a label means.

        It is one of KNOWN_EMOTIONS, one of the user's own, or else the label itself in lower case, which no scheme
        names and which is left out.

        Raises:
            BareNumberError: the label is a number, and there is no numbering.
            UnreadLabelError: the label is a number outside of the numbering, has no letter, or seems to misspell an
                emotion.
        """
        return _read(self, label)

    def knows(self, label: str) -> bool:
        """Return whether a label means a known emotion, or one of the user's own."""
        try:
            emotion = self.read(label)
        except InputError:
            return False
        return emotion in KNOWN_EMOTIONS or emotion in self.own


@lru_cache(maxsize=4096)
def _read(reader: LabelReader, label: str) -> str:
    number = parse_number(label)
    if number is not None:
        return _read_number(reader.numbering, number)
    # macOS writes ä as two characters.
    label = normalize("NFC", label)
    name = label.strip().lower()
    if name in reader.own:
        return name
    emotion = find_emotion(label)
    if emotion is not None:
        return emotion
    words = simplify(label)
    if not words:
        raise UnreadLabelError(f"the emotion {shorten(label)} is not known")
    own = [one for one in reader.own if simplify(one) == words and _numbers_of(one) in ([], _numbers_of(name))]
    if len(own) == 1:
        return own[0]
    if slip := find_slip(label, reader.own):
        raise UnreadLabelError(f"the emotion {shorten(label)} is not known (did you mean {slip}?)")
    return name


def _numbers_of(name: str) -> list[str]:
    """Return the numbers in a name. They tell AU6 from AU12, where the user's own name has one."""
    return re.findall(r"\d+", name)


def _read_number(numbering: Numbering | None, number: int) -> str:
    if numbering is None:
        raise BareNumberError(f"the label {number} is a number; {HOW_TO_NUMBER}")
    for known, emotion in numbering:
        if known == number:
            return emotion
    if not numbering:
        raise UnreadLabelError(f"got the number {number} as an emotion, expected a name such as happy")
    raise UnreadLabelError(
        f"the emotion {number} is not known; the numbers are {', '.join(f'{one} {name}' for one, name in numbering)}. "
        "Where the data set has another numbering, set labels.numbers"
    )


HOW_TO_NUMBER = "set labels.numbers to a numbering, or to a mapping such as {0: neutral, 1: happy}"


def make_label_reader(scheme: Scheme, numbers: str | Mapping[int, str] | None) -> LabelReader:
    """Return the reader for `scheme`.

    Args:
        scheme: names emotions of the user's own.
        numbers: labels.numbers: the name of one of NUMBERINGS, a mapping of numbers to names, or None.

    Raises:
        InputError: a name of the mapping is no emotion.
    """
    if numbers is None:
        return LabelReader(None, scheme.own)
    if isinstance(numbers, str):
        return LabelReader(NUMBERINGS[numbers], scheme.own)
    names = LabelReader((), scheme.own)
    try:
        return LabelReader(tuple(sorted((number, names.read(name)) for number, name in numbers.items())), scheme.own)
    except InputError as error:
        raise InputError(f"labels.numbers: {error}") from None


def explain_numbers(source: str, labels: Iterable[str]) -> InputError:
    """Return the refusal of a source whose labels are bare numbers: what was found beside the known numberings.

    Args:
        source: its name.
        labels: the labels that were found.
    """
    numbers = sorted({number for number in map(parse_number, labels) if number is not None})
    known = [numbering for numbering, pairs in NUMBERINGS.items() if set(numbers) <= {number for number, _ in pairs}]
    lines = [f"  {'number':8}" + "".join(f"{name:13}" for name in NUMBERINGS)]
    for number in numbers[:12]:
        meanings = [dict(pairs).get(number, "-") for pairs in NUMBERINGS.values()]
        lines.append(f"  {number:<8}" + "".join(f"{meaning:13}" for meaning in meanings))
    return InputError(
        f"{source}: the labels are the numbers {', '.join(map(str, numbers[:12]))}, and data sets number emotions "
        f"differently. Set labels.numbers in params.yaml to the numbering of this data set "
        f"({', '.join(known) or 'none of the known ones has all of these'}), or to a mapping such as "
        "{0: neutral, 1: happy}:\n" + "\n".join(line.rstrip() for line in lines)
    )
