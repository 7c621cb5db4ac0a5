"""Set-up of Keras, saving and loading of .keras files, and the probabilities of a model for arrays of images."""
