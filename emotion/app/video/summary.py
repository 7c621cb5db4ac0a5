"""Counts of frames and faces, and their description for the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emotion.inference.tracking import TrackedFace
from emotion.inference.video_reader import Frame


@dataclass
class Summary:
    """Counts of the frames and faces that were read so far.

    Attributes:
        frames: how many were read.
        seconds: the time at which the last one ends.
        frames_with_faces: how many of them show a face.
        faces: how many different faces there were.
        missing_frames: how many frames the file declares after the last one that could be read.
    """

    frames: int = 0
    seconds: float = 0.0
    frames_with_faces: int = 0
    faces: int = 0
    missing_frames: int = 0

    def add(self, frame: Frame, tracked_faces: Sequence[TrackedFace], *, end: float) -> None:
        """Count a frame and the faces in it; `end` is the time at which it ends, in seconds."""
        self.frames, self.seconds = frame.number + 1, end
        self.frames_with_faces += bool(tracked_faces)
        self.faces = max([self.faces, *(tracked.number for tracked in tracked_faces)])

    def describe(self, paths: Sequence[Path]) -> str:
        """Return the counts and the files written, in two or three lines."""
        faces = {0: "no face", 1: "1 face"}.get(self.faces, f"{self.faces} faces")
        frames = "1 frame" if self.frames == 1 else f"{self.frames} frames"
        lines = [f"{frames} ({self.seconds:.1f} s), {faces}"]
        if self.faces:
            lines[0] += f", {self.frames_with_faces / self.frames:.0%} of the frames show one"
        return "\n".join([*lines, *(f"written: {path}" for path in paths)])
