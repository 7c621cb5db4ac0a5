"""From raw data to the table and the feature arrays: sources, votes, splits, copies, statistics, extraction."""
