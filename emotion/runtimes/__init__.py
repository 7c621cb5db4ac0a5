"""Model files run and written: engines for Keras, TensorFlow Lite and ONNX, exports to them, and their comparison."""
