"""What Flink cannot read as it lies, made readable before the job starts.

In: a configuration with files or folders. Out: the same with a folder below `.millirec/input`,
which holds a link to each file that only has an odd name, and of each other one its lines in plain
UTF-8; and the true path of each entry, for dead letters. The folder is named after the files, their
sizes and times, so that a job that is restored finds the same lines; it goes once all are learned.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from flink_app.config import Config
from flink_app.config.input_options import Source
from flink_app.config.item_options import Items
from flink_app.config.paths import refusal
from flink_app.console.live import counted
from flink_app.graph.inputs import name_oddity, oddities, unpack
from flink_app.graph.sources import elsewhere, files_of, item_section, paths_in
from flink_app.local.arrivals import Arrivals
from udfs.errors import SourceError
from udfs.events.text_files import form_of
from udfs.own_folder import own_folder

FOLDER = ".millirec"
"""What runs keep, in the current folder."""


class Readable(NamedTuple):
    """What the job reads.

    Attributes:
        config: with other paths if necessary.
        names: the true path behind each path that the job reads, where it is another.
        folders: to be removed once all is learned; () if nothing had to be unpacked.
        arrivals: the watched folders.
    """

    config: Config
    names: dict[str, str]
    folders: Sequence[Path] = ()
    arrivals: Sequence[Arrivals] = ()

    @contextlib.contextmanager
    def unpacking(self, warn: Callable[[str], None]) -> Iterator[None]:
        """Unpack what comes into watched folders, as long as the context lasts."""
        for one in self.arrivals:
            one.start(warn)
        try:
            yield
        finally:
            for one in self.arrivals:
                one.stop()

    def remove(self) -> None:
        """Remove what was unpacked."""
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # there are others
                folder.parent.rmdir()
                folder.parent.parent.rmdir()


def readable(config: Config, say: Callable[[str], None]) -> Readable:
    """The configuration of a job that reads what the given one names.

    Args:
        say: called with a sentence if files are to be unpacked, which may take a while.

    Raises:
        SourceError: a file cannot be read, or what is unpacked cannot be written.
    """
    events = _readable(config.source, config, say)
    items = _readable(item_section(config) if config.items.kind else config.items, config, say)
    return Readable(
        msgspec.structs.replace(config, source=events.section, items=items.section),
        events.names | items.names,
        tuple(folder for folder in (events.folder, items.folder) if folder),
        (*events.arrivals, *items.arrivals),
    )


class _Section(NamedTuple):
    """What the job reads by one section; see `Readable`."""

    section: Any
    names: dict[str, str]
    folder: Path | None = None
    arrivals: Sequence[Arrivals] = ()


def _readable(section: Source, config: Config, say: Callable[[str], None]) -> _Section:
    if section.kind not in ("files", "directory") or elsewhere(section):
        return _Section(section, {})  # what is on other machines lies as it must, or is refused
    paths = paths_in(section, strict=config.job.strict)
    try:
        if section.kind == "directory":
            return _watched(section, paths)
        files = files_of(paths)
        odd = oddities(files, section.encoding)
        odd |= {path: reason for path in paths if (reason := name_oddity(path))}
        return _unpacked(section, files, odd, say) if odd else _Section(section, {})
    except OSError as error:
        raise SourceError(
            f"the input cannot be unpacked to {error.filename}: {error.strerror}. Make room "
            "there, or run millirec in another folder."
        ) from error


def place() -> Path:
    """`.millirec` in the current folder, or in a temporary one if Flink cannot name that or nothing
    can be written there."""
    here = Path.cwd()
    if not refusal(here) and "\n" not in str(here) and os.access(here, os.W_OK):
        return here / FOLDER
    found = own_folder()
    if found is None:
        raise SourceError(
            f"neither {here} nor a folder of this user's own in {tempfile.gettempdir()} can be "
            "written: run millirec in a writable folder"
        )
    return found


def _watched(section: Source, paths: Sequence[Path]) -> _Section:
    """Watched folders, those with odd names behind links."""
    names: dict[str, str] = {}
    given = []
    for path in paths:
        read = path
        if name_oddity(path):
            read = place() / "watched" / _digest([os.fsencode(path)])
            read.parent.mkdir(parents=True, exist_ok=True)
            if not read.is_symlink():
                read.symlink_to(path)
            names[str(read)] = str(path)
        given.append(str(read))
    arrivals = [Arrivals(path, section.encoding) for path in paths]
    return _Section(_with(section, given), names, arrivals=arrivals)


def _unpacked(
    section: Source, files: Sequence[Path], odd: dict[Path, str], say: Callable[[str], None]
) -> _Section:
    """A folder with an entry for each file."""
    encoding = section.encoding
    folder = place() / "input" / _digest(_marks(files, encoding))
    folder.mkdir(parents=True, exist_ok=True)
    names = {}
    copies = []
    for number, file in enumerate(files):
        form = form_of(file, encoding)
        plain = form.encoding == "utf-8" and not form.spread and form.packed in ("", "gzip")
        entry = folder / f"{number:06}{'.gz' if plain and form.packed else '.txt'}"
        names[str(entry)] = str(file)
        if plain and not entry.is_symlink():
            entry.symlink_to(file)
        elif not plain and not entry.exists():
            copies.append((file, entry))
    if copies:
        size = sum(file.stat().st_size for file, _ in copies)
        first = copies[0][0]
        reason = odd.get(first) or f"it is encoded as {encoding}"
        more = f", and {len(copies) - 1:,} more" if len(copies) > 1 else ""
        say(
            f"unpacking {counted(len(copies), 'file')} of {size:,} bytes to {folder}: "
            f"{first.name}, since {reason}{more}"
        )
    for file, entry in copies:
        unpack(file, entry, encoding)
    given = [str(folder)] if len(names) != 1 else list(names)
    return _Section(_with(section, given), names, folder)


def _with(section: Source, paths: list[str]) -> Source:
    """The section for other paths; lines that were unpacked are UTF-8."""
    encoding = section.encoding
    if section.kind == "files":
        encoding = "utf-8" if isinstance(section, Items) else ""  # whatever the items' preset has
    return msgspec.structs.replace(section, paths=paths, encoding=encoding)


def _marks(files: Sequence[Path], encoding: str) -> Iterable[bytes]:
    """What changes when a file does."""
    yield encoding.encode()
    for file in files:
        found = file.stat()
        yield os.fsencode(file) + f"\0{found.st_size}\0{found.st_mtime_ns}".encode()


def _digest(parts: Iterable[bytes]) -> str:
    return hashlib.sha256(b"\0\0".join(parts)).hexdigest()[:16]
