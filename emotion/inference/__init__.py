"""Trained models in use: the predictor, tracking, videos, annotation."""
