"""`emotion webcam`: the camera live in a window."""
