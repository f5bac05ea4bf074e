"""Jars that a job on this machine needs beside Flink's own, downloaded once.

In: sections of `deploy/jars.ini`. Out: paths of verified files in the user's cache. Every command
imports it, so it imports nothing heavy.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from flink_app.config.writable import obstacle
from udfs.own_folder import own_folder


def cached(use: str) -> list[Path]:
    """The absolute paths of a section's jars, downloaded if they are not in the cache.

    Raises:
        ServiceError: they are not in the cache and cannot be downloaded.
    """
    from deploy.download import fetch, pinned

    return [jar.absolute() for jar in fetch(pinned(use), cache() / "jars")]


def cache() -> Path:
    """The folder `millirec` in the user's cache; for a user without one, a temporary folder."""
    named = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    found = Path(named) / "millirec"
    if not found.is_absolute() or obstacle(found / "jars"):  # a user without a home
        return own_folder() or Path(tempfile.mkdtemp(prefix="millirec-"))
    return found
