"""The schemes of classes: which emotions a model distinguishes, and in which order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from unicodedata import normalize

from emotion.core.emotion_names import (
    EMOTIONS,
    KNOWN_EMOTIONS,
    LONGEST_NAME,
    RESERVED_NAMES,
    SYNONYMS,
    find_emotion,
    shorten,
    suggest,
)
from emotion.core.errors import InputError

FERPLUS = "ferplus"
FERPLUS_SEVEN = "ferplus_seven"

VOTE_SCHEMES = (FERPLUS, FERPLUS_SEVEN)
"""The schemes whose labels come from the votes of emotion.ingest.ferplus instead of the source."""

SCHEMES = {
    "seven": EMOTIONS,
    "five": ("angry", "happy", "sad", "surprise", "neutral"),
    "happy_sad": ("happy", "sad"),
    FERPLUS: KNOWN_EMOTIONS,
    FERPLUS_SEVEN: EMOTIONS,
}

SchemeItem = str | Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Scheme:
    """The classes that a model distinguishes. The label of a class is its index in `emotions`.

    Attributes:
        emotions: the names of the classes. Each is an emotion, or a name for several emotions.
        members: the emotions in each class, in the same order.
        written: the scheme as in params.yaml, for messages.
    """

    emotions: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]
    written: str = field(compare=False)

    def label(self, emotion: str) -> int:
        """Return the label of `emotion`, or -1 where the scheme leaves that emotion out."""
        return next((label for label, members in enumerate(self.members) if emotion in members), -1)

    def name(self, emotion: str) -> str:
        """Return the name of the class that `emotion` is in, or `emotion` where the scheme leaves it out."""
        label = self.label(emotion)
        return emotion if label < 0 else self.emotions[label]

    @property
    def own(self) -> tuple[str, ...]:
        """The emotions of the user's own, which are not among KNOWN_EMOTIONS."""
        return tuple(one for members in self.members for one in members if one not in KNOWN_EMOTIONS)

    def write(self, names: Iterable[str]) -> str:
        """Return the classes `names` as a list for params.yaml: `[neutral, {positive: [happy, surprise]}]`."""
        classes = dict(zip(self.emotions, self.members, strict=True))
        return f"[{', '.join(_write_class(name, classes[name]) for name in names)}]"


def _write_class(name: str, members: Sequence[str]) -> str:
    return name if list(members) == [name] else f"{{{name}: [{', '.join(members)}]}}"


def resolve_scheme(choice: str | Sequence[SchemeItem]) -> Scheme:
    """Return the scheme named `choice`, or the one with the classes listed in `choice`.

    An item of a list is an emotion, or a mapping of one new name to several emotions:
    `[neutral, {positive: [happy, surprise]}]`. An emotion may be one of KNOWN_EMOTIONS, or one of the user's own:
    `[bored, engaged]`. Emotions that are not listed are left out.

    Raises:
        InputError: the scheme is unknown, an emotion seems to be misspelled, an emotion or class is repeated, there are
            fewer than two classes, or a name is not allowed.
    """
    if isinstance(choice, str):
        return _named_scheme(choice)
    classes = [_parse_class(item) for item in choice]
    emotions = tuple(name for name, _ in classes)
    _check_once([emotion for _, members in classes for emotion in members], "the emotion", choice)
    _check_once([name.casefold() for name in emotions], "the class", choice)
    if len(classes) < 2:
        raise InputError(
            f"labels.scheme: got {list(choice)}, expected at least two classes, such as [happy, sad]; the known "
            f"emotions are {', '.join(KNOWN_EMOTIONS)}"
        )
    written = f"[{', '.join(_write_class(*one) for one in classes)}]"
    return Scheme(emotions, tuple(members for _, members in classes), written)


