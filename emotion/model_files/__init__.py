"""Keras set up, .keras files saved and loaded, and a network's probabilities for arrays of images."""
