"""How good a model is: metrics, intervals, calibration and curves. Pure functions of labels and probabilities."""
