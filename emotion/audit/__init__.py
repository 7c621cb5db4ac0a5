"""Suspect labels: images on whose labels networks disagree that did not train on them."""
