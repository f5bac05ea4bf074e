"""`millirec report`: one HTML page about an evaluation or a running job."""
