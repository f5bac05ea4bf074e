"""The sections of the configuration that the operators are built with, one struct each."""
