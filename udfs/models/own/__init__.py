"""Models that a team has trained itself, as ONNX files."""
