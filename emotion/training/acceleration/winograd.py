"""Convolutions by 3x3 kernels as products of matrices, which take about a fifth of the multiply-adds.

Along one side of a map, sliding a kernel over a tile is a multiplication of polynomials. A product of polynomials is
known by its values at as many points as it has coefficients, and each of them is a product of two values. So tiles and
kernels are transformed to values at some points. These are multiplied one by one, and the products are transformed back
to outputs (Winograd 1980: Arithmetic Complexity of Computations). For both sides together, a tile of 6x6 outputs takes
8x8 multiplications in place of 36x9. Each of them sums over all channels, so they are 64 products of matrices (Lavin &
Gray 2016: Fast Algorithms for Convolutional Neural Networks).

The transforms are passes over memory, which pay where channels are many. Rounding errors are larger than those of a
plain convolution in float32, and far below those of bfloat16.
"""

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import keras
import numpy as np
from keras import ops

from emotion.training.distribution import is_shared, on_own_part, sum_gradients_of

KERNEL_SIZE = 3

POINTS = (0, 1, -1, 2, -1 / 2, 1 / 2, -2)
"""The points besides infinity. Small numbers and their reciprocals round best. In this order the first few points alone
also round well.

Barabasz et al. 2020: Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks.
"""

LARGEST_TILE = len(POINTS) - 1
"""Outputs along one side of a tile; more would need points that round worse."""

LARGEST_MAP = 48
"""Height and width up to which it was measured. The matrices grow with the map, and with them the transforms' cost."""

LEAST_CHANNELS = 64
"""From here on it was measured to be faster than oneDNN's convolution, forward and backward, in float32."""


