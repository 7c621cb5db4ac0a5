"""Faces in images: detectors, framing as in FER2013, and the crop of a face for a model."""
