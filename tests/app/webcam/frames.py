"""Frames of a camera, as tests take them."""

from emotion.app.webcam.camera import Camera, CameraFrame


def take_frame(camera: Camera, after: int = -1) -> CameraFrame:
    """Return the newest frame after a number; there must be one."""
    frame = camera.newest_frame(after=after, timeout=5)
    assert frame is not None
    return frame
