"""Grad-CAM: the parts of a face that speak for an emotion, and the sheet that shows them."""
