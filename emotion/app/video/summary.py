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
        return "\n".join([self.describe_counts(), *(f"written: {path}" for path in paths)])

    def describe_counts(self) -> str:
        """Return the counts in one line."""
        faces = {0: "no face", 1: "1 face"}.get(self.faces, f"{self.faces} faces")
        frames = "1 frame" if self.frames == 1 else f"{self.frames} frames"
        counts = f"{frames} ({self.seconds:.1f} s), {faces}"
        if not self.faces:
            return counts
        return f"{counts}, {self.frames_with_faces / self.frames:.0%} of the frames show one"

    def describe_break(self, name: str) -> str:
        """Return where the video of this name breaks off; an empty text where it is whole."""
        if not self.missing_frames:
            return ""
        declared = self.frames + self.missing_frames
        return f"{name} is cut off or broken: it ends after frame {self.frames} of {declared}"
