"""Compiled code in Numba's cache on disk that names classes which are no more.

In: kernels that are compiled for the views of all sources and features. Out: those whose cache
cannot be read have an empty one. A source that is gone, or a view with another name, would
otherwise stop every process that finds the old entries.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import logging
from typing import Any

log = logging.getLogger(__name__)


def forget_unreadable(*kernels: Any) -> None:
    """Empty the cache of each kernel whose entries name a module or a class that is no more."""
    for kernel in kernels:
        try:
            kernel._cache._cache_file._load_index()
        except (ImportError, AttributeError):
            log.info("The compiled code of %s is of other sources: it is made again", kernel)
            kernel._cache.flush()
