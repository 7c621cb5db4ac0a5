"""Convolutions by 3x3 kernels as products of matrices, with a fifth of the multiply-adds.

Along one side of a map, a kernel slides over a tile as one polynomial is multiplied by another. A product has as many
coefficients as it needs values at different points, and its values are products of values. So tiles and kernels are
turned into values at some points, which multiply one by one, and the products are turned back into outputs (Winograd
1980: Arithmetic Complexity of Computations). With both sides, 6x6 outputs take 8x8 multiplications in place of 36x9;
and since each goes over all channels, they are 64 products of matrices (Lavin & Gray 2016: Fast Algorithms for
Convolutional Neural Networks).

To turn there and back takes passes over memory, which pay where channels are many. Results are off by some ten times as
much as those of a plain convolution in float32, and by less than a three-hundredth of those in bfloat16.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from keras import ops
from keras.backend import standardize_dtype

KERNEL_SIZE = 3

POINTS = (0, 1, -1, 2, -1 / 2, 1 / 2, -2)
"""Besides infinity. Small numbers and their reciprocals round best (Barabasz et al. 2020: Error Analysis and Improving
the Accuracy of Winograd Convolution for Deep Neural Networks), and in this order the first few do so as well."""

LARGEST_TILE = len(POINTS) - 1
"""Outputs along one side of a tile; more would need points that round worse."""

LARGEST_MAP = 48
"""Height and width up to which it was measured. The matrices grow with the map, and with them what turning takes."""

LEAST_CHANNELS = {"float32": 64, "bfloat16": 192}
LEAST_TILE = {"float32": 1, "bfloat16": LARGEST_TILE}
"""From where on it takes less time than oneDNN's convolution, forwards and backwards, in that type. In float32 it takes
0.48 times as long on maps of 6x6 (192 channels), 0.64 on 12x12 (96), 0.76 on 24x24 (64); in bfloat16 0.89 on 12x12
(192) and 0.80 on 6x6 (384). `python -m benchmarks.winograd` on an AMD EPYC Zen 4, two threads, batches of 128."""


@dataclass(frozen=True)
class _Side:
    """The matrices for one side of a map, float32, where `values` are those of each point in every tile, in this order.

    inputs (values, size of the inputs), kernel (points, 3), outputs (size of the outputs, values).
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


def convolve(inputs: Any, kernel: Any, padding: int) -> Any:
    """Convolve maps by a kernel, computing in float32.

    Args:
        inputs: tensor (n, height, width, in), of which height and width are known, at least 3 with the padding.
        kernel: tensor (3, 3, in, out).
        padding: rows and columns of zeros on each side of a map, 0 or 1.

    Returns:
        Tensor (n, height + 2 padding - 2, width + 2 padding - 2, out) of the type of `inputs`.
    """
    _, height, width, channels = inputs.shape
    filters = kernel.shape[-1]
    rows, columns = _side(height, padding), _side(width, padding)

    kernel = ops.reshape(ops.cast(kernel, "float32"), (-1, channels * filters))
    kernel = ops.matmul(np.kron(rows.kernel, columns.kernel), kernel)

    maps = ops.reshape(ops.cast(inputs, "float32"), (-1, height, width * channels))
    maps = ops.reshape(ops.matmul(rows.inputs, maps), (-1, width, channels))
    maps = ops.matmul(columns.inputs, maps)

    tiles = ops.reshape(maps, (-1, rows.points, rows.tiles, columns.points, columns.tiles, channels))
    tiles = ops.reshape(ops.transpose(tiles, (1, 3, 0, 2, 4, 5)), (rows.points * columns.points, -1, channels))
    tiles = ops.matmul(tiles, ops.reshape(kernel, (-1, channels, filters)))
    tiles = ops.reshape(tiles, (rows.points, columns.points, -1, rows.tiles, columns.tiles, filters))
    tiles = ops.transpose(tiles, (2, 0, 3, 1, 4, 5))

    maps = ops.matmul(columns.outputs, ops.reshape(tiles, (-1, columns.values, filters)))
    maps = ops.matmul(rows.outputs, ops.reshape(maps, (-1, rows.values, len(columns.outputs) * filters)))
    return ops.cast(ops.reshape(maps, (-1, len(rows.outputs), len(columns.outputs), filters)), inputs.dtype)


def is_faster(inputs: Any, filters: int, padding: int) -> bool:
    """Return whether `convolve` takes less time than a plain convolution by a kernel of `filters` outputs would.

    Between two numbers of channels counts their harmonic mean: products grow with both, what turns them with their sum.
    """
    _, height, width, channels = inputs.shape
    if None in (height, width):
        return False
    dtype = standardize_dtype(inputs.dtype)
    sizes = [size + 2 * padding - KERNEL_SIZE + 1 for size in (height, width)]
    return (
        dtype in LEAST_CHANNELS
        and max(height, width) <= LARGEST_MAP
        and min(_tile_size(size) for size in sizes) >= LEAST_TILE[dtype]
        and 2 * channels * filters / (channels + filters) >= LEAST_CHANNELS[dtype]
    )


def _tile_size(size: int) -> int:
    """Return how many outputs a tile has along a side of `size` outputs, which are cut evenly."""
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
