"""A simulated social network: posts that live for hours, authors who are followed."""
