"""Engines that run model files (Keras, TensorFlow Lite, ONNX), and export to them."""
