"""One script a stage of dvc.yaml; run them as `python -m stages.NAME` from the project's root."""
