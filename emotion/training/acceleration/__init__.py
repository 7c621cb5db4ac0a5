"""Layers that train faster, with the same weights; `to_training_network` is the only entry."""
