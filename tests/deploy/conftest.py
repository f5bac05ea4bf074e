"""Keeps pytest from importing modules that are submitted to a cluster, in one flat folder."""

collect_ignore_glob = ["stack/count_*.py"]
