"""Connected components of images that are linked in pairs."""

import numpy as np


def find_components(one: np.ndarray, other: np.ndarray, size: int) -> np.ndarray:
    """Return the number of the component of each of `size` nodes, where node `one[i]` is linked to `other[i]`."""
    # Reading a source loads this module, and seldom needs these two, which take a third of a second.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1])
