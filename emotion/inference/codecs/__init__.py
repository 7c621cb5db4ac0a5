"""Decoders and encoders of video files: PyAV's where it is installed, else OpenCV's."""
