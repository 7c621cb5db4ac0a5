"""Facial-emotion recognition: from raw images of faces to a trained, honestly measured model."""
