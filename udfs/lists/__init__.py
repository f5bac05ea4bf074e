"""The lists that a front end reads."""
