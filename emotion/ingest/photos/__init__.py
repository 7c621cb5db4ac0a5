"""Faces in training images: settings, search, and the columns of the table about them."""
