"""The stages of dvc.yaml, one script each. Run one as `python -m stages.NAME` from the project's root."""
