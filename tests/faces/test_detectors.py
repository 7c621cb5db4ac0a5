"""The detectors find faces where they are, framed as FER2013 frames them, and the same ones every time."""

import csv
import hashlib
import math
import os
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotion.core.errors import InputError
from emotion.core.metadata import DETECTORS
from emotion.faces import cascade, close_look, yunet_network
from emotion.faces.cascade import CascadeDetector
from emotion.faces.crop import align_crop
from emotion.faces.detection import Detector
from emotion.faces.detectors import choose_detector, make_detector
from emotion.faces.framing import CASCADE_FRAMING
from emotion.faces.working_copy import shrink_to_search
from emotion.faces.yunet import QUICK, THOROUGH, YuNetDetector
from emotion.faces.yunet_network import find_faces
from tests.makers import find_fer2013

FACE = (224, 115)
"""The middle of the astronaut's face."""

WITHOUT_FACES = ("coffee", "chelsea", "text", "brick", "grass", "rocket")


@pytest.fixture(scope="module")
def data():
    return pytest.importorskip("skimage.data", reason="scikit-image has the photos")


@pytest.fixture(scope="module")
def make():
    """Return detectors; those that were made once are kept."""
    made: dict[tuple[str, int], Detector] = {}
    return lambda name, smallest=40: made.setdefault((name, smallest), make_detector(name, smallest))


@pytest.fixture(params=DETECTORS)
def name(request):
    return request.param


def middle(box):
    return box.x + box.width / 2, box.y + box.height / 2


def is_face(detection, times=1.0, shift=(0, 0)):
    """Return whether that is the astronaut's face, in an image that was enlarged and then shifted."""
    x, y = (times * place + by for place, by in zip(FACE, shift, strict=True))
    near = math.dist(middle(detection.box), (x, y)) < 12 * times
    return near and detection.box.width == detection.box.height and 90 * times < detection.box.width < 130 * times


def enlarged(image, times):
    return cv2.resize(image, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)


