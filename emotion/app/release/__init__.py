"""`emotion release`: a trained model kept with its figures."""
