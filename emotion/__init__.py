"""Facial-emotion recognition: from raw pictures of faces to a trained, honestly measured model."""
