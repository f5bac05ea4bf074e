"""`njit` as all kernels use it: compiled code is kept wherever this process may write.

In: a kernel and Numba's options. Out: Numba's dispatcher. Numba looks for a place itself: in
NUMBA_CACHE_DIR, beside the sources, in the user's cache folder. Where it may write to none of them,
as any user of a read-only image, it would refuse to import the kernel; here a temporary folder
follows, and without even that every process compiles for itself.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit as numba_njit
from numba.core import config as numba_config
from numba.core.caching import UserProvidedCacheLocator

from udfs.own_folder import own_folder

VARIABLE = "NUMBA_CACHE_DIR"
_PACKAGE = Path(__file__).parent

log = logging.getLogger(__name__)
config: Any = numba_config  # its attributes are made at import


def njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """`numba.njit` with these options, its cache in a folder that can be written. A division by 0
    gives what it gives in NumPy: looking for one keeps a loop from being vectorised."""
    options = {"error_model": "numpy", **options}

    def compile_later(kernel: Callable[..., Any]) -> Any:
        try:
            return numba_njit(**options)(kernel)
        except RuntimeError:  # Numba's "cannot cache function …: no locator available"
            _use_temporary_folder()
            cache = bool(config.CACHE_DIR)
            return numba_njit(**{**options, "cache": cache})(kernel)

    return compile_later


def private_folder() -> Path | None:
    """This user's own temporary folder, or a new one, which nobody else can read or write; None if
    none can be made. Compiled code is run as it is found, so one that others could have filled is
    not used."""
    if (folder := own_folder()) is not None:
        return folder
    try:
        return Path(tempfile.mkdtemp(prefix="millirec-"))
    except OSError:
        return None


def _use_temporary_folder() -> None:
    """Let Numba, and processes that are started from here, use the temporary folder."""
    folder = private_folder()
    config.CACHE_DIR = str(folder or "")
    if folder is None:
        log.warning(
            "Compiled kernels can be kept nowhere, so each process compiles them, for a minute or "
            "two: set %s to a folder that can be written",
            VARIABLE,
        )
        return
    told = folder / "told"  # the folder has other things too, and a process may be silent
    if log.isEnabledFor(logging.WARNING) and not told.exists():
        log.warning("Compiled kernels are kept in %s; %s names another folder", folder, VARIABLE)
        with contextlib.suppress(OSError):
            told.touch()
    os.environ[VARIABLE] = str(folder)
    with contextlib.suppress(OSError):
        _copy_compiled(folder)


def _copy_compiled(folder: Path) -> None:
    """Start with what was compiled beside the sources, where Numba reads only if it can write."""
    for file in _PACKAGE.rglob("__pycache__/*.nb[ic]"):
        source = str(file.parent.parent / "kernels.py")
        place = folder / UserProvidedCacheLocator.get_suitable_cache_subpath(source)
        if (place / file.name).exists():
            continue
        place.mkdir(exist_ok=True)
        handle, part = tempfile.mkstemp(dir=place)
        os.close(handle)
        shutil.copyfile(file, part)
        Path(part).replace(place / file.name)


def _has_cache_folder() -> bool:
    """Whether the user's cache folder has a name: Numba would make one called "~" otherwise."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~")  # noqa: PTH111
    return Path(home).is_absolute()


if not (config.CACHE_DIR or _has_cache_folder() or os.access(_PACKAGE, os.W_OK)):
    _use_temporary_folder()
