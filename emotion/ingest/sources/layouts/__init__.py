"""Layouts of images in files: each module recognizes one, and says what it misses where it does not."""