class WinogradConvolution(keras.layers.Conv2D):
    """keras.layers.Conv2D by 3x3 kernels, of strides and dilation 1, in float32; faster where channels are many."""

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Return the maps convolved, (n, height out, width out, filters), without bias."""
        if is_faster(inputs.shape, self.filters):
            padding = 1 if self.padding == "same" else 0
            if is_shared(inputs):
                return on_own_part(partial(_convolve_part, padding=padding), inputs, kernel)
            return convolve_by_products(inputs, kernel, padding)
        return super().convolution_op(inputs, kernel)


def is_faster(shape: tuple[int | None, ...], filters: int) -> bool:
    """Return whether `convolve_by_products` was measured to be faster than a plain convolution.

    The cost of the products grows with the product of the numbers of channels in and out, that of the transforms with
    their sum. So what counts is their harmonic mean.

    Args:
        shape: of the maps, (n, height, width, channels).
        filters: number of channels of the outputs.
    """
    _, height, width, channels = shape
    if height is None or width is None or channels is None:
        return False
    return max(height, width) <= LARGEST_MAP and 2 * channels * filters / (channels + filters) >= LEAST_CHANNELS


@dataclass(frozen=True)
class _Side:
    """The matrices that transform one side of a map, float32.

    `values` has the values at each point, and of each point those in every tile.

    Attributes:
        inputs: (values, size of the inputs).
        kernel: (points, 3).
        outputs: (size of the outputs, values).
    """

    inputs: np.ndarray
    kernel: np.ndarray
    outputs: np.ndarray

    @property
    def values(self) -> int:
        return len(self.inputs)

    @property
    def points(self) -> int:
        return len(self.kernel)

    @property
    def tiles(self) -> int:
        return self.values // self.points


def convolve_by_products(inputs: Any, kernel: Any, padding: int) -> Any:
    """Convolve maps by a kernel.

    Args:
        inputs: float32 tensor (n, height, width, in). Height and width are known, and at least 3 with the padding.
        kernel: float32 tensor (3, 3, in, out).
        padding: rows and columns of zeros on each side of a map, 0 or 1.

    Returns:
        float32 tensor (n, height + 2 padding - 2, width + 2 padding - 2, out).
    """
    _, height, width, channels = inputs.shape
    filters = kernel.shape[-1]
    rows, columns = _side(height, padding), _side(width, padding)

    kernel = ops.reshape(kernel, (-1, channels * filters))
    kernel = ops.matmul(np.kron(rows.kernel, columns.kernel), kernel)

    maps = ops.reshape(inputs, (-1, height, width * channels))
    maps = ops.reshape(ops.matmul(rows.inputs, maps), (-1, width, channels))
    maps = ops.matmul(columns.inputs, maps)

    tiles = ops.reshape(maps, (-1, rows.points, rows.tiles, columns.points, columns.tiles, channels))
    tiles = ops.reshape(ops.transpose(tiles, (1, 3, 0, 2, 4, 5)), (rows.points * columns.points, -1, channels))
    tiles = ops.matmul(tiles, ops.reshape(kernel, (-1, channels, filters)))
    tiles = ops.reshape(tiles, (rows.points, columns.points, -1, rows.tiles, columns.tiles, filters))
    tiles = ops.transpose(tiles, (2, 0, 3, 1, 4, 5))

    maps = ops.matmul(columns.outputs, ops.reshape(tiles, (-1, columns.values, filters)))
    maps = ops.matmul(rows.outputs, ops.reshape(maps, (-1, rows.values, len(columns.outputs) * filters)))
    return ops.reshape(maps, (-1, len(rows.outputs), len(columns.outputs), filters))


def _convolve_part(part: Any, kernel: Any, padding: int) -> Any:
    """Convolve the own part of maps that ranks share; a transformed kernel has up to seven times the numbers to sum."""
    return convolve_by_products(part, sum_gradients_of(kernel), padding)


def _tile_size(size: int) -> int:
    """Return how many outputs a tile has along a side of `size` outputs, which are divided evenly."""
    return -(-size // -(-size // LARGEST_TILE))


@lru_cache
def _side(size: int, padding: int) -> _Side:
    """Return the matrices for `size` inputs; those of a tile, for each tile where it lies on the padded side."""
    size_out = size + 2 * padding - KERNEL_SIZE + 1
    tile = _tile_size(size_out)
    tiles = -(-size_out // tile)
    of_inputs, kernel, of_outputs = _tile(tile)
    points = len(kernel)
    inputs = np.zeros((points, tiles, tile * tiles + KERNEL_SIZE - 1))
    outputs = np.zeros((tile * tiles, points, tiles))
    for number in range(tiles):
        start = number * tile
        inputs[:, number, start : start + points] = of_inputs
        outputs[start : start + tile, :, number] = of_outputs
    inputs = inputs[:, :, padding : padding + size]
    return _Side(
        inputs.reshape(points * tiles, size).astype(np.float32),
        kernel.astype(np.float32),
        outputs[:size_out].reshape(size_out, points * tiles).astype(np.float32),
    )


def _tile(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the matrices for a tile of `size` outputs: of its inputs, of the kernel and of its outputs.

    The last two evaluate polynomials, of which the value at infinity is the leading coefficient. The first is what
    interpolates a product from its values, transposed, since a kernel that slides is a product transposed. Lagrange's
    denominators are with the kernel, which leaves numbers in the other two that float32 has exactly.
    """
    points = np.array(POINTS[: size + KERNEL_SIZE - 2])
    others = [np.delete(points, number) for number in range(len(points))]
    denominators = [np.prod(point - rest) for point, rest in zip(points, others, strict=True)]
    inputs = [np.append(np.poly(rest)[::-1], 0) for rest in others] + [np.poly(points)[::-1]]
    return np.array(inputs), _powers(points, KERNEL_SIZE) / [[d] for d in (*denominators, 1)], _powers(points, size).T


def _powers(points: np.ndarray, count: int) -> np.ndarray:
    """Return what evaluates a polynomial of `count` coefficients at `points` and at infinity."""
    return np.vstack([np.vander(points, count, increasing=True), np.eye(count)[-1]])
