"""Faces in an image: where they are, and the crop of each as a model was taught to see faces.

Each detector has its own idea of where a face ends. Models learn from FER2013, so the boxes that `detect` returns are
framed as FER2013 frames faces, whichever detector found them: `benchmarks/framing.py` measures by how much.
"""

import math
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np

from emotion.core.errors import InputError
from emotion.core.metadata import DETECTORS
from emotion.core.quiet import quiet
from emotion.data.images import to_input

Eyes = tuple[tuple[float, float], tuple[float, float]]
"""(x, y) of both, the one further left in the image first."""

WORKING_PIXELS = 2**21
"""Larger images are searched in a copy of this many pixels, 1920 x 1080 about: it bounds time and memory. The
smallest face that can be found there grows as the square root of an image's pixels: 49 pixels at 12 megapixels."""

CASCADE_FILE = "haarcascade_frontalface_alt2.xml"
"""Of OpenCV's frontal cascades the quickest, with few false alarms: with the two numbers below, which were chosen by
these images among others, none in scikit-image's images without a face. `default`, as mostly used (1.1 and 5),
raises over a dozen in them."""

CASCADE_STEP = 1.06
"""By what factor faces are looked for larger each time, where the coarse search saw one. With 1.08 the boxes of one
face at many sizes and places differ by 2.8 % in place of 2.2 %."""

CASCADE_NEIGHBORS = 5
"""A face is found at more places and sizes around it than this. Fewer find little more, and scikit-image's images
without a face have one as well."""

CASCADE_WINDOW = 20
"""Pixels of the smallest face that the cascade knows."""

COARSE_SIZES = 3
"""Of the first, coarse search: how many sizes of a face it looks for until they are twice as large. One sight of a face
is enough for it, whereas the close search asks for CASCADE_NEIGHBORS. Both together take a twelfth of the time of one
search in steps of 1.05 everywhere, and find nine tenths of its faces: of 1500 of FER2013's PublicTest, pasted 50 to 260
pixels wide into images of 512 x 512, 68 % in place of 75 %. 4 sizes find 70 %, in a sixth more time."""

COARSE_SMALLEST = 1.2
"""The smallest face of the coarse search, as a share of the smallest that is looked for: smaller ones are seen too, and
1.1, which takes a tenth more time, finds no more."""

SAME_PLACE = 0.5
"""How much boxes of the coarse search may differ that are one place: OpenCV's `eps`."""

NEAR_BORDER = 0.3
"""How far around a place the close search goes, as a share of its side."""

NEAR_SIZES = (0.7, 1.45)
"""The sizes that it looks for, as shares of the place's side. With these and the border a face keeps most of the places
at which it is found, and its box is the mean of them: with 0.8, 1.25 and 0.2, boxes of one face differ by 3.4 %."""

NEAR_WINDOWS = 2.05
"""Its smallest face in windows of the cascade: from twice on, OpenCV looks at every place."""

CASCADE_SCALE = 1.03
"""The side of FER2013's square, as a share of the cascade's: the median over 2478 faces of FER2013's PublicTest, half
of which lie between 0.97 and 1.11. Its collectors cut their faces out along OpenCV's boxes, and it shows."""

MTCNN_SCALE = 1.09
"""The same, as a share of the mean of width and height of MTCNN's box, which ends at hairline, chin and cheeks: the
median over 3018 faces, half of which lie between 1.00 and 1.19. Both centers lie within 1 % of FER2013's."""

MTCNN_SCORE = 0.9
"""The least probability, by MTCNN, that what it found is a face."""

MTCNN_WINDOW = 12
"""Pixels of the smallest face that MTCNN knows."""

SAME_FACE = 0.5
"""Of two boxes the less certain one goes where they share more than this of the smaller one."""

LEAST_EYE_DISTANCE = 0.15
"""As a share of the box's side; eyes that are closer are those of a face seen from the side, and tell no angle."""

LARGEST_SIDE = 1024
"""Pixels; a larger square is made smaller before it is turned, so that no face, margin or border costs much memory."""


class Box(NamedTuple):
    """A rectangle in pixels of the image; `x` and `y` are its left upper corner.

    That of a face at the image's border may reach beyond the image.
    """

    x: int
    y: int
    width: int
    height: int


class Detection(NamedTuple):
    """A face that was found: its box, and its eyes, (x, y) each, the one further left in the image first."""

    box: Box
    eyes: Eyes | None = None


