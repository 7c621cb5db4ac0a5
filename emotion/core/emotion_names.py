"""The emotions, their names and their order, and the reading of names as people write them."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from emotion.core.errors import InputError

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The seven emotions in FER2013's official order: the number in its `emotion` column is the index here."""

KNOWN_EMOTIONS = (*EMOTIONS, "contempt")
"""Every emotion that is known by name. Contempt has no number, since data sets number it differently."""

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
    "suprised": "surprise",
    "surprize": "surprise",
    "neutrality": "neutral",
    "natural": "neutral",
    "calm": "neutral",
    "contemptuous": "contempt",
}
"""Other names of the emotions, with the misspellings of published data sets."""

FILLERS = frozenset(
    {
        *("face", "faces", "facial", "emotion", "emotions", "expression", "expressions", "class", "people"),
        *("image", "images", "img", "imgs", "photo", "photos", "picture", "pictures", "pic", "pics"),
    }
)
"""Words beside the name of an emotion, as in `Happy_faces`."""

LONGEST_NAME = 64
"""Characters of the longest name."""

RESERVED_NAMES = (
    *("image", "actual", "predicted", "confidence", "correct", "total", "all"),
    *("path", "face", "status", "emotion", "x", "y", "width", "height", "frame", "seconds", "detected", "row"),
)
"""Names of other columns and keys in tables and metrics. No class may have one of these names."""

SIMILAR, SIMILAR_SHORT = 0.8, 0.66
"""Ratios of `difflib` from which an unknown name that begins with the same letter is taken for a slip.

The second is for names of up to SHORT letters, where one letter is a large share.
"""

SHORT = 4

NO_SLIPS = frozenset({"content"})
"""Names of other feelings that are as near to a known one as a slip."""


def simplify(text: str) -> str:
    """Return the words of a name in lower case, with a blank between them: `03_Happy-faces` gives `happy`.

    Numbers and signs separate words. FILLERS are left out where another word remains.
    """
    words = [word.lower() for word in re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text))]
    return " ".join([word for word in words if word not in FILLERS] or words)


def find_emotion(text: str) -> str | None:
    """Return the one of KNOWN_EMOTIONS that `text` names, itself or by a synonym; None where it names none."""
    name = simplify(text)
    name = SYNONYMS.get(name, name)
    return name if name in KNOWN_EMOTIONS else None


def name_of(text: str) -> str:
    """Return the name by which emotions and classes are compared: the known emotion, or else `text` in lower case."""
    return find_emotion(text) or text.strip().lower()


def parse_emotion(text: str) -> str:
    """Return the one of KNOWN_EMOTIONS that `text` names.

    Case, numbers, signs and FILLERS are ignored: `3_happy`, `Happy_faces`. A number alone names nothing, since data
    sets number emotions differently; see `emotion.ingest.label_reader`.

    Raises:
        InputError: `text` names no known emotion.
    """
    emotion = find_emotion(text)
    if emotion is None:
        raise InputError(
            f"got the unknown emotion {shorten(text)}{suggest(text)}, expected one of {', '.join(KNOWN_EMOTIONS)}, or "
            f"a synonym ({', '.join(sorted(SYNONYMS))})"
        )
    return emotion


def find_slip(text: str, own: Iterable[str] = ()) -> str | None:
    """Return the known name, or the one of `own`, that `text` seems to misspell; None where there is none."""
    name = simplify(text)
    if name in NO_SLIPS:
        return None
    known = [*KNOWN_EMOTIONS, *SYNONYMS, *own]
    close = get_close_matches(name, known, n=3, cutoff=SIMILAR_SHORT if len(name) <= SHORT else SIMILAR)
    likely = [other for other in close if other[0] == name[0] and simplify(other) != name]
    return min(likely, key=lambda other: abs(len(other) - len(name)), default=None)


def suggest(text: str, own: Iterable[str] = ()) -> str:
    """Return ` (did you mean happy?)` where `text` seems to misspell a name; else an empty text."""
    slip = find_slip(text, own)
    return f" (did you mean {slip}?)" if slip else ""


def shorten(text: str) -> str:
    """Return `text` in quotation marks, cut to LONGEST_NAME characters, for messages."""
    return repr(text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME] + "…")
