"""The faults that `tools.faults` tries: mistakes that a tired programmer makes, each a replacement in one file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """A mistake in the code, and the tests that should catch it.

    Attributes:
        name: a short name.
        path: the file, in emotion/ or stages/.
        old: text that occurs exactly once in the file.
        new: the wrong text in its place.
        tests: test files, the most specific one first.
    """

    name: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]


LABELS = (
    Fault(
        "labels: two emotions swapped",
        "emotion/core/emotion_names.py",
        '"disgust", "fear", "happy", "sad", "surprise", "neutral")\n"""The seven',
        '"disgust", "happy", "fear", "sad", "surprise", "neutral")\n"""The seven',
        ("tests/core/test_labels.py",),
    ),
    Fault(
        "labels: left-out emotions are class 0",
        "emotion/core/labels.py",
        "if emotion in members), -1)",
        "if emotion in members), 0)",
        ("tests/core/test_labels.py",),
    ),
    Fault(
        "labels: the numbers of RAF-DB begin at 0",
        "emotion/ingest/label_reader.py",
        "start=1",
        "start=0",
        ("tests/ingest/test_label_reader.py",),
    ),
    Fault(
        "labels: merged emotions keep one",
        "emotion/core/labels.py",
        "    return _parse_name(name, emotions), emotions",
        "    return _parse_name(name, emotions), emotions[:1]",
        ("tests/core/test_labels.py",),
    ),
    Fault(
        "labels: the source's, not the votes'",
        "emotion/ingest/table_builder.py",
        "label=emotions.map({",
        'label=images["emotion"].map({',
        ("tests/ingest/test_ferplus.py", "tests/ingest/test_table_builder.py"),
    ),
)

