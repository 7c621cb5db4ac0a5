"""`emotion video`: a video with its faces annotated, and a table of them."""
