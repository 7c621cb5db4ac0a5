"""emotion.faces.detection: faces are found where they are, framed as FER2013 frames them, and cut out at any border."""

import csv
import math
import subprocess
import sys
import tarfile
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.core.errors import InputError
from emotion.core.metadata import DETECTORS
from emotion.data.images import to_input
from emotion.faces import detection
from emotion.faces.detection import Box, Cascade, Detection, Detector, RawDetection, align_crop, frame, make_detector
from tests.makers import find_fer2013

FACE = (224, 115)
"""The middle of the astronaut's face."""

WITHOUT_FACES = ("coffee", "chelsea", "text", "brick", "grass", "rocket")


@pytest.fixture(scope="module")
def data():
    return pytest.importorskip("skimage.data", reason="scikit-image has the photos")


@pytest.fixture(scope="module")
def make(deterministic):
    """Return detectors; those that were made once are kept, since loading TensorFlow takes long."""
    made: dict[tuple[str, int], Detector] = {}
    return lambda name, smallest=40: made.setdefault((name, smallest), make_detector(name, smallest))


@pytest.fixture(params=DETECTORS)
def name(request):
    return request.param


def middle(box):
    return box.x + box.width / 2, box.y + box.height / 2


def is_face(found, times=1.0, shift=(0, 0)):
    """Return whether that is the astronaut's face, in an image that was enlarged and then shifted."""
    x, y = (times * place + by for place, by in zip(FACE, shift, strict=True))
    near = math.dist(middle(found.box), (x, y)) < 12 * times
    return near and found.box.width == found.box.height and 90 * times < found.box.width < 116 * times


def enlarged(image, times):
    return cv2.resize(image, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)


