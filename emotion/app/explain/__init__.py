"""`emotion explain`: a plot of what the model looked at."""
