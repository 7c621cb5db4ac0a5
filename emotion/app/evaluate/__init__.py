"""`emotion evaluate`: the figures of a model file on labeled images of any source."""
