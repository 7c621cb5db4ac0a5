"""The terminal in place of the window: it counts the frames of a recording."""

import sys
from collections.abc import Sequence

from tqdm import tqdm

from emotion.app.webcam.camera import CameraFrame
from emotion.inference.tracking import TrackedFace


class TerminalDisplay:
    """Counts frames on standard error, where that is a terminal.

    Args:
        name: the camera's name before the count.
    """

    def __init__(self, name: str) -> None:
        self.paused = False
        self.frames_shown = 0
        self._notice = ""
        self._bar: tqdm[None] = tqdm(desc=name, unit="frame", disable=None)

    def set_frame(self, frame: CameraFrame, tracked_faces: Sequence[TrackedFace]) -> None:
        """Count a frame."""
        self.frames_shown += 1
        self._bar.set_postfix_str(f"{len(tracked_faces)} faces", refresh=False)
        self._bar.update()

    def set_connection_notice(self, notice: str) -> None:
        """Print the state of the connection where it changes and is not well."""
        if notice and notice != self._notice:
            tqdm.write(notice, file=sys.stderr)
        self._notice = notice

    def handle_keys(self) -> bool:
        """Return True: there are no keys."""
        return True

    def refresh(self) -> None:
        """Do nothing: the count shows by itself."""

    def close(self) -> None:
        """End the line of the count."""
        self._bar.close()
