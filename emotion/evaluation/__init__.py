"""How good a model is: figures, intervals, calibration and curves. Pure functions of labels and probabilities."""
