"""The embedded data set: drawn faces that show the seven emotions. The same seed gives the same bytes.

The shape of a person (`people`) and the action units of an emotion (`action_units`) give the positions of a face's
parts (`landmarks`). It is drawn at four times the size (`sketch`, `drawing`, `worn`), then disturbed and scaled down
(`disturbances`, `faces`). `archive` plans persons, emotions and splits, and writes the file.
"""