def _named_scheme(name: str) -> Scheme:
    if name not in SCHEMES:
        raise InputError(
            f"labels.scheme: got {name!r}{_did_you_mean(name)}, expected one of {', '.join(SCHEMES)}, or a "
            f"list of some of {', '.join(KNOWN_EMOTIONS)}, such as [happy, sad, {{other: [angry, fear]}}]"
        )
    emotions = SCHEMES[name]
    return Scheme(emotions, tuple((emotion,) for emotion in emotions), name)


def _parse_class(item: SchemeItem) -> tuple[str, tuple[str, ...]]:
    """Return the name and the emotions of a class."""
    if isinstance(item, str):
        emotion = _parse_member(item)
        return emotion, (emotion,)
    if len(item) != 1:
        raise InputError(
            f"labels.scheme: got the item {dict(item)} with {len(item)} names, expected one name per item: "
            "[{positive: [happy, surprise]}, {negative: [angry, sad]}]"
        )
    ((name, members),) = item.items()
    if not members:
        raise InputError(
            f"labels.scheme: got no emotions for {name!r}, expected a list of some of {', '.join(KNOWN_EMOTIONS)}"
        )
    emotions = tuple(_parse_member(member) for member in members)
    return _parse_name(name, emotions), emotions


def _parse_member(text: str) -> str:
    """Return the known emotion that `text` names, or else the name of an emotion of the user's own, in lower case."""
    emotion = find_emotion(text)
    if emotion is not None:
        return emotion
    if slip := suggest(text):
        raise InputError(
            f"labels.scheme: got the unknown emotion {shorten(text)}{slip}; the known ones are "
            f"{', '.join(KNOWN_EMOTIONS)}, and the synonyms {', '.join(sorted(SYNONYMS))}"
        )
    name = normalize("NFC", text).strip().lower()
    _check_name(name, f"the name {shorten(text)}")
    return name


def _parse_name(text: str, members: tuple[str, ...]) -> str:
    """Return the name of a class of several emotions. The name of an emotion must be one of `members`."""
    name = text.strip()
    _check_name(name, f"the name {shorten(text)} for {', '.join(members)}")
    emotion = find_emotion(name)
    if emotion is not None and emotion not in members:
        raise InputError(
            f"labels.scheme: got the name {text!r} for {', '.join(members)}, but it means the emotion {emotion}; "
            f"choose another name, or add {emotion} to the class"
        )
    return emotion or name


def _check_name(name: str, described: str) -> None:
    """Raise InputError where a class may not have this name."""
    signs = name.replace("_", "").replace("-", "").replace(" ", "")
    if len(name) > LONGEST_NAME or not signs.isalnum() or signs.isdecimal():
        raise InputError(
            f"labels.scheme: got {described}, expected letters and digits, at most {LONGEST_NAME}, such as positive; "
            "labels.numbers gives numbers their names"
        )
    if name.lower() in RESERVED_NAMES:
        raise InputError(
            f"labels.scheme: got {described}, expected none of {', '.join(RESERVED_NAMES)}, which have other meanings "
            "in tables of results; choose another name"
        )


def _check_once(names: Sequence[str], kind: str, choice: Sequence[SchemeItem]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"labels.scheme: got {list(choice)} with {kind} {' and '.join(twice)} more than once, expected each once"
        )


def _did_you_mean(name: str) -> str:
    close = get_close_matches(name, SCHEMES, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def check_targets(scheme: str | Sequence[SchemeItem], targets: str, source_votes: int) -> None:
    """Raise InputError where labels.targets or labels.source_votes need votes that do not belong to the source."""
    if targets == "votes" and scheme not in VOTE_SCHEMES:
        raise InputError(
            f"labels.targets: got votes with labels.scheme {scheme!r}, but only {' and '.join(VOTE_SCHEMES)} have "
            f"votes; set labels.scheme to one of them, or labels.targets to majority"
        )
    if source_votes and targets != "votes":
        raise InputError(
            f"labels.source_votes: got {source_votes} with labels.targets {targets}, expected 0; set labels.targets to "
            "votes, to which the source's own label is added"
        )
