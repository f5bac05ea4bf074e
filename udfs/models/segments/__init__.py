"""What those take first of whom nothing is known but who they are: counts by segment."""
