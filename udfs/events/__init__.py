"""A line of text becomes events."""
