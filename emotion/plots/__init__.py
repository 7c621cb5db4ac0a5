"""Images of data, training and results. Every function takes tables or arrays and returns a matplotlib Figure."""
