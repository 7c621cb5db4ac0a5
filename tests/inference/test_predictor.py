"""emotion.inference.predictor: one predictor, and every way to a face ends in the same probabilities."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from emotion.core.emotion_names import EMOTIONS
from emotion.core.errors import InputError
from emotion.core.metadata import ModelMetadata
from emotion.data.images import ImageError, decode, from_frame, read_image, to_input
from emotion.evaluation.metrics import apply_temperature
from emotion.faces.crop import align_crop
from emotion.faces.detection import Box, Detection
from emotion.faces.whole_image import LARGEST_CROP, SMALLEST_CROP
from emotion.inference.defaults import SMALL_STANDARD, STANDARD, STANDARD_FILE
from emotion.inference.predictor import BATCH_SIZE, Predictor, find_standard
from emotion.model_files.probabilities import predict_probabilities
from emotion.runtimes.engines import load_engine
from tests.makers import encode, write_onnx

SAME = 1e-6
"""By how much probabilities differ where the same images go through in other batches."""


@pytest.fixture
def make(tmp_path):
    """Return a predictor of a model file with metadata of its own; its random weights are always the same."""

    def build(*, detector="whole", emotions=EMOTIONS, size=24, color="grayscale", **metadata):
        path = write_onnx(tmp_path / "model.onnx", ModelMetadata(emotions, size, color, **metadata))
        return Predictor(path, detector=detector)

    return build


@pytest.fixture
def images():
    """Return gray images of faces' size, for `whole`."""
    return list(np.random.default_rng(8).integers(0, 256, (BATCH_SIZE + 5, 30, 30, 1), dtype=np.uint8))


def flat(faces):
    """Return the faces of several images in one list."""
    return [face for some in faces for face in some]


def probabilities(faces):
    return np.array([face.probabilities for face in faces])


class TestPredictions:
    def test_a_photo_gives_a_face(self, predictor, astronaut):
        (face,) = predictor.predict(astronaut)
        assert face.box.width == face.box.height
        assert face.box.x < 224 < face.box.x + face.box.width
        assert face.probabilities.shape == (7,)
        assert face.probabilities.dtype == np.float64
        assert face.probabilities.sum() == pytest.approx(1)
        assert face.emotion == EMOTIONS[face.probabilities.argmax()]
        assert face.confidence == face.probabilities.max()

    def test_names_and_order_are_those_in_the_file(self, make, images):
        reversed_names = make(emotions=EMOTIONS[::-1])
        assert reversed_names.emotions == EMOTIONS[::-1]
        faces = reversed_names.predict_many(images)
        expected = [reversed_names.emotions[place] for place in probabilities(flat(faces)).argmax(axis=1)]
        assert [face.emotion for (face,) in faces] == expected
        assert len(set(expected)) > 1

    def test_the_mirror_image_counts_where_the_file_says_so(self, make, images):
        plain = probabilities(flat(make().predict_many(images)))
        mirrored = probabilities(flat(make().predict_many([image[:, ::-1] for image in images])))
        both = probabilities(flat(make(flip=True).predict_many(images)))
        assert np.abs(plain - mirrored).max() > 0.01
        np.testing.assert_allclose(both, (plain + mirrored) / 2, atol=SAME)

    def test_probabilities_are_calibrated_by_the_temperature(self, make, images):
        hot = make(temperature=2.0)
        crops = np.stack([to_input(image, 24, "grayscale") for image in images])
        before = hot.probabilities(crops)
        np.testing.assert_allclose(before, make().probabilities(crops), atol=SAME)
        after = probabilities(flat(hot.predict_many(images)))
        np.testing.assert_allclose(after, apply_temperature(before, 2.0), atol=SAME)
        assert after.max(axis=1).mean() < before.max(axis=1).mean()

    @pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
    def test_of_two_emotions_the_threshold_decides_before_the_temperature(self, make, images, temperature):
        plain = make(emotions=("calm", "tense"))
        second = plain.probabilities(np.stack([to_input(image, 24, "grayscale") for image in images]))[:, 1]
        threshold = float(np.quantile(second, 0.8))
        assert threshold > 0.5
        strict = make(emotions=("calm", "tense"), threshold=threshold, temperature=temperature)
        faces = flat(strict.predict_many(images))
        assert [face.emotion for face in faces] == [("calm", "tense")[int(share > threshold)] for share in second]
        for face in faces:
            assert face.confidence == face.probabilities[strict.emotions.index(face.emotion)]

    def test_one_output_is_the_probability_of_the_second_emotion(self, make, images, monkeypatch):
        predictor = make(emotions=("calm", "tense"))
        monkeypatch.setattr(predictor._engine, "predict", lambda x, **_: np.full((len(x), 1), 0.3, np.float32))
        (face,) = predictor.predict(images[0])
        np.testing.assert_allclose(face.probabilities, [0.7, 0.3], atol=SAME)
        assert (face.emotion, face.confidence) == ("calm", pytest.approx(0.7))

    def test_many_images_give_what_each_gives_alone(self, make, images):
        predictor = make()
        together = predictor.predict_many(images)
        alone = [predictor.predict(image) for image in images]
        assert [face.box for (face,) in together] == [face.box for (face,) in alone]
        np.testing.assert_allclose(probabilities(flat(together)), probabilities(flat(alone)), atol=SAME)

    def test_faces_stay_with_their_images(self, predictor, astronaut):
        empty, two = np.zeros((300, 200, 1), np.uint8), np.hstack([astronaut, astronaut[:, ::-1]])
        first, none, both, last = predictor.predict_many([astronaut, empty, two, astronaut])
        assert [len(faces) for faces in (first, none, both, last)] == [1, 0, 2, 1]
        np.testing.assert_allclose(probabilities(first), probabilities(last), atol=SAME)
        left = min(both, key=lambda face: face.box.x)
        np.testing.assert_allclose(left.probabilities, first[0].probabilities, atol=0.05)

    def test_no_images_and_no_faces_give_nothing(self, predictor):
        assert predictor.predict_many([]) == []
        assert predictor.predict(np.zeros((300, 300, 3), np.uint8)) == []
        assert predictor.probabilities(np.empty(0)).shape == (0, 7)

    def test_fifty_faces(self, predictor, astronaut):
        sheet = np.tile(astronaut[30:190, 140:310], (5, 10, 1))
        faces = predictor.predict(sheet)
        assert len(faces) == 50
        assert np.ptp(probabilities(faces), axis=0).max() < 0.25

    def test_faces_at_the_border_of_an_image(self, predictor, astronaut):
        for image in (astronaut[85:], astronaut[:150], astronaut[:, 195:], astronaut[:, :255]):
            for face in predictor.predict(image):
                assert face.probabilities.sum() == pytest.approx(1)


