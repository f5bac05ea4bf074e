"""Commands of `millirec` that stand in modules of their own, by topic."""
