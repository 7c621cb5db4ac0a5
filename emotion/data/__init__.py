"""The table of images, feature arrays, and images: decoding and resizing."""
