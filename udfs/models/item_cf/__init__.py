"""Item-based collaborative filtering: what was taken together."""
