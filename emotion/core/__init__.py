"""Code that every other room may use: errors, files, params, paths, labels, model metadata."""
