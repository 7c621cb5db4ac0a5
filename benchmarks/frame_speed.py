"""Frames per second of `emotion video` and `emotion webcam`, detection included.

    python -m benchmarks.frame_speed

A video of 640x480 pixels is made of the portrait that scikit-image ships: a face that drifts and comes nearer. It is
processed

- by `emotion video`, with the annotated video and the table written; and once more with a search for faces every
  0.15 seconds, which shows what tracking between searches gains;
- by `emotion webcam`, in a window of SDL's dummy driver, which shows nothing; the file plays the camera, and each frame
  comes as soon as the one before was shown.

They take turns in one process. The time runs from the first frame to the last; loading the model is left out. Shares
are of that time; those marked `beside` were spent by other threads while the loop went on. The processor time of all
threads is given as well: it hardly changes when something else runs. Nothing else should run on the machine.
results/frame_speed.json gets the figures.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import cv2
import numpy as np
from tqdm import tqdm

from benchmarks.photos import ASTRONAUT, load_photo
from emotion.app.video import face_writer
from emotion.app.video.face_table import FaceTable
from emotion.app.video.output_files import NO_FILES, OutputFiles
from emotion.app.video.processing import process_video
from emotion.app.webcam.camera import Camera
from emotion.app.webcam.camera_sources import open_camera
from emotion.app.webcam.display import Display
from emotion.app.webcam.live import run_loop
from emotion.app.webcam.live_tracker import LiveTracker
from emotion.app.webcam.recorder import Recorder
from emotion.app.webcam.window import Window
from emotion.core.errors import InputError, run_command
from emotion.core.files import write_json
from emotion.core.metadata import DETECTORS
from emotion.inference.defaults import SEARCH_EVERY
from emotion.inference.predictor import Predictor, find_standard
from emotion.inference.tracking import FaceTracker
from emotion.inference.video_reader import VideoReader
from emotion.inference.video_writer import VideoWriter

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "results/frame_speed.json"

SIZE = 480, 640
FRAME_RATE = 30
AIM = 100
"""Frames per second that both should reach."""

VIDEO, VIDEO_RARE, WEBCAM = "video", "video_search_every_0.15_s", "webcam"
LABELS = {
    VIDEO: "emotion video",
    VIDEO_RARE: "emotion video --search 0.15",
    WEBCAM: "emotion webcam",
}

PARTS: dict[str, list[tuple[type, str]]] = {
    "decode": [(VideoReader, "_read_frame")],
    "wait for the camera": [(Camera, "newest_frame")],
    "search for faces": [(Predictor, "detect")],
    "track faces": [(FaceTracker, "propagate"), (FaceTracker, "set_detections")],
    "classify faces": [(FaceTracker, "classify")],
    "draw": [(Display, "render")],
    "show": [(Window, "show")],
    "wait for the encoder": [(VideoWriter, "write")],
    "write the video": [(VideoWriter, "_encode")],
    "write the table": [(FaceTable, "add")],
}
"""The timed parts, by the methods that do them. `timed_parts` adds the function that annotates a video's frames."""

PARTS_BESIDE = {
    VIDEO: ("decode", "search for faces", "write the video"),
    VIDEO_RARE: ("decode", "write the video"),
    WEBCAM: ("decode", "search for faces"),
}
"""The parts that other threads do."""


class RunTime(NamedTuple):
    """Seconds of a run: in total, of processor time, and by part."""

    seconds: float
    processor_seconds: float
    parts: dict[str, float]


