"""Plots of data, training and results, and sheets of images. Functions take tables or arrays and return a Figure."""