class Detector(Protocol):
    """Finds faces. May be used by several threads at once."""

    def detect(self, image: np.ndarray) -> list[Detection]:
        """Return the faces in `image`, uint8 (height, width, 1 or 3), the largest first.

        Boxes are square and framed as FER2013 frames faces. The same image gives the same faces.
        """
        ...


class RawDetection(NamedTuple):
    """What a detector itself says of a face: a box and eyes in pixels of the image, and how certain it is."""

    x: float
    y: float
    width: float
    height: float
    certainty: float
    eyes: Eyes | None = None

    @property
    def side(self) -> float:
        return (self.width + self.height) / 2


def make_detector(name: str, smallest: int) -> Detector:
    """Return the detector called `name`: `cascade`, quick, or `mtcnn`, which needs TensorFlow and knows the eyes.

    Args:
        name: one of DETECTORS.
        smallest: the smallest face that is looked for, in pixels of its box's side, at least 1. No detector finds
            faces of less than 20 pixels reliably.

    Raises:
        InputError: there is no such detector, or what it needs is not installed.
    """
    if smallest < 1:
        raise InputError(f"smallest: got {smallest}, expected a face of at least 1 pixel")
    if name == "cascade":
        return Cascade(smallest)
    if name == "mtcnn":
        return MTCNN(smallest)
    raise InputError(f"detector: got {name!r}, expected one of {', '.join(DETECTORS)}")


class Cascade:
    """OpenCV's cascade of boosted Haar features for frontal faces: Viola and Jones 2001.

    Args:
        smallest: the smallest face that is looked for, in pixels of its box's side.
    """

    def __init__(self, smallest: int) -> None:
        self._smallest = smallest / CASCADE_SCALE
        self._threads = threading.local()
        self._classifier()

    def detect(self, image: np.ndarray) -> list[Detection]:
        return _frame_all(self.detect_raw(image), CASCADE_SCALE)

    def detect_raw(self, image: np.ndarray) -> list[RawDetection]:
        """Return the faces as the cascade itself frames them, each once, in no order."""
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.shape[2] == 3 else image[:, :, 0]
        small, scale = _shrink(gray)
        smallest = max(CASCADE_WINDOW, self._smallest * scale)
        near = [raw for place in self._search_coarsely(small, smallest) for raw in self._search_near(small, place)]
        return _distinct(_enlarge(raw, 1 / scale) for raw in near if round(raw.side) >= round(smallest))

    def _search_coarsely(self, gray: np.ndarray, smallest: float) -> list[Box]:
        """Return where faces of at least `smallest` pixels may be, and much that is none.

        OpenCV looks at every second place only while a face is smaller than two of the cascade's windows, which is
        enough here: hence a copy of half the size for faces twice as large, and so on.
        """
        step = 2 ** (1 / COARSE_SIZES)
        window, below_two = (CASCADE_WINDOW, CASCADE_WINDOW), (2 * CASCADE_WINDOW - 1, 2 * CASCADE_WINDOW - 1)
        copy, scale = _resized(gray, min(1.0, CASCADE_WINDOW / (COARSE_SMALLEST * smallest)))
        seen: list[list[int]] = []
        while min(copy.shape) >= CASCADE_WINDOW:
            boxes = self._classifier().detectMultiScale(copy, step, 0, minSize=window, maxSize=below_two)
            seen += np.rint(np.reshape(boxes, (-1, 4)) / scale).astype(int).tolist()
            copy, half = _resized(copy, 0.5)
            scale *= half
        twice = seen * 2  # since groups of one are left out
        places = cv2.groupRectangles(twice, 1, SAME_PLACE)[0]
        return [Box(*place) for place in np.reshape(places, (-1, 4)).tolist()]

    def _search_near(self, gray: np.ndarray, place: Box) -> list[RawDetection]:
        """Return the faces about as large as `place` in and around it."""
        border = round(place.width * NEAR_BORDER)
        left, top = max(0, place.x - border), max(0, place.y - border)
        part = gray[top : place.y + place.height + border, left : place.x + place.width + border]
        low, high = (place.width * share for share in NEAR_SIZES)
        copy, scale = _resized(part, min(1.0, NEAR_WINDOWS * CASCADE_WINDOW / low))
        smallest, largest = max(CASCADE_WINDOW, round(low * scale)), round(high * scale)
        boxes, neighbors = self._classifier().detectMultiScale2(
            copy,
            scaleFactor=CASCADE_STEP,
            minNeighbors=CASCADE_NEIGHBORS,
            minSize=(smallest, smallest),
            maxSize=(largest, largest),
        )
        rows = np.column_stack([np.reshape(boxes, (-1, 4)) / scale, np.ravel(neighbors)])
        return [RawDetection(left + x, top + y, width, height, count) for x, y, width, height, count in rows.tolist()]

    def _classifier(self) -> cv2.CascadeClassifier:
        """Return the cascade of this thread: one cannot look at two images at a time."""
        if not hasattr(self._threads, "classifier"):
            self._threads.classifier = _load_cascade()
        classifier: cv2.CascadeClassifier = self._threads.classifier
        return classifier


