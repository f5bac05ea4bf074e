"""Commands of `millirec` in modules by topic."""
