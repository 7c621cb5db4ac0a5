"""`emotion metrics`: every figure of the pipeline as tables, also between two revisions."""
