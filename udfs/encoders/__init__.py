"""Texts and images become dense vectors, by networks that ONNX Runtime runs."""