IMAGES = (
    Fault(
        "images: turned by OpenCV and again",
        "emotion/data/images.py",
        "cv2.IMREAD_ANYCOLOR | cv2.IMREAD_IGNORE_ORIENTATION",
        "cv2.IMREAD_ANYCOLOR",
        ("tests/data/test_orientation.py",),
    ),
    Fault(
        "images: XMP of TIFF ignored",
        "emotion/data/pillow_images.py",
        "ORIENTATION in opened.tag_v2",
        "ORIENTATION not in opened.tag_v2",
        ("tests/data/test_orientation.py",),
    ),
    Fault(
        "images: an invalid turn in EXIF leaves the choice to XMP",
        "emotion/data/orientation.py",
        "return (tags[ORIENTATION] or 0) if ORIENTATION in tags else None",
        "return tags.get(ORIENTATION)",
        ("tests/data/test_orientation.py",),
    ),
    Fault(
        "images: turned left in place of right",
        "emotion/data/orientation.py",
        "6: (cv2.ROTATE_90_CLOCKWISE, None)",
        "6: (cv2.ROTATE_90_COUNTERCLOCKWISE, None)",
        ("tests/data/test_orientation.py",),
    ),
    Fault(
        "images: a video without its command",
        "emotion/data/pillow_images.py",
        "known.kind in (Kind.IMAGE, Kind.ANIMATION)",
        "known.kind in (Kind.IMAGE, Kind.ANIMATION, Kind.VIDEO)",
        ("tests/data/test_images.py",),
    ),
    Fault(
        "images: 16 bits cut off",
        "emotion/data/deep_pixels.py",
        "(pixels >> (bits - 8))",
        "np.clip(pixels, 0, 255)",
        ("tests/data/test_deep_pixels.py",),
    ),
    Fault(
        "images: 12 bits in 16 are dark",
        "emotion/data/deep_pixels.py",
        "SHALLOW_BITS = (8, 12)",
        "SHALLOW_BITS = (8,)",
        ("tests/data/test_deep_pixels.py",),
    ),
    Fault(
        "images: floating-point pixels are always shares",
        "emotion/data/deep_pixels.py",
        "pixels * 255 if high <= 1 else pixels",
        "pixels * 255",
        ("tests/data/test_deep_pixels.py",),
    ),
    Fault(
        "folder walk: links to folders are files",
        "emotion/core/folder_walk.py",
        "return Kind.FOLDER_LINK",
        "return Kind.FILE",
        ("tests/core/test_folder_walk.py", "tests/app/check/test_check.py"),
    ),
    Fault(
        "check: files that .dvcignore names are faults",
        "emotion/app/check/folder_faults.py",
        "if not ignored.match_file(os.path.normpath(path))",
        "if path or ignored",
        ("tests/app/check/test_check.py",),
    ),
    Fault(
        "check: all labels of a class are missing",
        "emotion/app/check/plan.py",
        "if name not in found]",
        "if name in found]",
        ("tests/app/check/test_check.py",),
    ),
    Fault(
        "images: resizing methods swapped",
        "emotion/data/images.py",
        "if height * width > size * size else",
        "if height * width < size * size else",
        ("tests/data/test_images.py",),
    ),
    Fault(
        "images: red and blue swapped in gray",
        "emotion/data/images.py",
        "cv2.COLOR_RGB2GRAY",
        "cv2.COLOR_BGR2GRAY",
        (
            "tests/data/test_images.py",
            "tests/inference/test_predictor.py",
        ),
    ),
    Fault(
        "images: transparency on black",
        "emotion/data/pillow_images.py",
        'layer.size, "white"',
        'layer.size, "black"',
        ("tests/data/test_images.py",),
    ),
    Fault(
        "images: two equal channels are gray",
        "emotion/ingest/sources/pixel_hash.py",
        "image[:, :, 1]) and np.array_equal(",
        "image[:, :, 1]) or np.array_equal(",
        ("tests/ingest/sources/test_sources.py",),
    ),
    Fault(
        "crop: tilted the wrong way",
        "emotion/faces/crop.py",
        "LARGEST_SIDE), detection.tilt)",
        "LARGEST_SIDE), -detection.tilt)",
        ("tests/faces/test_crop.py",),
    ),
    Fault(
        "faces: the tilt of a second look counts alone",
        "emotion/faces/close_look.py",
        "tilt += rest",
        "tilt = rest",
        ("tests/faces/test_detectors.py",),
    ),
    Fault(
        "faces: every uncertain face is confirmed",
        "emotion/faces/close_look.py",
        "CONFIRMING_SCORE) is not None",
        "CONFIRMING_SCORE) is not image",
        ("tests/faces/test_detectors.py",),
    ),
    Fault(
        "faces: large faces are not searched in a coarse copy",
        "emotion/faces/yunet.py",
        "return [fine, COARSE_COPY / longest] if fine * longest > LARGEST_COPY else [fine]",
        "return [fine]",
        ("tests/faces/test_detectors.py",),
    ),
    Fault(
        "faces: the network reads RGB as BGR",
        "emotion/faces/yunet_network.py",
        "cv2.COLOR_RGB2BGR)",
        "cv2.COLOR_RGB2RGBA)[:, :, :3]",
        ("tests/faces/test_detectors.py",),
    ),
    Fault(
        "faces: boxes that overflow are kept",
        "emotion/faces/yunet_network.py",
        "_suppress(rows[plausible])",
        "_suppress(rows)",
        ("tests/faces/test_detectors.py",),
    ),
    Fault(
        "faces: the shift of the framing ignores the tilt",
        "emotion/faces/framing.py",
        "math.cos(tilt) * framing.down",
        "framing.down",
        ("tests/faces/test_framing.py",),
    ),
    Fault(
        "metadata: the detector of earlier versions counts",
        "emotion/core/metadata.py",
        'own if "version" in values else own | {"detector": DETECTORS[0]}',
        "own",
        ("tests/core/test_metadata.py",),
    ),
    Fault(
        "crop: margin on one side only",
        "emotion/faces/crop.py",
        "(1 + 2 * margin)",
        "(1 + margin)",
        ("tests/faces/test_crop.py", "tests/inference/test_predictor.py"),
    ),
    Fault(
        "faces: overlap of the larger box",
        "emotion/faces/overlap.py",
        "/ min(one.width * one.height, other.width * other.height)",
        "/ max(one.width * one.height, other.width * other.height)",
        ("tests/faces/test_framing.py",),
    ),
)

