"""The embedded data set: drawn faces that show the seven emotions, the same bytes from the same seed.

The shape of a person (`people`) and the action units of an emotion (`action_units`) give the positions of a face's
parts (`landmarks`). It is drawn at four times the size (`sketch`, `drawing`, `worn`), then disturbed and scaled down
(`disturbances`, `faces`). `archive` plans persons, emotions and splits, and writes the file.
"""
