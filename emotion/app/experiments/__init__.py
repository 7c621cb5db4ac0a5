"""`emotion experiments`: experiments of the current commit compared."""
