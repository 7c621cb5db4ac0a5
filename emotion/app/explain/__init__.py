"""`emotion explain`: a plot of the parts of a face that speak for its predicted emotion."""
