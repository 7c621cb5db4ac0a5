"""The `emotion` command and its applications."""