SPLITS = (
    Fault(
        "splits: training keeps copies of test",
        "emotion/ingest/splitting/copies.py",
        "SPLITS[: SPLITS.index(split)]",
        "SPLITS[1 : SPLITS.index(split)]",
        ("tests/ingest/test_table_builder.py",),
    ),
    Fault(
        "splits: copies chosen one by one",
        "emotion/ingest/splitting/splits.py",
        "images.index[chosen[hashes]]",
        'images.index[chosen[hashes] & ~images["hash"].duplicated()]',
        ("tests/ingest/splitting/test_splits.py",),
    ),
    Fault(
        "splits: the seed has no effect",
        "emotion/ingest/splitting/splits.py",
        "[params.seed, order]",
        "[order]",
        ("tests/ingest/splitting/test_splits.py",),
    ),
    Fault(
        "splits: second share is of the rest",
        "emotion/ingest/splitting/splits.py",
        "share * len(in_train) / max(1, len(rest))",
        "share",
        ("tests/ingest/splitting/test_splits.py",),
    ),
    Fault(
        "splits: keeping copies keeps groups",
        "emotion/ingest/splitting/copies.py",
        "(GROUP,) if keep_copies",
        "() if keep_copies",
        ("tests/ingest/splitting/test_groups.py",),
    ),
    Fault(
        "splits: blank images join groups",
        "emotion/ingest/splitting/group_splits.py",
        "~blank | (groups < 0)",
        "np.full(len(images), True)",
        ("tests/ingest/splitting/test_splits.py",),
    ),
    Fault(
        "splits: validation chosen among groups of test",
        "emotion/ingest/splitting/splits.py",
        '~units[in_train.index].isin(units[split != "train"])',
        "units[in_train.index].notna()",
        ("tests/ingest/splitting/test_groups.py",),
    ),
    Fault(
        "near copies: one bit less",
        "emotion/ingest/splitting/near_copies.py",
        ") <= bits]",
        ") < bits]",
        ("tests/ingest/splitting/test_near_copies.py",),
    ),
    Fault(
        "splits: PublicTest and PrivateTest",
        "emotion/ingest/sources/layouts/class_folders.py",
        '.startswith("publictest")',
        '.startswith("privatetest")',
        ("tests/ingest/sources/test_sources.py",),
    ),
)

ARRAYS = (
    Fault(
        "FER+: a tie goes to unknown",
        "emotion/ingest/ferplus.py",
        "(others.max(axis=1) > most)",
        "(others.max(axis=1) >= most)",
        ("tests/ingest/test_ferplus.py",),
    ),
    Fault(
        "FER+: rejected rows shift the votes",
        "emotion/ingest/ferplus.py",
        "votes.counts[rows]",
        "votes.counts[: len(rows)]",
        ("tests/ingest/test_ferplus.py",),
    ),
    Fault(
        "FER+: shares over images, not emotions",
        "emotion/training/targets.py",
        "votes / votes.sum(axis=1, keepdims=True)",
        "votes / votes.sum(axis=0, keepdims=True)",
        ("tests/training/test_targets.py",),
    ),
    Fault(
        "arrays: a batch overwrites the last",
        "emotion/ingest/extraction.py",
        "            filled[split] = end\n",
        "            filled[split] = int(inside.sum())\n",
        ("tests/ingest/test_extraction.py",),
    ),
    Fault(
        "arrays: offsets without channels",
        "emotion/ingest/extraction.py",
        "// math.prod(shape)]",
        "// math.prod(shape[:2])]",
        ("tests/ingest/test_extraction.py",),
    ),
    Fault(
        "arrays: excluded images used",
        "emotion/ingest/extraction.py",
        'used = table[table["excluded"] == ""]',
        'used = table[table["label"] >= 0]',
        ("tests/ingest/test_extraction.py",),
    ),
)

