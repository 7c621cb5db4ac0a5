"""The drawing surface: from the points of a face to a gray image, in a pose and a light."""

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

CANVAS = 192
"""Height and width of the canvas in pixels: four times the image's, so that scaling down smooths edges."""

SOFTNESS = {"fine": (2, 1.0), "medium": (4, 1.25), "wide": (4, 3.0)}
"""Layers of shading: canvas pixels per pixel of the layer, and the sigma of its blur in its own pixels."""

_FRACTION_BITS = 4
_NEUTRAL = 128

# The head as half an ellipsoid in face coordinates: half-axes, depth, and the depth of the axis on which it turns.
# For light it is a little smaller, so that its edges are seen from the side.
_HEAD_SIZE = (84.0, 112.0)
_HEAD_DEPTH = 60.0
_AXIS_DEPTH = 30.0
_LIT_SIZE = (76.0, 104.0)


@dataclass(frozen=True)
class Pose:
    """The head's rotation (radians), its size (factor) and its center (canvas pixels)."""

    yaw: float
    pitch: float
    roll: float
    scale: float
    center: tuple[float, float]


@dataclass(frozen=True)
class Light:
    """Direction of the light (x right, y down, z to the viewer; length 1) and its ambient share."""

    direction: tuple[float, float, float]
    ambient: float


@cache
def _spline(count: int, closed: bool, steps: int) -> np.ndarray:
    """Return the Catmull-Rom weights, (samples, count), that turn control points into points of a curve."""
    segments = count if closed else count - 1
    rows = []
    for position in np.arange(segments * steps + (0 if closed else 1)) / steps:
        segment = min(int(position), segments - 1)
        rows.append(_spline_row(position - segment, segment, count, closed))
    return np.array(rows)


def _spline_row(t: float, segment: int, count: int, closed: bool) -> np.ndarray:
    row = np.zeros(count)
    weights = (-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2)
    for offset, weight in zip((-1, 0, 1, 2), weights, strict=True):
        index = segment + offset
        row[index % count if closed else min(max(index, 0), count - 1)] += weight / 2
    return row


def curve(points: np.ndarray, closed: bool = False, steps: int = 5) -> np.ndarray:
    """Return a smooth curve, (samples, 2), through the control points (n, 2)."""
    points = np.asarray(points, dtype=np.float64)
    samples: np.ndarray = _spline(len(points), closed, steps) @ points
    return samples


