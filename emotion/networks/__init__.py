"""Architectures, one a file; `registry` builds them by name."""