AUGMENTATION = (
    Fault(
        "augmentation: degrees as radians",
        "emotion/training/augmentation.py",
        "params.rotation, params.rotation) * (math.pi / 180)",
        "params.rotation, params.rotation)",
        ("tests/training/test_augmentation.py",),
    ),
    Fault(
        "augmentation: mean of the batch",
        "emotion/training/augmentation.py",
        "ops.mean(images, axis=(1, 2, 3), keepdims=True)",
        "ops.mean(images, axis=(0, 1, 2, 3), keepdims=True)",
        ("tests/training/test_augmentation.py",),
    ),
    Fault(
        "mixing: counterpart off by one",
        "emotion/training/augmentation.py",
        "np.minimum(first + batch_size, count) - 1",
        "np.minimum(first + batch_size, count - 1)",
        ("tests/training/test_augmentation.py",),
    ),
    Fault(
        "mixing: targets of other images",
        "emotion/training/input_pipeline.py",
        "rows[order[partners]]",
        "rows[partners]",
        ("tests/training/test_input_pipeline.py",),
    ),
    Fault(
        "training: weights of other images",
        "emotion/training/input_pipeline.py",
        "targets.sample_weights[order]",
        "targets.sample_weights",
        ("tests/training/test_input_pipeline.py",),
    ),
)

CHECKPOINTS = (
    Fault(
        "checkpoint: the optimizer starts anew",
        "emotion/training/student.py",
        "return [*self.network.weights, *self.optimizer.variables]",
        "return [*self.network.weights]",
        ("tests/training/test_loop.py::test_an_interrupted_training_ends_with_the_same_bits",),
    ),
    Fault(
        "checkpoint: the same noise each epoch",
        "emotion/training/student.py",
        "[self.params.seed, epoch, number]",
        "[self.params.seed, number]",
        ("tests/training/test_student.py",),
    ),
    Fault(
        "checkpoint: the best epoch forgotten",
        "emotion/training/checkpoints.py",
        '            best=progress["best"],\n',
        "",
        ("tests/training/test_loop.py::test_an_interrupted_training_ends_with_the_same_bits",),
    ),
    Fault(
        "checkpoint: taken for other images",
        "emotion/training/loop.py",
        "training_parts(params, classes, data.arrays + weights)",
        "training_parts(params, classes, weights)",
        ("tests/training/test_checkpoints.py::test_a_checkpoint_of_other_images_is_left_alone",),
    ),
    Fault(
        "training: a later epoch wins a tie",
        "emotion/training/loop.py",
        "self._score(row) > self._score(",
        "self._score(row) >= self._score(",
        ("tests/training/test_loop.py::test_the_best_epoch_by_validation_is_kept",),
    ),
    Fault(
        "training: the last epoch is saved",
        "emotion/training/loop.py",
        "network.set_weights(self.state.best_weights)",
        "network.set_weights(self.networks.training.get_weights())",
        ("tests/training/test_loop.py::test_the_best_epoch_by_validation_is_kept",),
    ),
    Fault(
        "training: patience ends an epoch early",
        "emotion/training/loop.py",
        "epochs - 1 - self.state.best >= patience",
        "epochs - self.state.best >= patience",
        ("tests/training/test_loop.py::test_patience_ends_the_training",),
    ),
    Fault(
        "training: the test split chooses",
        "stages/train.py",
        'for name in ("x_train", "y_train", "x_val", "y_val"))',
        'for name in ("x_train", "y_train", "x_test", "y_test"))',
        ("tests/stages/test_train.py::test_the_test_split_plays_no_part",),
    ),
)

