"""Recorded events: fetched, checked, replayed."""
