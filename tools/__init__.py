"""Commands of this repository's own development: the check of its prose, and what writes its documents."""
