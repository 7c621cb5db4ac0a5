"""Keras set up before it is loaded, .keras files saved and loaded, and a model's probabilities for arrays of images."""
