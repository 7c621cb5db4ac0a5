"""Emotions, their order and their names. Nothing else in the project writes a label order down."""

from collections.abc import Sequence
from dataclasses import dataclass

from emotion.errors import InputError

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The seven emotions in FER2013's official order: the number in its `emotion` column is the index here."""

SYNONYMS = {
    "anger": "angry",
    "disgusted": "disgust",
    "disgusting": "disgust",
    "fearful": "fear",
    "scared": "fear",
    "afraid": "fear",
    "happiness": "happy",
    "joy": "happy",
    "joyful": "happy",
    "sadness": "sad",
    "surprised": "surprise",
    "suprise": "surprise",
    "neutrality": "neutral",
    "calm": "neutral",
}

SCHEMES = {"seven": EMOTIONS}


@dataclass(frozen=True)
class Scheme:
    """Which emotions a model tells apart; an emotion's label is its place in `emotions`."""

    emotions: tuple[str, ...]

    def label(self, emotion: str) -> int:
        """Return the label of `emotion`, or -1 where the scheme leaves that emotion out."""
        return self.emotions.index(emotion) if emotion in self.emotions else -1


def resolve_scheme(choice: str | Sequence[str]) -> Scheme:
    """Return the scheme named `choice`, or the one that tells apart the emotions listed in `choice`.

    Raises:
        InputError: `choice` names no scheme, an unknown emotion, one emotion twice, or fewer than two.
    """
    if isinstance(choice, str):
        if choice not in SCHEMES:
            raise InputError(
                f"labels.scheme: got {choice!r}, expected one of {sorted(SCHEMES)} or a list of emotions "
                f"out of {list(EMOTIONS)}"
            )
        return Scheme(SCHEMES[choice])
    emotions = tuple(parse_emotion(name) for name in choice)
    if len(emotions) < 2 or len(set(emotions)) < len(emotions):
        raise InputError(f"labels.scheme: got {list(choice)}, expected at least two emotions, each named once")
    return Scheme(emotions)


def parse_emotion(text: str) -> str:
    """Return the emotion that `text` means: one of EMOTIONS, a synonym, or its official number (`3`).

    Upper and lower case, surrounding blanks and a number before the name (`3_happy`, `03 - happy`) do not
    matter.

    Raises:
        InputError: `text` means none of them.
    """
    name = text.strip().lower()
    if name.isdecimal() and int(name) < len(EMOTIONS):
        return EMOTIONS[int(name)]
    name = name.lstrip("0123456789").strip(" _-.")
    name = SYNONYMS.get(name, name)
    if name not in EMOTIONS:
        raise InputError(
            f"{text!r} is no emotion that is known here; expected one of {', '.join(EMOTIONS)}, a synonym "
            f"({', '.join(sorted(SYNONYMS))}) or a number from 0 ({EMOTIONS[0]}) to {len(EMOTIONS) - 1} "
            f"({EMOTIONS[-1]})"
        )
    return name
