"""Evaluation of a model: metrics, intervals, calibration and curves. Pure functions of labels and probabilities."""
