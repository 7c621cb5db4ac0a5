"""`emotion timeline`: the emotions of a video's or camera's faces over time, drawn from their table."""
