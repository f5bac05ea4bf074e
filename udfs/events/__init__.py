"""Turns lines of text into events."""
