"""Emotion colors and number formats, the same in plots, images, pages and cards."""