class TestWholeAndAuto:
    @pytest.mark.parametrize("shape", [(48, 48), (LARGEST_CROP, LARGEST_CROP), (100, 70), (SMALLEST_CROP, 30)])
    def test_small_images_are_faces(self, predictor, shape):
        detections = predictor.detect(np.zeros((*shape, 3), np.uint8))
        assert detections == [Detection(Box(0, 0, shape[1], shape[0]))]

    @pytest.mark.parametrize("shape", [(LARGEST_CROP + 1, 60), (60, LARGEST_CROP + 1), (300, 300)])
    def test_larger_images_are_searched(self, predictor, shape):
        assert predictor.detect(np.zeros((*shape, 3), np.uint8)) == []

    @pytest.mark.parametrize("shape", [(1, 1), (SMALLEST_CROP - 1, 40), (40, SMALLEST_CROP - 1)])
    def test_images_of_a_few_pixels_hold_no_face(self, predictor, shape):
        assert predictor.predict(np.zeros((*shape, 1), np.uint8)) == []

    def test_whole_takes_any_image(self, make):
        predictor = make(detector="whole")
        for shape in ((1, 1, 1), (5, 300, 3), (700, 500, 3)):
            (face,) = predictor.predict(np.full(shape, 50, np.uint8))
            assert face.box == (0, 0, shape[1], shape[0])

    def test_a_whole_image_gets_no_margin(self, make, images):
        with_margin = make(margin=0.5)
        np.testing.assert_array_equal(
            with_margin.crop(images[0], with_margin.detect(images[0])[0]), to_input(images[0], 24, "grayscale")
        )

    @pytest.mark.parametrize(("stored", "own", "expected"), [(0.0, None, 0.0), (0.3, None, 0.3), (0.3, -0.1, -0.1)])
    def test_the_margin_is_the_models_by_default(self, tmp_path, astronaut, stored, own, expected):
        path = write_onnx(tmp_path / "model.onnx", ModelMetadata(EMOTIONS, 24, "rgb", margin=stored))
        predictor = Predictor(path, margin=own)
        (detection,) = predictor.detect(astronaut)
        np.testing.assert_array_equal(
            predictor.crop(astronaut, detection), align_crop(astronaut, detection, expected, 24, "rgb")
        )

    @pytest.mark.parametrize(("stored", "own", "count"), [(40, None, 1), (200, None, 0), (200, 40, 1), (40, 200, 0)])
    def test_the_smallest_face_is_the_models_by_default(self, tmp_path, astronaut, stored, own, count):
        path = write_onnx(tmp_path / "model.onnx", ModelMetadata(EMOTIONS, 24, "grayscale", smallest=stored))
        assert len(Predictor(path, smallest=own).detect(astronaut)) == count

    def test_auto_searches_with_the_detector_of_the_model(self, tmp_path, monkeypatch):
        made = []
        monkeypatch.setattr("emotion.faces.detectors.make_detector", lambda *where, **options: made.append(where))
        path = write_onnx(
            tmp_path / "model.onnx", ModelMetadata(EMOTIONS, 24, "grayscale", detector="cascade", smallest=33)
        )
        for detector in ("auto", "yunet", "cascade", "whole"):
            Predictor(path, detector=detector)
        assert made == [("cascade", 33), ("yunet", 33), ("cascade", 33)]