class MTCNN:
    """Three networks in a row, from coarse to fine: Zhang et al. 2016. Runs on TensorFlow.

    Args:
        smallest: the smallest face that is looked for, in pixels of its box's side.
    """

    def __init__(self, smallest: int) -> None:
        self._smallest = smallest / MTCNN_SCALE
        self._networks = _load_mtcnn()
        self._lock = threading.Lock()

    def detect(self, image: np.ndarray) -> list[Detection]:
        return _frame_all(self.detect_raw(image), MTCNN_SCALE)

    def detect_raw(self, image: np.ndarray) -> list[RawDetection]:
        """Return the faces as MTCNN itself frames them, each once, in no order."""
        small, scale = _shrink(image)
        rgb = np.repeat(small, 3, axis=2) if small.shape[2] == 1 else small
        smallest = max(MTCNN_WINDOW, self._smallest * scale)
        with self._lock:  # one image fills all cores, and two would take twice the memory
            rows = self._networks.detect_faces(
                rgb, min_face_size=smallest, box_format="xyxy", output_type="numpy", fit_to_image=False
            )
        raw_detections = (_to_raw(row, scale) for row in rows if row[5] >= MTCNN_SCORE)
        return _distinct(raw for raw in raw_detections if raw.side >= self._smallest)


def _to_raw(row: np.ndarray, scale: float) -> RawDetection:
    """Return a row of mtcnn's: image, left, top, right, bottom, score, x of five landmarks, y of five landmarks."""
    left, top, right, bottom = (row[1:5] / scale).tolist()
    (x1, x2), (y1, y2) = (row[6:8] / scale).tolist(), (row[11:13] / scale).tolist()
    first, second = sorted([(x1, y1), (x2, y2)])
    return RawDetection(left, top, right - left, bottom - top, float(row[5]), (first, second))


def _load_cascade() -> cv2.CascadeClassifier:
    folder = getattr(getattr(cv2, "data", None), "haarcascades", "")
    path = Path(folder) / CASCADE_FILE
    if not folder or not path.is_file():
        raise InputError(
            f"this OpenCV ({cv2.__version__}) does not bring {CASCADE_FILE}, which finds faces; install the one in "
            "requirements.txt, or look for faces with mtcnn"
        )
    return cv2.CascadeClassifier(str(path))


def _load_mtcnn() -> Any:
    try:
        from emotion.model_files import keras_setup  # first of all, since it keeps TensorFlow quiet

        if keras_setup.backend() != "tensorflow":
            raise InputError(
                f"mtcnn runs on TensorFlow, and Keras is set to {keras_setup.backend()}; unset KERAS_BACKEND, or look "
                "for faces with cascade"
            )
        with quiet():
            from emotion.faces.mtcnn_networks import load_networks

            return load_networks()
    except ImportError as error:
        raise InputError(
            f"mtcnn cannot find faces here ({error}); install what it needs: pip install mtcnn tensorflow keras, or "
            "look for faces with cascade"
        ) from None


def _shrink(image: np.ndarray) -> tuple[np.ndarray, float]:
    """Return `image`, or a smaller copy where it is large, to look for faces in; and the scale of that.

    What a model takes is never cut from the copy.
    """
    height, width = image.shape[:2]
    return _resized(image, min(1.0, math.sqrt(WORKING_PIXELS / (height * width))))


def _resized(image: np.ndarray, scale: float) -> tuple[np.ndarray, float]:
    """Return `image` at `scale`, at most 1, and that scale."""
    if scale == 1:
        return image, 1.0
    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return small.reshape(small.shape[:2] + image.shape[2:]), scale


