"""Face detection, and the crop of a face as a model takes it."""
