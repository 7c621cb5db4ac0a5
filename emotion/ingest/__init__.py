"""Ingestion: from raw data to the table and the feature arrays.

It covers sources, votes, splits, copies, statistics and extraction.
"""