class TestSamePredictions:
    @pytest.mark.parametrize(("size", "color"), [(24, "grayscale"), (32, "rgb")])
    def test_the_pipelines_arrays_give_the_same(self, make, size, color):
        """What extraction would write of these images, scored as `evaluate` does, against `whole` and `auto`."""
        colored = list(np.random.default_rng(3).integers(0, 256, (9, 40, 36, 3), dtype=np.uint8))
        for detector in ("whole", "auto"):
            predictor = make(detector=detector, size=size, color=color, flip=True)
            x = np.stack([to_input(decode(encode(image)), size, color) for image in colored])
            expected = predict_probabilities(load_engine(predictor.path), x, flip=True)
            np.testing.assert_allclose(probabilities(flat(predictor.predict_many(colored))), expected, atol=SAME)

    @pytest.mark.parametrize("size", [40, 512])
    def test_gray_and_rgb_give_the_same(self, predictor, astronaut, size):
        gray = cv2.resize(cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY), (size, size))[:, :, None]
        (one,), (other,) = predictor.predict(gray), predictor.predict(np.repeat(gray, 3, axis=2))
        assert one.box == other.box
        np.testing.assert_array_equal(one.probabilities, other.probabilities)

    def test_file_bytes_frame_and_array_give_the_same(self, predictor, astronaut, tmp_path):
        (tmp_path / "photo.png").write_bytes(encode(astronaut))
        images = [
            astronaut,
            read_image(tmp_path / "photo.png"),
            decode(encode(astronaut, ".bmp")),
            from_frame(np.ascontiguousarray(astronaut[:, :, ::-1])),
        ]
        faces = [predictor.predict(image) for image in images]
        for (face,) in faces:
            assert face.box == faces[0][0].box
            np.testing.assert_allclose(face.probabilities, faces[0][0].probabilities, atol=SAME)

    @pytest.mark.parametrize("kind", ["exif", "rgba", "jpeg", "cmyk", "palette", "gray alpha", "16 bit", "gif"])
    def test_files_of_every_kind_give_nearly_the_same(self, predictor, astronaut, tmp_path, kind):
        path = write_as(kind, astronaut, tmp_path)
        (expected,), (face,) = predictor.predict(astronaut), predictor.predict(read_image(path))
        np.testing.assert_allclose(face.box, expected.box, atol=4)
        # The network of random weights takes a box that is a pixel further for another face: hence the same one.
        crops = [predictor.crop(image, Detection(expected.box)) for image in (read_image(path), astronaut)]
        shown, meant = predictor.probabilities(np.stack(crops))
        np.testing.assert_allclose(shown, meant, atol=0.02)


