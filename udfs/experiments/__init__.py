"""Experiments: who is in which variant, and what is known of their difference at any time."""
