"""The embedded data set: drawn faces that show the seven emotions, the same bytes from the same seed.

Each face is a person's own shape (`people`), moved by the action units of an emotion (`action_units`) to where its
parts lie (`landmarks`), drawn at four times the size (`sketch`, `drawing`, `worn`), then disturbed and scaled down
(`disturbances`). `archive` says who shows what in which split and writes the file.
"""