EVALUATION = (
    Fault(
        "evaluation: F1 without false positives",
        "emotion/evaluation/metrics.py",
        "confusion.sum(axis=-1) + confusion.sum(axis=-2)",
        "confusion.sum(axis=-1) + confusion.sum(axis=-1)",
        ("tests/evaluation/test_evaluation.py",),
    ),
    Fault(
        "calibration: empty bins weigh as much",
        "emotion/evaluation/calibration.py",
        'float((gaps * rows["images"]).sum() / len(y_true))',
        "float(gaps.mean())",
        ("tests/evaluation/test_evaluation.py",),
    ),
    Fault(
        "calibration: bins hold their lower end",
        "emotion/evaluation/calibration.py",
        "np.ceil(np.asarray(confidence) * bins).astype(np.int64) - 1",
        "np.floor(np.asarray(confidence) * bins).astype(np.int64)",
        ("tests/evaluation/test_evaluation.py",),
    ),
    Fault(
        "calibration: temperature multiplied",
        "emotion/evaluation/metrics.py",
        "SMALLEST_PROBABILITY, 1.0)) / temperature",
        "SMALLEST_PROBABILITY, 1.0)) * temperature",
        ("tests/evaluation/test_evaluation.py",),
    ),
    Fault(
        "calibration: fitted on the test split",
        "emotion/evaluation/report.py",
        "fit_temperature(validation.y_true, validation.probabilities)",
        "fit_temperature(test.y_true, test.probabilities)",
        ("tests/evaluation/test_evaluation.py",),
    ),
    Fault(
        "evaluation: interval of 90 %",
        "emotion/evaluation/bootstrap.py",
        "[(1 - level) / 2, (1 + level) / 2]",
        "[1 - level, level]",
        ("tests/evaluation/test_evaluation.py",),
    ),
    Fault(
        "evaluation: intervals by image in spite of groups",
        "emotion/evaluation/report.py",
        "bootstrap_interval(resampled, metrics.accuracy",
        "bootstrap_interval(confusion, metrics.accuracy",
        ("tests/evaluation/test_evaluation.py",),
    ),
    Fault(
        "evaluation: at the threshold",
        "emotion/evaluation/metrics.py",
        "probabilities[:, 1] > threshold",
        "probabilities[:, 1] >= threshold",
        ("tests/evaluation/test_evaluation.py",),
    ),
    Fault(
        "evaluation: threshold chosen on test",
        "emotion/evaluation/report.py",
        "choose_threshold(validation.y_true, validation.probabilities)",
        "choose_threshold(test.y_true, test.probabilities)",
        ("tests/evaluation/test_evaluation.py",),
    ),
    Fault(
        "evaluation: mirrored upside down",
        "emotion/model_files/probabilities.py",
        "images[:, :, ::-1]",
        "images[:, ::-1]",
        ("tests/evaluation/test_evaluation.py",),
    ),
    Fault(
        "evaluation: the first copy is unique",
        "emotion/evaluation/report.py",
        "hashes.duplicated(keep=False)",
        "hashes.duplicated()",
        ("tests/evaluation/test_evaluation.py", "tests/stages/test_evaluate_and_plot.py"),
    ),
    Fault(
        "evaluation: validation and test swapped",
        "stages/evaluate.py",
        "    validation, test = predictions\n",
        "    test, validation = predictions\n",
        ("tests/stages/test_evaluate_and_plot.py",),
    ),
)