class TestDetecting:
    def test_a_photo_has_its_one_face(self, make, name, astronaut):
        (detection,) = make(name).detect(astronaut)
        assert is_face(detection)

    def test_both_detectors_frame_a_face_alike(self, make, astronaut):
        (one,), (other,) = (make(name).detect(astronaut) for name in DETECTORS)
        assert one.box.width == pytest.approx(other.box.width, rel=0.18)
        np.testing.assert_allclose(middle(one.box), middle(other.box), atol=7)

    @pytest.mark.parametrize("photo", WITHOUT_FACES)
    def test_a_photo_without_faces_has_none(self, make, name, data, photo):
        image = np.asarray(getattr(data, photo)())
        assert make(name).detect(image.reshape(*image.shape[:2], -1)) == []

    def test_gray_and_rgb_give_the_same(self, make, name, astronaut):
        gray = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)[:, :, None]
        detections = make(name).detect(gray)
        assert detections == make(name).detect(np.repeat(gray, 3, axis=2))
        assert [is_face(detection) for detection in detections] == [True]

    def test_the_same_image_gives_the_same(self, make, name, astronaut):
        first = make(name).detect(astronaut)
        assert make(name).detect(astronaut) == first
        before = cv2.getNumThreads()
        try:
            cv2.setNumThreads(1)
            assert make(name).detect(astronaut) == first
        finally:
            cv2.setNumThreads(before)

    def test_threads_do_not_disturb_each_other(self, make, name, astronaut):
        images = [astronaut[:300, 100:400], astronaut[:300, 400:100:-1], astronaut[:250]] * 2
        expected = [make(name).detect(image) for image in images]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(make(name).detect, images)) == expected

    @pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 400), (400, 1), (11, 300), (19, 19), (25, 25), (20, 5000)])
    def test_tiny_and_thin_images_have_no_face(self, make, name, shape):
        noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
        for image in (noise, noise[:, :, :1], np.full_like(noise, 90)):
            assert make(name).detect(image) == []

    def test_noise_and_flat_images_have_no_face(self, make, name):
        noise = np.random.default_rng(0).integers(0, 256, (300, 400, 1), dtype=np.uint8)
        assert make(name).detect(noise) == make(name).detect(np.zeros((300, 400, 3), np.uint8)) == []

    @pytest.mark.parametrize(("smallest", "count"), [(40, 1), (85, 1), (150, 0)])
    def test_faces_that_are_too_small_are_not_detected(self, make, name, astronaut, smallest, count):
        assert len(make(name, smallest).detect(astronaut)) == count

    def test_small_faces_are_detected(self, make, name, astronaut):
        half = cv2.resize(astronaut, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        assert [is_face(detection, 0.5) for detection in make(name).detect(half)] == [True]
        assert make(name, 85).detect(half) == []

    @pytest.mark.parametrize(("smallest", "count"), [(40, 1), (500, 1), (1000, 0)])
    def test_large_images_count_in_their_own_pixels(self, make, name, astronaut, smallest, count):
        detections = make(name, smallest).detect(enlarged(astronaut, 6.77))
        assert [is_face(detection, 6.77) for detection in detections] == count * [True]

    def test_large_images_are_searched_in_a_smaller_copy(self):
        copy, scale = shrink_to_search(np.zeros((3_000, 20_000, 1), np.uint8))
        assert copy.shape == (561, 3739, 1)
        assert scale == pytest.approx(0.187, abs=0.001)
        image = np.zeros((1080, 1920, 3), np.uint8)
        assert shrink_to_search(image)[0] is image

    def test_a_face_in_a_long_panorama_is_detected(self, make, name, astronaut):
        panorama = np.full((600, 20_000, 3), 120, np.uint8)
        panorama[40:552, 9_000:9_512] = astronaut
        assert [is_face(detection, shift=(9_000, 40)) for detection in make(name).detect(panorama)] == [True]

    def test_fifty_faces_of_several_sizes_are_detected_the_largest_first(self, make, name, astronaut):
        sheet, middles = crowd([astronaut[35:195, 144:304]] * 50)
        detections = make(name).detect(sheet)
        assert count_detected(detections, middles) >= 48
        assert len(detections) <= 52
        sides = [detection.box.width for detection in detections]
        assert sides == sorted(sides, reverse=True)

    @pytest.mark.fer2013
    @pytest.mark.parametrize(("name", "share"), [("cascade", 0.6), ("yunet", 0.75)])
    def test_most_of_fifty_faces_of_fer2013_are_detected(self, make, name, share):
        images = [cv2.copyMakeBorder(image, 16, 16, 16, 16, cv2.BORDER_REPLICATE) for image in read_faces(50)]
        sheet, middles = crowd([image[:, :, None] for image in images])
        detections = make(name, 30).detect(sheet)
        assert count_detected(detections, middles) >= share * 50
        assert len(detections) <= 60

    def test_faces_at_the_border_of_an_image(self, make, name, astronaut):
        for image in (
            astronaut[85:],
            astronaut[:150],
            astronaut[:, 195:],
            astronaut[:, :250],
            astronaut[70:160, 180:270],
        ):
            for detection in make(name, 30).detect(image):
                assert align_crop(image, detection, 0.2, 48, "grayscale").shape == (48, 48, 1)

    def test_the_box_of_a_face_at_the_border_reaches_beyond(self, make, astronaut):
        (detection,) = make("yunet").detect(astronaut[:, 195:])
        assert detection.box.x < 0
        assert is_face(detection, shift=(-195, 0))

    @pytest.mark.parametrize("times", [0.7, 1, 3, 6])
    @pytest.mark.parametrize("degrees", [-40, -25, 25, 40])
    def test_yunet_measures_the_tilt(self, make, astronaut, degrees, times):
        turn = cv2.getRotationMatrix2D(FACE, -degrees, 1)
        turned = cv2.warpAffine(astronaut, turn, (512, 512), borderMode=cv2.BORDER_REFLECT_101)
        (detection,) = make("yunet").detect(cv2.resize(turned, None, fx=times, fy=times))
        assert math.degrees(detection.tilt) == pytest.approx(degrees + 5, abs=9)

    def test_a_small_tilt_is_left(self, make, astronaut):
        (detection,) = make("yunet").detect(astronaut)
        assert detection.tilt == 0

    def test_a_close_look_confirms_and_rejects(self, make, astronaut):
        (raw,) = make("yunet").detect_raw(astronaut)
        assert close_look.confirm(astronaut, raw)
        assert not close_look.confirm(astronaut, raw._replace(x=0, y=350))
        assert close_look.measure_tilt(np.zeros_like(astronaut), raw) == 0

    @pytest.mark.parametrize("thorough", [False, True])
    def test_a_large_face_fills_a_large_image(self, astronaut, thorough):
        face = enlarged(astronaut[0:230, 110:340], 9)
        (detection,) = make_detector("yunet", 40, thorough=thorough).detect(face)
        assert is_face(detection, 9, (-9 * 110, 0))

    @pytest.mark.parametrize(
        ("size", "smallest", "thorough", "scales"),
        [
            ((512, 512), 40, False, [0.5]),
            ((512, 512), 40, True, [1.0]),
            ((240, 320), 40, False, [0.8]),
            ((480, 640), 24, False, [20 / 24]),
            ((1080, 1920), 40, False, [0.5, 320 / 1920]),
            ((3000, 4000), 40, True, [(2**21 / 12e6) ** 0.5, 0.08]),
        ],
    )
    def test_the_copies_that_are_searched(self, size, smallest, thorough, scales):
        detector = YuNetDetector(smallest, THOROUGH if thorough else QUICK)
        assert detector._scales(np.zeros((*size, 1), np.uint8)) == pytest.approx(scales)

    def test_thorough_finds_smaller_faces(self, astronaut):
        small = cv2.resize(astronaut, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)
        quick, thorough = (make_detector("yunet", 18, thorough=thorough) for thorough in (False, True))
        assert len(thorough.detect(small)) >= len(quick.detect(small))
        assert [is_face(detection, 0.2) for detection in thorough.detect(small)] == [True]


def test_the_weights_are_those_of_their_source():
    """The checksum is that of opencv_zoo's face_detection_yunet_2023mar.onnx, as its readme states it."""
    digest = hashlib.sha256(yunet_network.load_weights()).hexdigest()
    assert digest == "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
    folder = Path(yunet_network.__file__).with_name("weights")
    assert digest in (folder / "README.md").read_text(encoding="utf-8")
    assert "Permission is hereby granted" in (folder / "LICENSE.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("shape", [(512, 512), (311, 500), (90, 40)])
@pytest.mark.parametrize("channels", [1, 3])
def test_opencv_finds_the_same_faces_with_the_same_file(astronaut, shape, channels):
    image = cv2.resize(astronaut, shape[::-1], interpolation=cv2.INTER_AREA)
    image = image if channels == 3 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[:, :, None]
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR if channels == 3 else cv2.COLOR_GRAY2BGR)
    path = Path(yunet_network.__file__).with_name("weights") / yunet_network.WEIGHTS_FILE
    rows = cv2.FaceDetectorYN.create(str(path), "", shape[::-1], 0.3, yunet_network.MOST_OVERLAP).detect(bgr)[1]
    found = [[*raw[:4], *np.ravel(np.array(raw.landmarks)), raw.certainty] for raw in find_faces(image, 0.3)]
    assert len(found) >= (1 if min(shape) > 100 else 0)
    np.testing.assert_allclose(np.reshape(found, (-1, 15)), np.empty((0, 15)) if rows is None else rows, atol=0.01)


def test_rows_that_overflow_are_dropped(monkeypatch, astronaut):
    """The network gives infinite and huge boxes for some images, since sizes are exponentials."""
    session = yunet_network._load_session(os.getpid())

    class Overflowing:
        def run(self, names, inputs):
            outputs = dict(zip(names, session.run(names, inputs), strict=True))
            outputs["bbox_16"][0, :, 2:] = [[800.0, 1.0], [15.0, 15.0], *outputs["bbox_16"][0, 2:, 2:]]
            outputs["cls_16"][0, :2] = outputs["obj_16"][0, :2] = 1
            return list(outputs.values())

    expected = find_faces(astronaut, 0.5)
    monkeypatch.setattr(yunet_network, "_load_session", lambda _: Overflowing())
    assert find_faces(astronaut, 0.5) == expected


def crowd(images):
    """Return a sheet of square images of faces in several sizes, mirrored and lightened by turns; and their middles.

    The middles come with half of the side of their images.
    """
    columns, cell = 10, 150
    sheet = np.full((cell * (len(images) // columns), cell * columns, images[0].shape[2]), 128, np.uint8)
    middles = []
    for number, image in enumerate(images):
        side = (90, 105, 120, 135, 149)[number % 5]
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA).reshape(side, side, -1)
        small = small[:, ::-1] if number % 2 else small
        y, x = (cell * place for place in divmod(number, columns))
        sheet[y : y + side, x : x + side] = cv2.convertScaleAbs(small, alpha=0.7 + 0.1 * (number % 4)).reshape(
            small.shape
        )
        middles.append((x + side / 2, y + side / 2, side / 2))
    return sheet, middles


def count_detected(detections, middles):
    """Return about how many of the middles there is a box."""
    return sum(
        any(math.dist(middle(detection.box), (x, y)) < 0.4 * half for detection in detections) for x, y, half in middles
    )


def read_faces(count):
    """Return the first images of FER2013."""
    with tarfile.open(find_fer2013(), "r:gz") as archive:
        (member,) = (member for member in archive if member.name.endswith("/fer2013.csv"))
        content = archive.extractfile(member)
        assert content is not None
        lines = csv.DictReader(line.decode() for line in content)
        return [np.array(next(lines)["pixels"].split(), np.uint8).reshape(48, 48) for _ in range(count)]


class TestChoosing:
    def test_the_cascade_has_no_thorough_search(self):
        with pytest.raises(InputError, match=r"thorough.*yunet"):
            make_detector("cascade", 40, thorough=True)

    @pytest.mark.parametrize(
        ("detector", "smallest", "match"), [("dlib", 40, "yunet, cascade"), ("cascade", 0, "at least 1")]
    )
    def test_what_cannot_be_is_refused(self, detector, smallest, match):
        with pytest.raises(InputError, match=match):
            make_detector(detector, smallest)

    def test_of_the_choices_only_the_four_are_known(self):
        with pytest.raises(InputError, match=r"detector: got 'dlib', expected .*auto, yunet, cascade, whole"):
            choose_detector("dlib", default="cascade", smallest=40)

    def test_an_opencv_without_cascades_is_refused(self, monkeypatch):
        monkeypatch.setattr(cascade, "CASCADE_FILE", "none.xml")
        with pytest.raises(InputError, match=r"lacks none\.xml.*opencv-python-headless"):
            make_detector("cascade", 40)


def test_detect_enlarges_the_cascades_own_box(astronaut):
    detector = CascadeDetector(40)
    (raw,), (detection,) = detector.detect_raw(astronaut), detector.detect(astronaut)
    assert detection.box.width == round(raw.width * CASCADE_FRAMING.scale)
    assert middle(detection.box) == pytest.approx((raw.x + raw.width / 2, raw.y + raw.height / 2), abs=1)
