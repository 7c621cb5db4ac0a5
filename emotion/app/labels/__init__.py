"""`emotion labels`: suspect labels found, looked at, and decided on."""