MODEL_FILES = (
    Fault(
        "export: int8 ranges of the test split",
        "stages/export.py",
        'write_files(network, metadata, features["x_train"])',
        'write_files(network, metadata, features["x_test"])',
        ("tests/stages/test_export.py",),
    ),
    Fault(
        "export: int8 without black and white",
        "emotion/runtimes/tflite_export.py",
        "    chosen[0, 0, 0], chosen[0, -1, -1] = 0, 255\n",
        "",
        (
            "tests/runtimes/test_export.py::test_int8_computes_with_integers_alone",
            "tests/runtimes/test_export.py::test_images_for_calibration_are_spread_and_reach_from_black_to_white",
        ),
    ),
    Fault(
        "export: an ONNX file of one image",
        "emotion/runtimes/onnx_export.py",
        'dim[0].dim_param = "images"',
        "dim[0].dim_value = 1",
        ("tests/runtimes/test_export.py::test_an_onnx_file_names_its_ends",),
    ),
    Fault(
        "export: the threshold is left out",
        "stages/export.py",
        "        threshold=params.evaluate.threshold,\n",
        "",
        ("tests/stages/test_export.py::test_the_stage_writes_files_figures_and_times",),
    ),
    Fault(
        "metadata: emotions by the alphabet",
        "emotion/core/metadata.py",
        '"emotions": tuple(names)',
        '"emotions": tuple(sorted(names))',
        (
            "tests/core/test_metadata.py",
            "tests/inference/test_predictor.py",
        ),
    ),
    Fault(
        "metadata: the smallest size refused",
        "emotion/core/metadata.py",
        "8 <= metadata.size <= 1024",
        "8 < metadata.size <= 1024",
        ("tests/core/test_metadata.py",),
    ),
    Fault(
        "predictor: temperature before threshold",
        "emotion/inference/predictor.py",
        "labels = predicted_labels(probabilities, self.metadata.threshold)\n"
        "        calibrated = apply_temperature(probabilities, self.metadata.temperature)",
        "calibrated = apply_temperature(probabilities, self.metadata.temperature)\n"
        "        labels = predicted_labels(calibrated, self.metadata.threshold)",
        ("tests/inference/test_predictor.py",),
    ),
)

TRACKING = (
    Fault(
        "tracking: old values count for new",
        "emotion/inference/box_tracking.py",
        "1 - 0.5 ** (max(0.0, elapsed) / half_life)",
        "0.5 ** (max(0.0, elapsed) / half_life)",
        ("tests/inference/test_box_tracking.py",),
    ),
    Fault(
        "tracking: a missed face stays too long",
        "emotion/inference/box_tracking.py",
        "min(MAX_MISSED, track.last_detected - track.first_detected)",
        "max(MAX_MISSED, track.last_detected - track.first_detected)",
        ("tests/inference/test_box_tracking.py",),
    ),
    Fault(
        "tracking: frames counted from 1",
        "emotion/inference/tracking.py",
        "self._frame_number = -1",
        "self._frame_number = 0",
        ("tests/inference/test_tracking.py",),
    ),
)

