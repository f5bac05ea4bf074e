"""Options of the Java that runs the embedded job: little memory while little is needed.

In: what JAVA_TOOL_OPTIONS holds. Out: what it is to hold. Java reads it before its command line,
so options in JVM_ARGS are stronger than these.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence

_COLLECTOR = re.compile(r"-XX:[+-]Use\w+GC\b")

# The heap begins small and grows up to Java's own limit, a quarter of the machine's memory.
_HEAP = ("-Xms32m", "-XX:MinHeapFreeRatio=20", "-XX:MaxHeapFreeRatio=40")

SMALL = ("-XX:+UseSerialGC", "-Xmn48m")
"""For a job with little state, which needs no collector with threads and tables of its own."""


def java_options(given: str, also: Sequence[str] = (), other: str = "") -> str:
    """Our options, then those given, which are stronger.

    Args:
        also: more options of ours. other: what else Java is told: only one may name a collector.

    >>> java_options("-Xms1g -Djava.io.tmpdir=/mine", ["-XX:SharedArchiveFile=/a b"])[56:]
    "'-XX:SharedArchiveFile=/a b' -Xms1g -Djava.io.tmpdir=/mine"
    """
    options = [*_HEAP, *also]
    if _COLLECTOR.search(f"{given} {other}"):
        options = [option for option in options if not _COLLECTOR.match(option)]
    options = [f"'{option}'" if " " in option else option for option in options]
    folder = tempfile.gettempdir()
    # Java itself does not look at TMPDIR.
    if not ("java.io.tmpdir" in given or folder == "/tmp" or "'" in folder):
        options.append(f"'-Djava.io.tmpdir={folder}'")
    return " ".join([*options, given]).strip()
