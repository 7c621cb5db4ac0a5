"""The table of images, the feature arrays, and images: decoding and resizing."""
