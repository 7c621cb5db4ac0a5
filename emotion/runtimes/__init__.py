"""Model files for Keras, TensorFlow Lite and ONNX: engines that run them, exports, and their comparison."""