def write_as(kind, image, folder):
    """Write an RGB image as a file of some kind; return its path."""
    pillow = Image.fromarray(image)
    if kind == "exif":
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned by 90 degrees clockwise on reading
        pillow.rotate(90).save(folder / "a.png", exif=exif)
    elif kind == "16 bit":
        gray = np.asarray(pillow.convert("L")).astype(np.uint16) * 257
        (folder / "a.png").write_bytes(cv2.imencode(".png", gray)[1].tobytes())
    elif kind == "gif":
        frames = [pillow.quantize(256), Image.new("RGB", pillow.size)]
        frames[0].save(folder / "a.gif", save_all=True, append_images=frames[1:])
        return folder / "a.gif"
    else:
        modes = {"rgba": "RGBA", "jpeg": "RGB", "cmyk": "CMYK", "palette": "P", "gray alpha": "LA"}
        suffix = ".jpg" if kind in ("jpeg", "cmyk") else ".png"
        buffer = io.BytesIO()
        kept = pillow.quantize(256) if kind == "palette" else pillow.convert(modes[kind])
        kept.save(buffer, "JPEG" if suffix == ".jpg" else "PNG", **({"quality": 97} if suffix == ".jpg" else {}))
        (folder / f"a{suffix}").write_bytes(buffer.getvalue())
        return folder / f"a{suffix}"
    return folder / "a.png"


class TestBadArguments:
    @pytest.mark.parametrize(
        ("arguments", "match"),
        [
            ({"detector": "dlib"}, "dlib.*auto, yunet, cascade, whole"),
            ({"margin": 2.5}, r"margin: got 2\.5, expected .* -0\.4 to 2\b"),
            ({"margin": -0.5}, r"margin: got -0\.5, expected .* -0\.4 to 2\b"),
            ({"margin": float("nan")}, r"margin: got nan, expected .* -0\.4 to 2\b"),
            ({"smallest": 0}, "at least 1"),
        ],
    )
    def test_what_cannot_be_is_refused(self, model, arguments, match):
        with pytest.raises(InputError, match=match):
            Predictor(model, **arguments)

    @pytest.mark.parametrize(
        "image",
        [
            np.zeros((40, 40), np.uint8),
            np.zeros((40, 40, 3)),
            np.zeros((40, 40, 4), np.uint8),
            np.zeros((0, 9, 3), np.uint8),
        ],
    )
    def test_other_arrays_are_no_images(self, predictor, image):
        with pytest.raises(ImageError, match=f"{image.dtype} .*expected uint8.*read_image"):
            predictor.predict(image)

    def test_files_that_are_no_models_are_refused(self, tmp_path):
        (tmp_path / "model.onnx").write_bytes(b"This is a text.")
        for name in ("model.onnx", "none.onnx", "photo.jpg"):
            with pytest.raises(InputError, match=name):
                Predictor(tmp_path / name)

    def test_without_a_release_the_message_says_where_it_was_sought(self, monkeypatch):
        for name in ("STANDARD", "SMALL_STANDARD"):
            monkeypatch.setattr(f"emotion.inference.predictor.{name}", "nothing")
        with pytest.raises(InputError, match=r"released/nothing/model_int8\.tflite .*models.*--model"):
            find_standard()

    def test_a_project_an_installation_and_the_package_are_searched_in_this_order(self, tmp_path, monkeypatch):
        package = tmp_path / "clone/emotion"
        monkeypatch.setattr("emotion.inference.predictor.PACKAGE", package)
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        for release in (SMALL_STANDARD, STANDARD):
            for root in (package, tmp_path / "clone/models", tmp_path / "here/models"):
                path = root / "released" / release / STANDARD_FILE
                path.parent.mkdir(parents=True)
                path.touch()
                assert find_standard().resolve() == path


@pytest.mark.tf
class TestReleased:
    """The released model and NASA's portrait of Eileen Collins: one face, happy."""

    @pytest.fixture(scope="class")
    def released(self, deterministic):
        return find_standard()

    @pytest.mark.parametrize("detector", ["auto", "yunet", "cascade"])
    def test_the_astronaut_is_happy(self, released, astronaut, detector):
        (face,) = Predictor(released, detector=detector).predict(astronaut)
        assert face.emotion == "happy"
        assert face.confidence > 0.6

    @pytest.mark.parametrize(("detector", "side"), [("whole", 150), ("auto", 100)])
    def test_so_is_her_face_alone(self, released, astronaut, detector, side):
        crop = cv2.resize(astronaut[50:180, 160:290], (side, side), interpolation=cv2.INTER_AREA)
        (face,) = Predictor(released, detector=detector).predict(crop)
        assert face.emotion == "happy"