def _enlarge(raw: RawDetection, factor: float) -> RawDetection:
    x, y, width, height = (factor * part for part in raw[:4])
    return raw._replace(x=x, y=y, width=width, height=height)


def _distinct(raw_detections: Iterable[RawDetection]) -> list[RawDetection]:
    """Return those of `sights` that are no second look at a face of which there is a more certain one."""
    kept: list[RawDetection] = []
    for raw in sorted(raw_detections, key=lambda raw: (-raw.certainty, raw)):
        if all(_shared(raw, other) <= SAME_FACE for other in kept):
            kept.append(raw)
    return kept


def _shared(one: RawDetection, other: RawDetection) -> float:
    """Return how much of the smaller of two boxes the other covers, 0 to 1."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(0.0, width) * max(0.0, height) / min(one.width * one.height, other.width * other.height)


def _frame_all(raw_detections: Iterable[RawDetection], scale: float) -> list[Detection]:
    found = [frame(raw, scale) for raw in raw_detections]
    return sorted(found, key=lambda face: (-face.box.width, face.box))


def frame(raw: RawDetection, scale: float) -> Detection:
    """Return a face in a square about the middle of its box, with `scale` times its side."""
    side = raw.side * scale
    x, y = raw.x + (raw.width - side) / 2, raw.y + (raw.height - side) / 2
    return Detection(Box(round(x), round(y), round(side), round(side)), raw.eyes)


def align_crop(image: np.ndarray, found: Detection, margin: float, size: int, color: str) -> np.ndarray:
    """Return the crop of a face as a model takes it, uint8 (size, size, 1 or 3).

    Args:
        image: uint8 (height, width, 1 or 3).
        found: the face. With eyes, the crop is turned about the center of the box so that they are level.
        margin: what is added on each side, as a share of the box's longer side. Beyond the image its border is
            repeated.
        size: height and width of the result in pixels.
        color: `grayscale` or `rgb`.
    """
    side = max(1, round(max(found.box.width, found.box.height) * (1 + 2 * margin)))
    shown = min(side, LARGEST_SIDE)
    angle = _tilt(found)
    center = _middle(found.box, side)
    part, corner, scale = _part(image, center, side * (abs(math.cos(angle)) + abs(math.sin(angle))), shown / side)
    # From a pixel of the crop to one of the part: turn about the middle, then shrink. Pixels count from their centers.
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]) * (side / shown)
    start = (center - corner + turn @ np.full(2, (1 - shown) / 2)) * scale - 0.5
    matrix = np.column_stack([turn * scale[:, None], start])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(part, matrix, (shown, shown), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return to_input(crop.reshape(shown, shown, image.shape[2]), size, color)


def _tilt(found: Detection) -> float:
    """Return by what angle, in radians, the line from eye to eye goes down towards the right; 0 where it is unknown."""
    if found.eyes is None:
        return 0.0
    (x1, y1), (x2, y2) = found.eyes
    if math.hypot(x2 - x1, y2 - y1) < LEAST_EYE_DISTANCE * max(found.box.width, found.box.height):
        return 0.0
    return math.atan2(y2 - y1, x2 - x1)


def _middle(box: Box, side: int) -> np.ndarray:
    """Return the middle (x, y) of the square of `side` pixels about a box; its corners lie between pixels."""
    return np.array([round(box.x + (box.width - side) / 2), round(box.y + (box.height - side) / 2)]) + side / 2


def _part(
    image: np.ndarray, center: np.ndarray, side: float, scale: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the part of an image that a square shows, at a smaller scale.

    Returns:
        The part, at least one pixel even where the square lies beyond the image; where its left upper corner is in
        the image (x, y); and its scale (x, y), which whole pixels make a little other than `scale`.
    """
    size = np.array([image.shape[1], image.shape[0]])
    # A pixel more on each side, since a turned crop mixes neighbors.
    corner = np.clip(np.floor(center - side / 2).astype(int) - 1, 0, size - 1)
    end = np.clip(np.ceil(center + side / 2).astype(int) + 1, corner + 1, size)
    part = image[corner[1] : end[1], corner[0] : end[0]]
    if scale == 1:
        return part, corner, np.ones(2)
    smaller = np.maximum(1, np.rint((end - corner) * scale)).astype(int)
    return cv2.resize(part, smaller.tolist(), interpolation=cv2.INTER_AREA), corner, smaller / (end - corner)
