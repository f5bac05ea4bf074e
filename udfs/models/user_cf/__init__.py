"""User-based collaborative filtering: what similar users chose."""
