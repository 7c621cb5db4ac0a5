"""Parallel processing: a function mapped over batches in several processes, and the number of cores."""
