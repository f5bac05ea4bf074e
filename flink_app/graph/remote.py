"""Looks into file systems of other machines through Flink's own clients for them.

In: addresses such as s3://bucket/folder. Out: what is there. Flink's Java must run: what Flink can
read, with its settings and credentials, can be seen, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from flink_app.config.masking import masked
from udfs.errors import ServiceError, SourceError

_MISSING = "java.io.FileNotFoundException"


class Entry(NamedTuple):
    """A file or folder: its address, its bytes, and its time in milliseconds since 1970."""

    address: str
    folder: bool
    size: int
    modified_ms: int

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.address.rsplit("/", 1)[-1]


def use_options(options: Mapping[str, str]) -> None:
    """Have Flink's file systems in this Java use these options, and the plugins of
    FLINK_PLUGINS_DIR; on a cluster its processes do so themselves."""
    from pyflink.common import Configuration
    from pyflink.java_gateway import get_gateway

    configuration = Configuration()
    for name, value in options.items():
        configuration.set_string(name, value)
    flink, java = get_gateway().jvm.org.apache.flink.core, configuration._j_configuration
    plugins = flink.plugin.PluginUtils.createPluginManagerFromRootFolder(java)
    flink.fs.FileSystem.initialize(java, plugins)


def entry(address: str) -> Entry | None:
    """What is at an address; None if nothing is.

    Raises:
        ServiceError: the file system does not answer, or refuses.
    """
    found = _ask(address, "getFileStatus")
    return None if found is None else _entry(found)


def entries(address: str) -> list[Entry]:
    """What is in a folder, by name; [] if it does not exist. Errors as in `entry`."""
    return sorted(_entry(one) for one in _ask(address, "listStatus") or ())


def files_below(address: str) -> Iterator[Entry]:
    """The file, or the files in a folder and the folders in it; none that is hidden, as Flink
    lists them. Errors as in `entry`."""
    found = entry(address)
    if found is not None and not found.folder:
        yield found
        return
    for one in entries(address):
        if one.name.startswith((".", "_")):
            continue
        if one.folder:
            yield from files_below(one.address)
        else:
            yield one


def require(
    paths: Sequence[str], option: str, *, folders: bool = False, file: bool = False
) -> None:
    """Check that there is something at each address.

    Args:
        folders, file: whether it must be a folder, or a file.

    Raises:
        SourceError: there is not. ServiceError: as in `entry`.
    """
    for path in paths:
        found = entry(path)
        if found is None:
            raise SourceError(
                f"there is nothing at {path}: correct {option}, or put a file there first (S3 has "
                "no empty folders)"
            )
        if folders and not found.folder:
            raise SourceError(f"{path} is not a folder: correct {option}")
        if file and found.folder:
            raise SourceError(f"{path} is a folder: job.strict reads one file")


def checkpoints(folder: str) -> list[str]:
    """The addresses of the complete checkpoints below a folder, newest first. Errors as in
    `entry`."""
    found = []
    for job in entries(folder):
        for one in entries(job.address) if job.folder else ():
            done = entry(f"{one.address}/_metadata") if one.name.startswith("chk-") else None
            if done is not None:
                found.append((done.modified_ms, one.address))
    return [address for _, address in sorted(found, reverse=True)]


def _ask(address: str, question: str) -> Any:
    """One of the questions to a Flink `FileSystem`; None if there is nothing at the address."""
    from py4j.protocol import Py4JJavaError
    from pyflink.java_gateway import get_gateway

    try:
        path = get_gateway().jvm.org.apache.flink.core.fs.Path(address)
        return getattr(path.getFileSystem(), question)(path)
    except Py4JJavaError as error:
        cause = error.java_exception
        if cause.getClass().getName() == _MISSING:
            return None
        raise ServiceError(
            f"{address} cannot be looked at: {masked('', str(cause.toString()))}. Check the "
            "address, the credentials and that the server answers (docs/storage.md)."
        ) from error


def _entry(status: Any) -> Entry:
    address = str(status.getPath().toString()).rstrip("/")
    folder = bool(status.isDir())
    size = 0 if folder else int(status.getLen())
    return Entry(address, folder, size, int(status.getModificationTime()))
