"""Removes compiled code from Numba's disk cache that refers to classes that no longer exist.

In: kernels that are compiled for the views of all sources and features. Out: an empty cache
for each kernel whose entries cannot be read. After a source is removed, or a view renamed, the old
entries would otherwise stop every process that finds them.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import logging
from typing import Any

log = logging.getLogger(__name__)


def forget_unreadable(*kernels: Any) -> None:
    """Empty the cache of each kernel whose entries name a module or class that no longer exists."""
    for kernel in kernels:
        try:
            kernel._cache._cache_file._load_index()
        except (ImportError, AttributeError):
            log.info("The compiled code of %s is for other sources: it is compiled again", kernel)
            kernel._cache.flush()