def portrait_frame(portrait: np.ndarray, seconds: float, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Return the frame of a camera that drifts over a portrait, uint8 (height, width, 3).

    Args:
        portrait: uint8 (512, 512, 3), with its face about (220, 120), the photo ASTRONAUT.
        seconds: the time of the frame.
        size: height and width of the frame in pixels.
    """
    height, width = size
    zoom = height / 512 * (1.25 + 0.15 * np.sin(1.1 * seconds))
    x, y = 256 + 50 * np.sin(1.7 * seconds), 200 + 40 * np.sin(1.3 * seconds + 1)
    move = np.array([[zoom, 0, width / 2 - zoom * x], [0, zoom, height / 2 - zoom * y]])
    return cv2.warpAffine(portrait, move, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def write_portrait_video(path: Path, frames: int, size: tuple[int, int] = SIZE) -> None:
    """Write a video of so many frames that `portrait_frame` gives."""
    portrait = load_photo(ASTRONAUT)
    with VideoWriter(path, size, FRAME_RATE) as writer:
        for number in range(frames):
            writer.write(portrait_frame(portrait, number / FRAME_RATE, size), number / FRAME_RATE)


@contextmanager
def timed_parts() -> Iterator[dict[str, float]]:
    """Yield the seconds that each of PARTS took in the block, in whichever thread."""
    spent: dict[str, float] = defaultdict(float)
    with ExitStack() as stack:
        stack.enter_context(
            patch.object(face_writer, "annotate_frame", _timed(face_writer.annotate_frame, "draw", spent))
        )
        for part, methods in PARTS.items():
            for kind, name in methods:
                stack.enter_context(patch.object(kind, name, _timed(getattr(kind, name), part, spent)))
        yield spent


def _timed(function: Callable[..., Any], part: str, spent: dict[str, float]) -> Callable[..., Any]:
    @wraps(function)
    def run(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            spent[part] += time.perf_counter() - start

    return run


def time_video(source: Path, predictor: Predictor, folder: Path, *, search_every: float = SEARCH_EVERY) -> RunTime:
    """Return how long `emotion video` takes, from the first frame to the last file."""
    outputs = OutputFiles(folder / "annotated.mp4", folder / "faces.csv")
    tracker = FaceTracker(predictor, search_every=search_every)
    with VideoReader(source) as reader:
        return _time_run(lambda: process_video(reader, tracker, outputs, emotions=predictor.emotions))


def time_webcam(source: Path, predictor: Predictor, folder: Path) -> RunTime:
    """Return how long `emotion webcam` takes, from the first image to the last."""
    with (
        open_camera(str(source), paced=False) as camera,
        Window("benchmark") as window,
        LiveTracker(predictor) as tracker,
    ):
        recorder = Recorder(NO_FILES)
        display = Display(window, predictor.emotions, mirror=True, folder=folder, recorder=recorder)
        camera.start_playing()
        return _time_run(lambda: run_loop(camera, tracker, display, recorder))


def _time_run(run: Callable[[], object]) -> RunTime:
    with timed_parts() as spent:
        start, processor_start = time.perf_counter(), time.process_time()
        run()
        return RunTime(time.perf_counter() - start, time.process_time() - processor_start, dict(spent))


def measure(predictor: Predictor, frames: int, repetitions: int, size: tuple[int, int] = SIZE) -> dict[str, Any]:
    """Measure all in turns, `repetitions` times, on a video of so many frames; return what the result file holds."""
    runs: dict[str, list[RunTime]] = {name: [] for name in LABELS}
    with tempfile.TemporaryDirectory() as name, tqdm(total=repetitions * len(runs), disable=None) as bar:
        folder = Path(name)
        source = folder / "portrait.mp4"
        write_portrait_video(source, frames, size)
        ways = {
            VIDEO: partial(time_video, source, predictor, folder),
            VIDEO_RARE: partial(time_video, source, predictor, folder, search_every=0.15),
            WEBCAM: partial(time_webcam, source, predictor, folder),
        }
        for _ in range(repetitions):
            for way, function in ways.items():
                runs[way].append(function())
                bar.update()
    return {way: summarize(times, frames, PARTS_BESIDE.get(way, ())) for way, times in runs.items()}


def summarize(times: list[RunTime], frames: int, beside: tuple[str, ...]) -> dict[str, Any]:
    """Return the frames per second of some runs, and the median share of the time by part."""
    rates = [frames / one.seconds for one in times]
    shares = {
        part: statistics.median(one.parts.get(part, 0.0) / one.seconds for one in times)
        for part in PARTS
        if any(part in one.parts for one in times)
    }
    in_turn = {part: share for part, share in shares.items() if part not in beside}
    return {
        "frames_a_second": {"median": statistics.median(rates), "low": min(rates), "high": max(rates), "runs": rates},
        "of_aim": statistics.median(rates) / AIM,
        "processor_milliseconds_a_frame": statistics.median(1000 * one.processor_seconds / frames for one in times),
        "shares": {**in_turn, "the rest": 1 - sum(in_turn.values())},
        "shares_beside": {part: share for part, share in shares.items() if part in beside},
    }


def compare(options: argparse.Namespace) -> None:
    """Measure what `options` name, write the result file and print it."""
    for name in ("frames", "repetitions", "threads"):
        if getattr(options, name) < 1:
            raise InputError(f"--{name}: got {getattr(options, name)}, expected at least 1")
    os.environ["SDL_VIDEODRIVER"] = "dummy"
    cv2.setNumThreads(options.threads)
    predictor = Predictor(options.model, detector=options.detector, threads=options.threads)
    measured = measure(predictor, options.frames, options.repetitions)
    result = {
        "machine": _processor(),
        "versions": {"python": platform.python_version(), "opencv": cv2.__version__},
        "model": f"{predictor.path.parent.name}/{predictor.path.name}",
        "detector": options.detector,
        "height_and_width": list(SIZE),
        "frames": options.frames,
        "threads": options.threads,
        "repetitions": options.repetitions,
        "aim": AIM,
        "searching_gains": measured[VIDEO_RARE]["frames_a_second"]["median"]
        / measured[VIDEO]["frames_a_second"]["median"],
        **measured,
    }
    write_json(options.output, result)
    show(result)


def show(result: dict[str, Any]) -> None:
    """Print what was measured."""
    height, width = result["height_and_width"]
    print(
        f"{result['machine']}, {result['threads']} threads, {result['model']}, faces by {result['detector']}, "
        f"{result['frames']} frames of {width}x{height}; medians of {result['repetitions']}, lowest and highest"
    )
    for way, label in LABELS.items():
        rate = result[way]["frames_a_second"]
        print(
            f"\n{label}: {rate['median']:.1f} frames a second ({rate['low']:.1f} to {rate['high']:.1f}), "
            f"{result[way]['processor_milliseconds_a_frame']:.1f} ms of processor time a frame"
        )
        for part, share in result[way]["shares"].items():
            print(f"  {part:22}{share:6.1%}")
        for part, share in result[way]["shares_beside"].items():
            print(f"  {part:22}{share:6.1%} beside")
    print(f"\ntracking faces between searches: {result['searching_gains']:.2f} times as many frames a second")


def _processor() -> str:
    from emotion.model_files.keras_setup import processor

    return processor()


def main() -> None:
    """Run the measurement that the command line asks for."""
    options = _parser().parse_args()
    run_command(lambda: compare(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path, default=find_standard(), help="a model file (that of the commands)")
    parser.add_argument("--detector", default="yunet", choices=DETECTORS, help="what finds faces (yunet)")
    parser.add_argument("--frames", type=int, default=600, help="frames of the video (600)")
    parser.add_argument("--repetitions", type=int, default=5, help="times that everything is measured (5)")
    parser.add_argument("--threads", type=int, default=2, help="threads of OpenCV and the model (2)")
    parser.add_argument("--output", type=Path, default=RESULT, help="the result file")
    return parser


if __name__ == "__main__":
    main()
