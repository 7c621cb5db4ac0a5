"""Splits: groups, copies and near copies of images, and the choice of validation and test images."""
