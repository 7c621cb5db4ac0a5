"""Less weight for frequent emotions, once a network is trained: Menon et al. 2021, post-hoc logit adjustment.

A network learns how frequent each emotion is in training. Where the network is used, emotions may be frequent in other
ways. The adjustment takes a part of what it learned about frequency out of its last layer.
"""

import keras
import numpy as np

from emotion.networks.head import find_head


def adjust_logits(network: keras.Model, targets: np.ndarray, strength: float) -> None:
    """Subtract `strength` times the logarithm of each class's frequency from the logits of `network`.

    Args:
        network: one of the architectures; the bias of its last layer is changed.
        targets: of the training images, float32 (n, classes), or (n, 1), the share of the second of two classes.
        strength: 0 changes nothing; at 1, probabilities are those for classes that are equally frequent.
    """
    if strength == 0:
        return
    frequencies = np.clip(targets.mean(axis=0, dtype=np.float64), 1e-6, 1 - 1e-6)
    logits = np.log(frequencies) if len(frequencies) > 1 else np.log(frequencies / (1 - frequencies))
    head = find_head(network)
    head.bias.assign(head.bias - strength * logits)