class TestFinding:
    def test_a_photo_has_its_one_face(self, make, name, astronaut):
        (found,) = make(name).detect(astronaut)
        assert is_face(found)

    def test_only_mtcnn_tells_the_eyes(self, make, astronaut):
        (by_cascade,), (by_mtcnn,) = (make(name).detect(astronaut) for name in ("cascade", "mtcnn"))
        assert by_cascade.eyes is None
        np.testing.assert_allclose(by_mtcnn.eyes, [(203, 100), (246, 102)], atol=4)

    def test_both_detectors_frame_a_face_alike(self, make, astronaut):
        (one,), (other,) = (make(name).detect(astronaut) for name in ("cascade", "mtcnn"))
        assert one.box.width == pytest.approx(other.box.width, rel=0.12)
        np.testing.assert_allclose(middle(one.box), middle(other.box), atol=5)

    @pytest.mark.parametrize("photo", WITHOUT_FACES)
    def test_a_photo_without_faces_has_none(self, make, name, data, photo):
        image = np.asarray(getattr(data, photo)())
        assert make(name).detect(image.reshape(*image.shape[:2], -1)) == []

    def test_gray_and_rgb_give_the_same(self, make, name, astronaut):
        gray = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)[:, :, None]
        found = make(name).detect(gray)
        assert found == make(name).detect(np.repeat(gray, 3, axis=2))
        assert [is_face(face) for face in found] == [True]

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
    def test_faces_that_are_too_small_are_not_looked_for(self, make, name, astronaut, smallest, count):
        """mtcnn 1.0.0 itself finds nothing where the smallest face has more than some 25 pixels."""
        assert len(make(name, smallest).detect(astronaut)) == count

    def test_small_faces_are_found(self, make, name, astronaut):
        half = cv2.resize(astronaut, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        assert [is_face(found, 0.5) for found in make(name).detect(half)] == [True]
        assert make(name, 85).detect(half) == []

    @pytest.mark.parametrize(("smallest", "count"), [(40, 1), (500, 1), (1000, 0)])
    def test_large_images_count_in_their_own_pixels(self, make, name, astronaut, smallest, count):
        found = make(name, smallest).detect(enlarged(astronaut, 6.77))
        assert [is_face(face, 6.77) for face in found] == count * [True]

    def test_large_images_are_searched_in_a_smaller_copy(self):
        copy, scale = detection._shrink(np.zeros((3_000, 20_000, 1), np.uint8))
        assert copy.shape == (561, 3739, 1)
        assert scale == pytest.approx(0.187, abs=0.001)
        image = np.zeros((1080, 1920, 3), np.uint8)
        assert detection._shrink(image)[0] is image

    def test_a_face_in_a_long_panorama_is_found(self, make, name, astronaut):
        panorama = np.full((600, 20_000, 3), 120, np.uint8)
        panorama[40:552, 9_000:9_512] = astronaut
        assert [is_face(found, shift=(9_000, 40)) for found in make(name).detect(panorama)] == [True]

    def test_fifty_faces_of_several_sizes_are_found_the_largest_first(self, make, name, astronaut):
        sheet, middles = crowd([astronaut[35:195, 144:304]] * 50)
        found = make(name).detect(sheet)
        assert count_found(found, middles) >= 48
        assert len(found) <= 52
        sides = [face.box.width for face in found]
        assert sides == sorted(sides, reverse=True)

    @pytest.mark.fer2013
    @pytest.mark.parametrize(("name", "share"), [("cascade", 0.6), ("mtcnn", 0.75)])
    def test_most_of_fifty_faces_of_fer2013_are_found(self, make, name, share):
        images = [cv2.copyMakeBorder(image, 16, 16, 16, 16, cv2.BORDER_REPLICATE) for image in read_faces(50)]
        sheet, middles = crowd([image[:, :, None] for image in images])
        found = make(name, 30).detect(sheet)
        assert count_found(found, middles) >= share * 50
        assert len(found) <= 60

    def test_faces_cut_by_the_border(self, make, name, astronaut):
        for image in (
            astronaut[85:],
            astronaut[:150],
            astronaut[:, 195:],
            astronaut[:, :250],
            astronaut[70:160, 180:270],
        ):
            for found in make(name, 30).detect(image):
                assert align_crop(image, found, 0.2, 48, "grayscale").shape == (48, 48, 1)

    def test_the_box_of_a_face_at_the_border_reaches_beyond(self, make, astronaut):
        (found,) = make("mtcnn").detect(astronaut[:, 195:])
        assert found.box.x < 0
        assert is_face(found, shift=(-195, 0))

    @pytest.mark.parametrize("degrees", [-20, 20])
    def test_mtcnn_tells_the_tilt(self, make, astronaut, degrees):
        turn = cv2.getRotationMatrix2D(FACE, -degrees, 1)
        (found,) = make("mtcnn").detect(cv2.warpAffine(astronaut, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE))
        assert math.degrees(detection._tilt(found)) == pytest.approx(degrees + 3, abs=4)


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


def count_found(found, middles):
    """Return about how many of the middles there is a box."""
    return sum(any(math.dist(middle(face.box), (x, y)) < 0.4 * half for face in found) for x, y, half in middles)


def read_faces(count):
    """Return the first images of FER2013."""
    with tarfile.open(find_fer2013(), "r:gz") as archive:
        (member,) = (member for member in archive if member.name.endswith("/fer2013.csv"))
        content = archive.extractfile(member)
        assert content is not None
        lines = csv.DictReader(line.decode() for line in content)
        return [np.array(next(lines)["pixels"].split(), np.uint8).reshape(48, 48) for _ in range(count)]


class TestMaking:
    @pytest.mark.parametrize(
        ("detector", "smallest", "match"), [("dlib", 40, "cascade, mtcnn"), ("cascade", 0, "at least 1")]
    )
    def test_what_cannot_be_is_refused(self, detector, smallest, match):
        with pytest.raises(InputError, match=match):
            make_detector(detector, smallest)

    def test_without_mtcnn_the_message_says_what_to_install(self, monkeypatch, deterministic):
        monkeypatch.delitem(sys.modules, "emotion.faces.mtcnn_networks", raising=False)
        monkeypatch.setitem(sys.modules, "mtcnn", None)
        with pytest.raises(InputError, match="pip install mtcnn tensorflow"):
            make_detector("mtcnn", 40)

    def test_mtcnn_wants_tensorflow_as_the_backend(self, monkeypatch):
        monkeypatch.setattr("emotion.model_files.keras_setup.backend", lambda: "jax")
        with pytest.raises(InputError, match="Keras is set to jax"):
            make_detector("mtcnn", 40)

    def test_an_opencv_without_cascades_is_refused(self, monkeypatch):
        monkeypatch.setattr(detection, "CASCADE_FILE", "none.xml")
        with pytest.raises(InputError, match=r"does not bring none\.xml"):
            make_detector("cascade", 40)

    def test_mtcnn_says_nothing_asks_no_network_and_unpickles_nothing_of_the_working_folder(self, tmp_path, data):
        import pickle

        class Bomb:
            def __reduce__(self):
                return print, ("unpickled",)

        for file in ("pnet.lz4", "rnet.lz4", "onet.lz4"):
            (tmp_path / file).write_bytes(pickle.dumps(Bomb()))
        script = (
            "import socket, sys\n"
            "socket.socket.connect = lambda *_: sys.exit('asked the network')\n"
            "from skimage import data\n"
            "from emotion.faces.detection import make_detector\n"
            "assert 'tensorflow' not in sys.modules\n"
            "assert len(make_detector('mtcnn', 40).detect(data.astronaut())) == 1\n"
        )
        done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_a_crowd_takes_bounded_memory(self, monkeypatch, make, astronaut):
        make("mtcnn")
        from emotion.faces import mtcnn_networks

        monkeypatch.setattr(mtcnn_networks, "MOST_PLACES", 5)
        sheet, _ = crowd([astronaut[35:195, 144:304]] * 50)
        assert 1 <= len(make("mtcnn").detect(sheet)) <= 5


class TestFraming:
    def test_a_square_lies_about_the_middle_of_the_box(self):
        found = frame(RawDetection(100, 50, 80, 120, 1.0), 1.1)
        assert found == Detection(Box(85, 55, 110, 110))
        assert frame(RawDetection(0, 0, 10, 10, 1.0), 1.6).box == (-3, -3, 16, 16)

    def test_of_boxes_over_each_other_the_most_certain_stays(self):
        whole, mouth, twin = (
            RawDetection(0, 0, 100, 100, 9),
            RawDetection(30, 60, 30, 30, 5),
            RawDetection(8, -5, 104, 104, 7),
        )
        neighbor = RawDetection(70, 0, 100, 100, 6)
        assert detection._distinct([mouth, twin, whole, neighbor]) == [whole, neighbor]


BOXES = st.builds(Box, st.integers(-90, 130), st.integers(-90, 130), *[st.shared(st.integers(1, 120), key="side")] * 2)
IMAGE = np.random.default_rng(5).integers(0, 256, (60, 80, 3), dtype=np.uint8)


def spots(tilt, distance=80, size=400):
    """Return a black image with two bright eyes about its middle, and the face there, half as large as it."""
    image = np.zeros((size, size, 1), np.uint8)
    half = np.array([math.cos(tilt), math.sin(tilt)]) * distance / 2
    (x1, y1), (x2, y2) = eyes = (size / 2 - half).tolist(), (size / 2 + half).tolist()
    for x, y in eyes:
        cv2.circle(image, (round(x), round(y)), size // 40, 255, -1)
    return image, Detection(Box(size // 4, size // 4, size // 2, size // 2), ((x1, y1), (x2, y2)))


class TestCutting:
    @given(box=BOXES, margin=st.floats(-0.3, 0.6), color=st.sampled_from(["grayscale", "rgb"]))
    def test_beyond_the_image_its_border_is_repeated(self, box, margin, color):
        side = max(1, round(box.width * (1 + 2 * margin)))
        left, top = round(box.x + (box.width - side) / 2), round(box.y + (box.height - side) / 2)
        rows, columns = np.clip(np.arange(top, top + side), 0, 59), np.clip(np.arange(left, left + side), 0, 79)
        expected = to_input(IMAGE[rows[:, None], columns], 48, color)
        np.testing.assert_array_equal(align_crop(IMAGE, Detection(box), margin, 48, color), expected)

    def test_a_crop_of_the_models_size_keeps_its_pixels(self):
        np.testing.assert_array_equal(align_crop(IMAGE, Detection(Box(7, 3, 48, 48)), 0, 48, "rgb"), IMAGE[3:51, 7:55])

    def test_a_box_that_is_no_square_keeps_its_longer_side(self):
        np.testing.assert_array_equal(align_crop(IMAGE, Detection(Box(17, 3, 28, 48)), 0, 48, "rgb"), IMAGE[3:51, 7:55])

    @pytest.mark.parametrize("degrees", [-50, -20, -3, 0, 8, 35, 60])
    @pytest.mark.parametrize("times", [1, 9])
    def test_eyes_become_level(self, degrees, times):
        # The larger ones are made smaller before they are turned.
        image, found = spots(math.radians(degrees), distance=80 * times, size=400 * times)
        crop = align_crop(image, found, 0, 100, "grayscale")[:, :, 0].astype(float)
        for half, expected in ((crop[:, :50], 30), (crop[:, 50:], 20)):
            y, x = (np.average(places, weights=half) for places in np.indices(half.shape))
            assert (x + 0.5, y + 0.5) == pytest.approx((expected, 50), abs=0.8)

    def test_eyes_close_together_tell_no_angle(self):
        image, found = spots(math.radians(70), distance=20)
        np.testing.assert_array_equal(
            align_crop(image, found, 0, 48, "grayscale"), align_crop(image, Detection(found.box), 0, 48, "grayscale")
        )

    @pytest.mark.parametrize("tilt", [0, 0.3])
    @pytest.mark.parametrize("side", [500, 3000])
    def test_shrinking_averages(self, tilt, side):
        stripes = np.tile(np.array([0, 200], np.uint8), (side, side // 2))[:, :, None]
        _, found = spots(tilt, distance=side / 5, size=side)
        crop = align_crop(stripes, found, 0, 48, "grayscale").astype(int)
        assert np.abs(crop - 100).max() <= 20

    @pytest.mark.parametrize("box", [Box(2990, 2990, 3000, 3000), Box(-9000, 400, 5000, 5000), Box(0, 0, 3000, 3000)])
    def test_no_border_takes_much_memory(self, box):
        image = np.full((3000, 3000, 3), 77, np.uint8)
        tracemalloc.start()
        try:
            crop = align_crop(image, Detection(box, ((600.0, 500.0), (2400.0, 900.0))), 2.0, 48, "rgb")
            assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
        finally:
            tracemalloc.stop()
        assert (crop == 77).all()

    def test_images_of_one_pixel_can_be_cut(self):
        assert (align_crop(np.full((1, 1, 1), 9, np.uint8), Detection(Box(-3, -3, 9, 9)), 0.1, 48, "rgb") == 9).all()


def test_the_cascade_finds_what_cascades_find(astronaut):
    """`look` keeps the cascade's own framing, which `detect` enlarges."""
    detector = Cascade(40)
    (raw,), (found,) = detector.detect_raw(astronaut), detector.detect(astronaut)
    assert found.box.width == round(raw.width * detection.CASCADE_SCALE)
    assert middle(found.box) == pytest.approx((raw.x + raw.width / 2, raw.y + raw.height / 2), abs=1)
