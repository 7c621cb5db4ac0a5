"""Raw data to the table and the feature arrays: sources, votes, copies, splits, extraction."""
