"""`emotion check`: what the pipeline would read, before anything runs."""
