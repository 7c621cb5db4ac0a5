"""Applications: loops around the library for people at a terminal."""
