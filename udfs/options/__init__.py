"""The sections of the configuration that the operators are built with, one struct each."""

USUAL = {"usual": True}
"""Marks the options that a shop usually sets, as `extra` of their Meta: docs/configuration.md lists
them; all others are on the page for experts."""
