"""The source `sequence`: what fits a user's last items, by a network that a team has trained."""
