"""`emotion explain`: a plot of what in a face speaks for its predicted emotion."""
