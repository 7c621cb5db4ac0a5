"""The files that an audit of labels writes. Git ignores their folder, since they show images and name files."""

from pathlib import Path

AUDIT = Path("data/audit")
SUSPECTS, PAGE, FOLDS = AUDIT / "suspects.csv", AUDIT / "suspects.html", AUDIT / "folds"
