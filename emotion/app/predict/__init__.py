"""`emotion predict`: the faces in images and their emotions."""
