"""Layers that train faster than those of Keras, with the same weights; `to_training_network` is the only entry."""
