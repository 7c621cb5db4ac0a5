"""`emotion preset`: params of data sets and published systems."""
