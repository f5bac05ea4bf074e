"""Finds the checkpoint that a job is restored from: the newest in a folder, or the newest intact.

In: a folder or URI. Out: the path of a checkpoint, or its metadata. A checkpoint is intact if
Flink's own classes can read its metadata, and all its files exist with the size in the metadata.
What is not on this machine is looked at by Flink, so its Java has to run.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flink_app.config.paths import flink_uri, is_local, local
from flink_app.graph import remote
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


def newest_checkpoint(folder: str) -> str:
    """The newest complete checkpoint below a path or URI; needs the JVM if it is not on this
    machine.

    Raises:
        ConfigError: there is none. ServiceError: the file system does not answer.
    """
    return _finished(folder)[0]


def whole_checkpoint(folder: str) -> str:
    """Like `newest_checkpoint`, as Flink reads it, but skips damaged ones with a warning; needs the
    JVM to read them.

    Raises:
        ConfigError: as there, or all are damaged. ServiceError: as there.
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


def _finished(folder: str) -> list[str]:
    """The folders of complete checkpoints, newest first; at least one."""
    if not folder:
        raise ConfigError(
            'state.restore is "latest" but state.checkpoints is empty: name the folder of the '
            "checkpoints"
        )
    found = _on_this_machine(local(folder)) if is_local(folder) else remote.checkpoints(folder)
    if not found:
        raise ConfigError(
            f"there is no finished checkpoint in {local(folder) if is_local(folder) else folder}, "
            "where a run that has read its files to the end leaves none: correct "
            "state.checkpoints, or start without state.restore, and without anything learned"
        )
    return found


def _on_this_machine(path: Path) -> list[str]:
    # Earlier releases wrote to a folder with percents in its name.
    folders = dict.fromkeys([path, Path(quote(os.fspath(path), errors="surrogateescape"))])
    files = [file for one in folders for file in one.glob("*/chk-*/_metadata")]
    found = sorted(files, key=lambda file: file.stat().st_mtime_ns)
    return [str(file.parent) for file in reversed(found)]


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


def _damage(folder: str) -> str:
    """What is wrong with a checkpoint; "" if nothing is, as far as its files show."""
    from py4j.protocol import Py4JJavaError

    try:
        checkpoint = read_metadata(flink_uri(folder, "state.checkpoints"))
    except Py4JJavaError as error:
        return f"its metadata cannot be read ({error.java_exception})"
    for path, size in _files(checkpoint):
        if (found := _size(path)) is None:
            return f"{path} is missing"
        if found != size:
            return f"{path} has {found} bytes, not {size}"
    return ""


def _size(path: str) -> int | None:
    """The bytes of a file; None if there is none."""
    if not is_local(path):
        found = remote.entry(path)
        return None if found is None or found.folder else found.size
    file = Path(path)
    return file.stat().st_size if file.is_file() else None


def _files(checkpoint: Any) -> Iterator[tuple[str, int]]:
    """The files of a checkpoint and their sizes."""
    kinds = "ManagedKeyed", "RawKeyed", "ManagedOperator", "RawOperator"
    for operator in each(checkpoint.getOperatorStates()):
        for subtask in each(operator.getStates()):
            for kind in kinds:
                for handle in each(getattr(subtask, f"get{kind}State")()):
                    yield from _files_of(handle)


def _files_of(handle: Any) -> Iterator[tuple[str, int]]:
    """The files behind one of Flink's state handles; small state is in the metadata itself."""
    kind = handle.getClass().getSimpleName()
    if kind == "IncrementalRemoteKeyedStateHandle":
        yield from _files_of(handle.getMetaDataStateHandle())
        for parts in (handle.getSharedState(), handle.getPrivateState()):
            for part in each(parts):
                yield from _files_of(part.getHandle())
    elif kind.endswith("FileStateHandle"):
        path = handle.getFilePath()
        here = path.toUri().getScheme() in (None, "file")
        yield str(path.toUri().getPath() if here else path), int(handle.getStateSize())
    elif kind in _DELEGATING:
        yield from _files_of(handle.getDelegateStateHandle())


def each(collection: Any) -> Iterator[Any]:
    """The elements of a Java collection."""
    iterator = collection.iterator()
    while iterator.hasNext():
        yield iterator.next()
