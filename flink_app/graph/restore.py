"""Finds the checkpoint that a job is restored from: the newest in a folder, or the newest intact.

In: a folder or file URI. Out: the path of a checkpoint, or its metadata. A checkpoint is intact if
Flink's own classes can read its metadata, and all its files exist with the size in the metadata.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flink_app.config.paths import flink_uri, is_local, local
from udfs.errors import ConfigError

RESTORE = "execution.state-recovery.path"
"""Flink's option for the checkpoint; `flink run -s` sets it too."""

_DELEGATING = (
    "KeyGroupsStateHandle",
    "KeyGroupsSavepointStateHandle",
    "OperatorStreamStateHandle",
    "FileMergingOperatorStreamStateHandle",
)

log = logging.getLogger(__name__)


def latest_checkpoint(folder: str) -> Path:
    """The newest complete checkpoint below `folder` (a path or a file URI).

    Raises:
        ConfigError: there is none, or the folder is not on this machine.
    """
    return _finished(folder)[0]


def whole_checkpoint(folder: str) -> str:
    """Like `latest_checkpoint`, as Flink reads it, but skips damaged ones with a warning; needs the
    JVM to read them.

    Raises:
        ConfigError: as there, or all are damaged.
    """
    found = _finished(folder)
    for checkpoint in found:
        if not (damage := _damage(checkpoint)):
            return flink_uri(checkpoint, "state.checkpoints")
        log.warning("%s is damaged: %s. Trying the one before it.", checkpoint, damage)
    raise ConfigError(
        f"all {len(found)} checkpoints in {folder} are damaged: restore a copy of one, or start "
        "without state.restore"
    )


def _finished(folder: str) -> list[Path]:
    """The folders of complete checkpoints, newest first; at least one."""
    if not folder:
        raise ConfigError(
            'state.restore is "latest" but state.checkpoints is empty: name the folder of the '
            "checkpoints"
        )
    if not is_local(folder):
        raise ConfigError(
            f'state.restore = "latest" only looks on this machine, not in {folder}: give the path '
            "of the checkpoint instead"
        )
    path = local(folder)
    # Earlier releases wrote to a folder with percents in its name.
    folders = dict.fromkeys([path, Path(quote(os.fspath(path), errors="surrogateescape"))])
    files = [file for one in folders for file in one.glob("*/chk-*/_metadata")]
    found = sorted(files, key=lambda file: file.stat().st_mtime_ns)
    if not found:
        raise ConfigError(
            f"there is no finished checkpoint in {path}, where a run that has read its files to "
            "the end leaves none: correct state.checkpoints, or start without state.restore, and "
            "without anything learned"
        )
    return [file.parent for file in reversed(found)]


def read_metadata(path: str) -> Any:
    """Flink's `CheckpointMetadata` of a checkpoint or savepoint, in any storage Flink can read.

    Args:
        path: as for `flink run -s`: a folder or its `_metadata`, a path or a URI.

    Raises:
        Py4JJavaError: it does not exist, or is not metadata.
    """
    from pyflink.java_gateway import get_gateway

    jvm: Any = get_gateway().jvm
    flink = jvm.org.apache.flink.runtime
    storage = flink.state.filesystem.AbstractFsCheckpointStorageAccess
    found = storage.resolveCheckpointPointer(path)
    stream = jvm.java.io.DataInputStream(found.getMetadataHandle().openInputStream())
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    try:
        return flink.checkpoint.Checkpoints.loadCheckpointMetadata(
            stream, loader, found.getExternalPointer()
        )
    finally:
        stream.close()


def _damage(folder: Path) -> str:
    """What is wrong with a checkpoint; "" if nothing is, as far as its files show."""
    from py4j.protocol import Py4JJavaError

    try:
        checkpoint = read_metadata(flink_uri(folder, "state.checkpoints"))
    except Py4JJavaError as error:
        return f"its metadata cannot be read ({error.java_exception})"
    for path, size in _files(checkpoint):
        if not path.is_file():
            return f"{path} is missing"
        if path.stat().st_size != size:
            return f"{path} has {path.stat().st_size} bytes, not {size}"
    return ""


def _files(checkpoint: Any) -> Iterator[tuple[Path, int]]:
    """The files of a checkpoint and their sizes."""
    kinds = "ManagedKeyed", "RawKeyed", "ManagedOperator", "RawOperator"
    for operator in each(checkpoint.getOperatorStates()):
        for subtask in each(operator.getStates()):
            for kind in kinds:
                for handle in each(getattr(subtask, f"get{kind}State")()):
                    yield from _files_of(handle)


def _files_of(handle: Any) -> Iterator[tuple[Path, int]]:
    """The files behind one of Flink's state handles; small state is in the metadata itself."""
    kind = handle.getClass().getSimpleName()
    if kind == "IncrementalRemoteKeyedStateHandle":
        yield from _files_of(handle.getMetaDataStateHandle())
        for parts in (handle.getSharedState(), handle.getPrivateState()):
            for part in each(parts):
                yield from _files_of(part.getHandle())
    elif kind.endswith("FileStateHandle"):
        path = handle.getFilePath().toUri()
        if path.getScheme() in (None, "file"):
            yield Path(path.getPath()), int(handle.getStateSize())
    elif kind in _DELEGATING:
        yield from _files_of(handle.getDelegateStateHandle())


def each(collection: Any) -> Iterator[Any]:
    """The elements of a Java collection."""
    iterator = collection.iterator()
    while iterator.hasNext():
        yield iterator.next()