INPUTS = (
    Fault(
        "archives: .. only at the start",
        "emotion/ingest/sources/archives.py",
        '".." in parts',
        '".." == parts[0]',
        ("tests/ingest/sources/test_sources.py",),
    ),
    Fault(
        "archives: hard links pass",
        "emotion/ingest/sources/tars.py",
        "member.issym() or member.islnk()",
        "member.issym()",
        ("tests/ingest/sources/test_sources.py",),
    ),
    Fault(
        "archives: only the last size counts",
        "emotion/ingest/sources/tars.py",
        "total += member.size",
        "total = member.size",
        ("tests/ingest/sources/test_sources.py",),
    ),
    Fault(
        "files: a failed write leaves its half",
        "emotion/core/files.py",
        "    except BaseException:\n        temporary.unlink(missing_ok=True)\n",
        "    except BaseException:\n",
        ("tests/core/test_files.py",),
    ),
    Fault(
        "files: others' temporary files removed",
        "emotion/core/files.py",
        "        if not _is_abandoned(path):\n            continue\n",
        "",
        ("tests/core/test_files.py",),
    ),
    Fault(
        "files: an existing file is replaced unasked",
        "emotion/app/outputs.py",
        "path.exists() and not overwrite",
        "path.exists() and overwrite",
        ("tests/app/test_outputs.py",),
    ),
    Fault(
        "cells: formulas run in spreadsheets",
        "emotion/core/cells.py",
        'RISKY = ("=", ',
        "RISKY = (",
        ("tests/core/test_cells.py",),
    ),
    Fault(
        "images: scans without end",
        "emotion/data/images.py",
        "if scans > most:",
        "if scans > most**3:",
        ("tests/data/test_images.py",),
    ),
    Fault(
        "onnx: weights in other files",
        "emotion/runtimes/onnx_schema.py",
        "message.external_data or message.data_location",
        "message.external_data",
        ("tests/runtimes/test_engines.py",),
    ),
    Fault(
        "tflite: tensors may have any size",
        "emotion/runtimes/tflite_engine.py",
        "if values > MAX_VALUES:",
        "if values < 0:",
        ("tests/runtimes/test_engines.py",),
    ),
    Fault(
        "manifest: the second column of one meaning is left out",
        "emotion/ingest/sources/layouts/manifest_table.py",
        "_simplify(name) for name in names}",
        "name for name in names}",
        ("tests/ingest/sources/layouts/test_manifest.py",),
    ),
    Fault(
        "params: unknown keys are ignored",
        "emotion/core/params.py",
        'extra="forbid"',
        'extra="ignore"',
        ("tests/core/test_params.py",),
    ),
)

SERVER = (
    Fault(
        "server: one chunk counts, not the body",
        "emotion/app/serve/uploads.py",
        "if len(data) > self._limits.upload_bytes",
        "if len(chunk) > self._limits.upload_bytes",
        ("tests/app/serve/test_uploads.py", "tests/app/serve/test_server.py"),
    ),
    Fault(
        "server: one upload too many",
        "emotion/app/serve/uploads.py",
        "self._present >= self._limits.at_a_time",
        "self._present > self._limits.at_a_time",
        ("tests/app/serve/test_api.py",),
    ),
    Fault(
        "server: a decoder runs for ever",
        "emotion/app/serve/decoding.py",
        "if connection.poll(self._seconds) else None",
        "if connection.poll(99) else None",
        ("tests/app/serve/test_decoding.py",),
    ),
    Fault(
        "server: tokens pile up without end",
        "emotion/app/serve/token_bucket.py",
        "min(self._burst, content + (now - filled) * self._a_second)",
        "content + (now - filled) * self._a_second",
        ("tests/app/serve/test_uploads.py",),
    ),
)

SHARING = (
    Fault(
        "guard: params are not compared",
        "emotion/core/guard.py",
        "    params = list(changed_params(before.params, after.params))\n",
        "    params: list[str] = []\n",
        ("tests/core/test_guard.py",),
    ),
    Fault(
        "guard: files are not compared",
        "emotion/core/guard.py",
        "    files = list(changed_files(before.files, after.files))\n",
        "    files: list[str] = []\n",
        ("tests/core/test_guard.py",),
    ),
    Fault(
        "params: the shared store takes other images",
        "emotion/core/params.py",
        "if remote == SHARED_REMOTE and Path",
        "if not remote and Path",
        ("tests/core/test_params.py",),
    ),
    Fault(
        "preset: private results stay in dvc.lock",
        "emotion/app/preset/private_results.py",
        "if _recorded_remotes(stages) <= {SHARED_REMOTE}:",
        "if stages:",
        ("tests/app/preset/test_private_results.py",),
    ),
    Fault(
        "plots: images are shared in any case",
        "stages/plot.py",
        "        if not share:\n            copy.unlink(missing_ok=True)\n        elif not sheet",
        "        if not sheet",
        ("tests/stages/test_evaluate_and_plot.py",),
    ),
    Fault(
        "sizes: shares are cut off, not rounded",
        "emotion/training/image_sizes.py",
        "round(",
        "int(",
        ("tests/training/test_preset_epochs.py", "tests/training/test_image_sizes.py"),
    ),
)

