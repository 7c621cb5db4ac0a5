"""`emotion sweep`: queued experiments of DVC as tasks of a Dask cluster."""
