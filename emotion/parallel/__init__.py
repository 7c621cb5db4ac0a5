"""A function mapped over batches of a table, in several processes where that is safe."""
