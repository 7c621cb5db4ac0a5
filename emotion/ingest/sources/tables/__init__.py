"""Tables of pixels: a row is an image, in a CSV or Parquet file."""
