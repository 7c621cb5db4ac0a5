"""The table of images, the feature arrays, and the decoding and resizing of images."""
