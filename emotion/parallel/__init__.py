"""Parallel processing: a function mapped over batches, processes that train together, and the number of cores."""