class Sketch:
    """A canvas on which a face is drawn in face coordinates.

    Face coordinates are canvas pixels of a face seen from the front: x to the right, y down, (0, 0) on the
    bridge of the nose. Tones are those of the surface. Light and shade are in separate layers, which are blurred and
    multiplied in at the end.

    Args:
        background: uint8 (CANVAS, CANVAS); it is copied.
        pose: of the head.
    """

    def __init__(self, background: np.ndarray, pose: Pose):
        self.tones = background.copy()
        self._background = background
        self._head = np.zeros_like(background)
        self.pose = pose
        self._layers = {name: _neutral_layer(CANVAS // cell) for name, (cell, _) in SOFTNESS.items()}
        cosine, sine = math.cos(pose.roll) * pose.scale, math.sin(pose.roll) * pose.scale
        self._turn = np.array([[cosine, sine], [-sine, cosine]])
        self._seen = np.array([[math.cos(pose.yaw), 0], [0, math.cos(pose.pitch)]]) @ self._turn
        self._parallax = np.array([math.sin(pose.yaw), math.sin(pose.pitch)]) @ self._turn

    def project(self, points: np.ndarray, raised: float | None = 0.0) -> np.ndarray:
        """Return canvas coordinates (n, 2) of `points` (n, 2) that stand `raised` pixels above the face.

        With `raised` None they stand in the plane of the head's outline.
        """
        seen: np.ndarray = points @ self._seen + self.pose.center
        if raised is None:
            return seen
        inside = 1 - ((points / _HEAD_SIZE) ** 2).sum(axis=1)
        height = _HEAD_DEPTH * np.sqrt(np.maximum(inside, 0)) - _AXIS_DEPTH + raised
        shifted: np.ndarray = seen + height[:, None] * self._parallax
        return shifted

    def fill(self, points: np.ndarray, tone: float, raised: float | None = 0.0) -> None:
        """Fill the polygon `points` with `tone`; in the plane of the outline, it is a part of the head to be lit."""
        points = self.project(points, raised)
        fill(self.tones, points, tone)
        if raised is None:
            fill(self._head, points, 255)

    def line(self, points: np.ndarray, tone: float, thickness: float, raised: float | None = 0.0) -> None:
        """Draw `points` as a line of `tone`."""
        stroke(self.tones, self.project(points, raised), tone, thickness * self.pose.scale)

    def mix(self, points: np.ndarray, tone: float, share: float, raised: float | None = 0.0) -> None:
        """Blend `share` (0 to 1) of `tone` into the polygon `points`."""
        over = self.tones.copy()
        fill(over, self.project(points, raised), tone)
        cv2.addWeighted(over, share, self.tones, 1 - share, 0, dst=self.tones)

    def dot(self, point: tuple[float, float], radius: float, tone: float) -> None:
        """Fill a circle."""
        center = _fixed(self.project(np.array([point])))[0]
        size = round(radius * self.pose.scale * 2**_FRACTION_BITS)
        cv2.circle(self.tones, tuple(map(int, center)), size, _tone(tone), -1, cv2.LINE_AA, _FRACTION_BITS)

    def shade(self, points: np.ndarray, change: float, softness: str) -> None:
        """Lighten (`change` above 0) or darken a soft-edged polygon, by `change` in 1/128 of the light there."""
        fill(self._layers[softness], self.project(points) / SOFTNESS[softness][0], _NEUTRAL + change)

    def crease(self, points: np.ndarray, depth: float, thickness: float, softness: str = "fine") -> None:
        """Draw a soft dark line (`depth` above 0) or ridge of light (below), in 1/128 of the light there."""
        cell = SOFTNESS[softness][0]
        stroke(
            self._layers[softness], self.project(points) / cell, _NEUTRAL - depth, thickness * self.pose.scale / cell
        )

    def finish(self, light: Light) -> np.ndarray:
        """Return the lit image, uint8 (CANVAS, CANVAS)."""
        wide = self._lit(light) + self._softened("wide") + self._softened("medium")
        shade = _enlarged(np.clip(wide, 0, 255), CANVAS // 2) + self._softened("fine")
        shade = _enlarged(np.clip(shade, 0, 255), CANVAS)
        lit = cv2.multiply(self.tones, shade, scale=1 / _NEUTRAL)
        return np.where(self._head > 127, lit, self._background)

    def _softened(self, name: str) -> np.ndarray:
        return cv2.GaussianBlur(self._layers[name], (0, 0), SOFTNESS[name][1]).astype(np.int16) - _NEUTRAL

    def _lit(self, light: Light) -> np.ndarray:
        """Return the light on the head, taken as half an ellipsoid, int16 at quarter size; _NEUTRAL is full light."""
        x, y = self._grid()
        radius = np.sqrt(x**2 + y**2)
        height = np.sqrt(np.maximum(1 - radius**2, 0.04))
        length = np.sqrt(radius**2 + height**2)
        toward = (x * light.direction[0] + y * light.direction[1] + height * light.direction[2]) / length
        lit = light.ambient + (1 - light.ambient) * 1.15 * np.maximum(toward, 0)
        return _enlarged(np.round(_NEUTRAL * np.minimum(lit, 1.6)), CANVAS // 4).astype(np.int16)

    def _grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Return face coordinates as shares of the head's half-axes, each (24, 24)."""
        cell = CANVAS // 24
        ticks = np.arange(24) * cell + cell / 2
        x, y = ticks - self.pose.center[0], (ticks - self.pose.center[1])[:, None]
        inverse = self._turn.T / self.pose.scale**2
        across, down = x * inverse[0, 0] + y * inverse[1, 0], x * inverse[0, 1] + y * inverse[1, 1]
        return across / _LIT_SIZE[0], down / _LIT_SIZE[1]


def fill(canvas: np.ndarray, points: np.ndarray, tone: float) -> None:
    """Fill the polygon `points`, (n, 2) in pixels of `canvas`, in place."""
    cv2.fillPoly(canvas, [_fixed(points)], _tone(tone), cv2.LINE_AA, _FRACTION_BITS)


def stroke(canvas: np.ndarray, points: np.ndarray, tone: float, thickness: float) -> None:
    """Draw a line through `points`, (n, 2) in pixels of `canvas`, in place."""
    width = max(1, round(thickness))
    cv2.polylines(canvas, [_fixed(points)], False, _tone(tone), width, cv2.LINE_AA, _FRACTION_BITS)


def _neutral_layer(size: int) -> np.ndarray:
    return np.full((size, size), _NEUTRAL, np.uint8)


def _enlarged(layer: np.ndarray, size: int) -> np.ndarray:
    return cv2.resize(layer.astype(np.uint8), (size, size), interpolation=cv2.INTER_LINEAR_EXACT)


def _tone(tone: float) -> int:
    return min(255, max(0, int(tone)))


def _fixed(points: np.ndarray) -> np.ndarray:
    fixed: np.ndarray = np.rint(points * 2**_FRACTION_BITS).astype(np.int32)
    return fixed
