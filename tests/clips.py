"""Small videos and images for the tests of videos and cameras."""

from pathlib import Path

import numpy as np

from benchmarks.frame_speed import portrait_frame
from emotion.inference.video_reader import Frame, VideoReader
from emotion.inference.video_writer import VideoWriter

SIZE = 240, 320
"""Height and width of the clip."""

RATE = 30
FRAMES = 12


def write_clip(path: Path, portrait: np.ndarray) -> Path:
    """Write a video of FRAMES frames: a portrait before a camera that moves."""
    return write_video(path, [portrait_frame(portrait, number / RATE, SIZE) for number in range(FRAMES)])


def write_video(path: Path, images: list[np.ndarray], rate: float = RATE) -> Path:
    height, width = images[0].shape[:2]
    with VideoWriter(path, (height, width), rate) as writer:
        for number, image in enumerate(images):
            writer.write(image, number / rate)
    return path


def read_frames(path: Path) -> list[Frame]:
    with VideoReader(path) as reader:
        return list(reader)


def noise_images(count: int = 4, size: tuple[int, int] = (48, 64)) -> list[np.ndarray]:
    return list(np.random.default_rng(1).integers(0, 256, (count, *size, 3), dtype=np.uint8))


def plain_image(value: int = 0, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    return np.full((*size, 3), value, np.uint8)
