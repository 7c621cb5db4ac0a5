"""Which parts of a face speak for an emotion: Grad-CAM, and the sheet that shows it."""
