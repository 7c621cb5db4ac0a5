"""The sample as a file: a plan of persons, emotions and splits, and the archive with the images.

The archive has the layout of Kaggle's `msambare/fer2013`: `train/<emotion>/Training_<n>.jpg` and
`test/<emotion>/PublicTest_<n>.jpg` or `PrivateTest_<n>.jpg`, gray JPEGs of 48x48, where n counts the images of
the whole set. A person is in one split only. Like FER2013, the set has flaws that the pipeline should find: exact
copies across splits and within training, some with another emotion, and blank training images.
"""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from emotion.core.emotion_names import EMOTIONS
from emotion.core.files import atomic_path
from emotion.sample.faces import SIZE, draw_face
from emotion.sample.people import Person, draw_person

USAGES = {"Training": 0.8, "PublicTest": 0.1, "PrivateTest": 0.1}
"""FER2013's names for its splits, and their shares."""

CLASS_SHARES = {
    "angry": 0.136,
    "disgust": 0.035,
    "fear": 0.140,
    "happy": 0.245,
    "sad": 0.166,
    "surprise": 0.109,
    "neutral": 0.169,
}
"""FER2013's shares, except for disgust: FER2013's 1.5 % are too few for the small test splits here."""

IMAGES_PER_PERSON = 8

LEAKED_SHARE = 0.004
"""Training images that are copies of test images, as a share of the whole set."""

REPEATED_SHARE = 0.003
"""Training images that are copies of other training images, as a share of the whole set."""

BLANK_SHARE = 0.0006
"""Training images that are flat gray, as a share of the whole set."""

CONFLICT_EVERY = 3
"""One copy in this many has another emotion than its original."""

JPEG_QUALITY = 90

_PLAN, _PERSON, _IMAGE = range(3)
_FIXED_DATE = (2013, 4, 14, 0, 0, 0)
_UNIX = 3


@dataclass(frozen=True)
class Image:
    """An image of the plan: a face, or a copy of another image, or blank."""

    number: int
    usage: str
    emotion: str
    person: int
    copy_of: int | None = None
    blank: bool = False

    @property
    def name(self) -> str:
        """The path of the image in the archive, such as `train/happy/Training_1.jpg`."""
        folder = "train" if self.usage == "Training" else "test"
        return f"{folder}/{self.emotion}/{self.usage}_{self.number}.jpg"


def make_sample(path: Path, seed: int, images: int) -> None:
    """Write an archive of `images` drawn faces to `path`; the same seed and number always give the same bytes."""
    plan = plan_images(seed, images)
    content = {}
    for image, data in zip(plan, tqdm(_encode_images(plan, seed), "draw", len(plan), disable=None), strict=True):
        content[image.name] = data
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(content):
            archive.writestr(_member(name), content[name])


def _member(name: str) -> zipfile.ZipInfo:
    """Return a file's entry in the archive, without the date and the system of the machine."""
    member = zipfile.ZipInfo(name, _FIXED_DATE)
    member.create_system = _UNIX
    member.external_attr = 0o100644 << 16
    return member


def _encode_images(plan: Sequence[Image], seed: int) -> Iterator[bytes]:
    """Yield every image of the plan as JPEG."""
    people: dict[int, Person] = {}
    for image in plan:
        source = image if image.copy_of is None else plan[image.copy_of]
        if source.person not in people:
            people[source.person] = draw_person(_generator(seed, _PERSON, source.person))
        yield _jpeg(_draw(source, people[source.person], _generator(seed, _IMAGE, source.number)))


def _draw(image: Image, person: Person, rng: np.random.Generator) -> np.ndarray:
    if image.blank:
        return np.full((SIZE, SIZE), rng.integers(256), np.uint8)
    return draw_face(image.emotion, rng, person)


def _jpeg(image: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def _generator(seed: int, purpose: int, number: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, purpose, number])))


def plan_images(seed: int, images: int) -> list[Image]:
    """Return the images of the archive, in the order of their numbers."""
    rng = _generator(seed, _PLAN)
    plan: list[Image] = []
    first_person = 0
    for usage, count in zip(USAGES, _apportion(list(USAGES.values()), images), strict=True):
        people = max(1, count // IMAGES_PER_PERSON)
        for position, emotion in enumerate(_shuffled_emotions(count, rng)):
            plan.append(Image(len(plan), usage, emotion, first_person + position % people))
        first_person += people
    _plant_copies(plan, rng)
    _plant_blanks(plan, rng)
    return plan


def _shuffled_emotions(count: int, rng: np.random.Generator) -> list[str]:
    counts = _apportion([CLASS_SHARES[emotion] for emotion in EMOTIONS], count)
    ordered = np.repeat(np.arange(len(EMOTIONS)), counts)
    return [EMOTIONS[label] for label in rng.permutation(ordered)]


def _apportion(shares: Sequence[float], total: int) -> list[int]:
    """Return integers that add up to `total` and are as near to `shares` as possible, each at least 1.

    With the shares of the sample, a `total` of 7 or more suffices for that.
    """
    exact = np.array(shares) / np.sum(shares) * total
    counts = np.maximum(np.floor(exact).astype(int), 1)
    while counts.sum() < total:
        counts[np.argmax(exact - counts)] += 1
    apportioned: list[int] = counts.tolist()
    return apportioned


def _plant_copies(plan: list[Image], rng: np.random.Generator) -> None:
    """Turn some images into copies: training images of test or training images, and one test image of another."""
    leaked = max(2, round(LEAKED_SHARE * len(plan)))
    repeated = max(1, round(REPEATED_SHARE * len(plan)))
    originals = ["PublicTest", "PrivateTest"] * leaked
    wanted = [(usage, "Training") for usage in originals[:leaked]]
    wanted += [("Training", "Training")] * repeated + [("PublicTest", "PrivateTest")]
    for turn, (original, copy) in enumerate(wanted):
        _plant_copy(plan, original, copy, conflicting=turn % CONFLICT_EVERY == 0, rng=rng)


def _plant_copy(plan: list[Image], original: str, copy: str, conflicting: bool, rng: np.random.Generator) -> None:
    """Make an image of split `copy` a copy of one of split `original`; its emotion stays, and so does the balance.

    Nothing happens where no image fits, as in sets of a few hundred images.
    """
    used = {image.copy_of for image in plan}
    free = [image for image in plan if image.copy_of is None and image.number not in used]
    source = _pick([image for image in free if image.usage == original], rng)
    places = [
        image
        for image in free
        if image.usage == copy and image != source and (image.emotion != source.emotion) == conflicting
    ]
    if places:
        place = _pick(places, rng)
        plan[place.number] = replace(place, copy_of=source.number)


def _plant_blanks(plan: list[Image], rng: np.random.Generator) -> None:
    """Turn some training images into flat gray."""
    used = {image.copy_of for image in plan}
    for _ in range(max(1, round(BLANK_SHARE * len(plan)))):
        free = [image for image in plan if image.usage == "Training" and image.copy_of is None]
        place = _pick([image for image in free if image.number not in used and not image.blank], rng)
        plan[place.number] = replace(place, blank=True)


def _pick(images: Sequence[Image], rng: np.random.Generator) -> Image:
    return images[int(rng.integers(len(images)))]
