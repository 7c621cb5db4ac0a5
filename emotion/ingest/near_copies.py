"""Near copies: images whose perceptual hashes differ in few of their 64 bits.

4 bits are a sensible distance. In FER2013, of 60 pairs each at 0, 2 and 4 bits, all but one show the same photo with
another contrast, crop or watermark. At 6 bits about one pair in ten shows two people. At 8 bits two thirds do, and such
pairs chain 580 images together.
"""

from collections.abc import Iterator
from itertools import combinations, pairwise

import cv2
import numpy as np
import pandas as pd

from emotion.ingest.components import find_components

SIDE, KEPT = 32, 8
"""Side of the small copy of an image, and of the low frequencies that are kept, in pixels and coefficients."""

HASH_BITS = 64
INTACT = 2
"""Number of equal bands by which pairs are found. One band alone would find too many pairs that are not near."""

MOST_PENDING = 2**22
"""Number of pairs that are kept before they are joined to components."""


def perceptual_hash(image: np.ndarray) -> str:
    """Return the perceptual hash of `image`, uint8 (height, width, channels), as 16 hexadecimal digits.

    It is pHash (Zauner 2010): the 8x8 lowest frequencies of the cosine transform of a gray 32x32 copy, one bit each,
    set where the coefficient is above their median. The library imagehash hashes the same frequencies of a Pillow
    copy, in 3 times the time for an image of 48x48 pixels and 6 times for one of 1 megapixel.
    """
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY) if small.ndim == 3 else small
    low = cv2.dct(gray.astype(np.float32))[:KEPT, :KEPT]
    return np.packbits(low > np.median(low)).tobytes().hex()


def find_near_copies(images: pd.DataFrame, bits: int) -> pd.Series:
    """Return for each image the name of the first image that it is linked to; "" for the first one.

    Two images are linked where their hashes differ in at most `bits` bits, and so are images that are linked to the
    same one. Exact copies are among them. Blank images are linked to none.

    Args:
        images: with the columns image, blank and perceptual_hash.
        bits: 0 to 16.
    """
    first = pd.Series("", index=images.index, dtype=object)
    known = (images["perceptual_hash"] != "").to_numpy() & ~images["blank"].to_numpy(dtype=bool)
    if not known.any():
        return first
    texts = images["perceptual_hash"].to_numpy(dtype=object)[known]
    hashes = np.frombuffer(bytes.fromhex("".join(texts)), dtype=">u8").astype(np.uint64)
    distinct, places = np.unique(hashes, return_inverse=True)
    components = link_near_hashes(distinct, bits)[places]
    names = images["image"].to_numpy(dtype=object)[known]
    _, firsts, members = np.unique(components, return_index=True, return_inverse=True)
    first[known] = np.where(firsts[members] == np.arange(len(names)), "", names[firsts[members]])
    return first


def link_near_hashes(hashes: np.ndarray, bits: int) -> np.ndarray:
    """Return the number of the component of each hash, (n,), where hashes within `bits` bits are linked.

    Not all pairs are compared. The 64 bits are cut into bits + 2 bands. Hashes that differ in at most `bits` bits are
    equal in two bands at least, so pairs are sought among hashes that share two bands. Memory is proportional to n.

    Args:
        hashes: (n,) uint64, no two of them equal.
        bits: the largest distance.
    """
    components = np.arange(len(hashes))
    for one, other in combinations(_bands(bits + INTACT), INTACT):
        keys = hashes & (one | other)
        order = np.argsort(keys, kind="stable")
        pending: list[np.ndarray] = []
        for pairs in _near_pairs(hashes[order], keys[order], bits):
            pending.append(order[pairs])
            if sum(map(len, pending)) > MOST_PENDING:
                components, pending = _join(components, pending), []
        components = _join(components, pending)
    return components


def _bands(count: int) -> list[np.uint64]:
    """Return masks that divide the bits into `count` bands."""
    ends = [HASH_BITS * number // count for number in range(count + 1)]
    return [np.uint64((1 << end) - (1 << start)) for start, end in pairwise(ends)]


def _near_pairs(hashes: np.ndarray, keys: np.ndarray, bits: int) -> Iterator[np.ndarray]:
    """Yield the pairs of near hashes with equal keys as places, (pairs, 2). Equal keys stand beside each other."""
    left = np.arange(len(keys))
    for distance in range(1, len(keys)):
        left = left[: np.searchsorted(left, len(keys) - distance)]
        left = left[keys[left] == keys[left + distance]]
        if not len(left):
            return
        near = left[np.bitwise_count(hashes[left] ^ hashes[left + distance]) <= bits]
        if len(near):
            yield np.stack([near, near + distance], axis=1)


def _join(components: np.ndarray, pairs: list[np.ndarray]) -> np.ndarray:
    """Return the components after both ends of each pair are joined."""
    if not pairs:
        return components
    ends = components[np.concatenate(pairs)]
    joined: np.ndarray = find_components(ends[:, 0], ends[:, 1], len(components))[components]
    return joined