LIVE = (
    Fault(
        "serve: a body in a million parts is read to its end",
        "emotion/app/serve/connections.py",
        "if self._parsing > PARSING_SECONDS",
        "if self._parsing > 100 * PARSING_SECONDS",
        ("tests/app/serve/test_server.py",),
    ),
    Fault(
        "serve: many requests in many parts are read to their end",
        "emotion/app/serve/connections.py",
        "        self._parsing += ",
        "        self._parsing = ",
        ("tests/app/serve/test_server.py",),
    ),
    Fault(
        "videos: a playlist opens other files",
        "emotion/inference/codecs/stream_options.py",
        '*("mov", "matroska",',
        '*("mov", "concat", "hls", "matroska",',
        ("tests/inference/test_live_stream.py",),
    ),
    Fault(
        "recording: times are those of the machine",
        "emotion/app/webcam/recorder.py",
        "seconds = frame.seconds - (self._started or 0.0)",
        "seconds = frame.seconds",
        ("tests/app/webcam/test_recorder.py",),
    ),
    Fault(
        "recording: a full disk removes what there is",
        "emotion/app/video/output_files.py",
        "            if is_worth_keeping():",
        "            if not is_worth_keeping():",
        ("tests/app/webcam/test_recorder.py",),
    ),
    Fault(
        "recording: frames that wait fill the memory",
        "emotion/app/webcam/recorder.py",
        ">= QUEUE_BYTES",
        ">= 100 * QUEUE_BYTES",
        ("tests/app/webcam/test_recorder.py",),
    ),
    Fault(
        "webcam: an error between two frames is the end of a file",
        "emotion/app/webcam/camera.py",
        "        else:\n            self.ended = True",
        "        finally:\n            self.ended = True",
        ("tests/app/webcam/test_recording.py",),
    ),
    Fault(
        "streams: a playlist opens local files",
        "emotion/inference/codecs/stream_options.py",
        'HTTP_PROTOCOLS = "http", ',
        'HTTP_PROTOCOLS = "file", "http", ',
        ("tests/inference/test_live_stream.py",),
    ),
    Fault(
        "streams: a part of the password is taken for the host",
        "emotion/inference/stream_address.py",
        'if url.count("@") > 1 or',
        "if",
        ("tests/inference/test_stream_address.py",),
    ),
    Fault(
        "streams: a file is read again and again",
        "emotion/inference/live_stream.py",
        "if reader.has_end:",
        "if reader is None:",
        ("tests/inference/test_live_stream.py",),
    ),
    Fault(
        "streams: tries are counted over the whole stream",
        "emotion/inference/live_stream.py",
        "                self._tries = 0\n",
        "",
        ("tests/inference/test_live_stream.py",),
    ),
    Fault(
        "timeline: each row counts the same",
        "emotion/app/timeline/timeline.py",
        "yield earlier, gap if",
        "yield earlier, usual if",
        ("tests/app/timeline/test_timeline.py",),
    ),
    Fault(
        "timeline: the time without the face is filled",
        "emotion/app/timeline/timeline.py",
        "if row.frame - earlier.frame == 1 and gap <= longest else",
        "if True else",
        ("tests/app/timeline/test_timeline.py",),
    ),
    Fault(
        "timeline: names become part of the page",
        "emotion/app/timeline/page.py",
        "        name=escape(timeline.name),",
        "        name=timeline.name,",
        ("tests/app/timeline/test_command.py",),
    ),
)

FAULTS: tuple[Fault, ...] = (
    *LABELS,
    *IMAGES,
    *SPLITS,
    *ARRAYS,
    *AUGMENTATION,
    *CHECKPOINTS,
    *EVALUATION,
    *MODEL_FILES,
    *TRACKING,
    *INPUTS,
    *SERVER,
    *SHARING,
    *LIVE,
)
