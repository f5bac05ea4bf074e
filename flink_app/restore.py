"""Where a job goes on from: the newest finished checkpoint in a folder.

In: a folder or file URI. Out: the URI of a checkpoint that has its metadata.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from udfs.errors import ConfigError


def latest_checkpoint(folder: str) -> str:
    """The newest checkpoint below `folder` (a path or a file URI), as a file URI.

    Raises:
        ConfigError: there is none, or the folder is not on this machine.
    """
    if not folder:
        raise ConfigError(
            'state.restore is "latest" but state.checkpoints is empty: name the folder of the '
            "checkpoints"
        )
    parts = urlsplit(folder)
    if parts.scheme not in ("", "file"):
        raise ConfigError(
            f'state.restore = "latest" looks on this machine only, not in {folder}: give the path '
            "of the checkpoint instead"
        )
    path = Path(unquote(parts.path)).expanduser().absolute()
    found = sorted(path.glob("*/chk-*/_metadata"), key=lambda file: file.stat().st_mtime_ns)
    if not found:
        raise ConfigError(f"there is no finished checkpoint in {path}: start without state.restore")
    return found[-1].parent.as_uri()
