"""Options of the Java that runs the embedded job: little memory while little is needed, and little
work of its own.

In: the configuration, and what JAVA_TOOL_OPTIONS holds. Out: what it is to hold. Java reads it
before its command line, so options in JVM_ARGS are stronger than these.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence

from flink_app.config import Config

_COLLECTOR = re.compile(r"-XX:[+-]Use\w+GC\b")
_LIMIT = re.compile(r"-Xmx|-XX:MaxHeapSize=")

_OURS = (
    # The heap begins small and grows up to Java's own limit, a quarter of the machine's memory.
    "-Xms32m",
    "-XX:MinHeapFreeRatio=20",
    "-XX:MaxHeapFreeRatio=40",
    # Java carries lines and bytes and computes nothing. Its second compiler takes more time in the
    # first million events than what it makes of that saves later (docs/decisions/lean-java.md).
    "-XX:TieredStopAtLevel=1",
    # Classes take 100 MB; Java would look through the whole heap at 20, 35 and 60 of them.
    "-XX:MetaspaceSize=128m",
)

SMALL = ("-XX:+UseSerialGC", "-Xmn48m")
"""For a job with little state, which needs no collector with threads and tables of its own."""

_BULK = (
    "-XX:+UseSerialGC",
    "-Xms384m",
    "-Xmn128m",
    "-XX:MinHeapFreeRatio=40",
    "-XX:MaxHeapFreeRatio=70",
)


def suited(config: Config) -> tuple[str, ...]:
    """More options that suit the job: where the input ends, nobody waits for a single event, and
    the collector that takes the least time in all may pause.

    >>> suited(Config())[0]
    '-XX:+UseSerialGC'
    """
    return _BULK if config.bounded else ()


def java_options(given: str, also: Sequence[str] = (), other: str = "") -> str:
    """Our options, then those given, which are stronger.

    Args:
        also: more options of ours. other: what else Java is told: only one may name a collector.

    >>> java_options("-Xms1g -Djava.io.tmpdir=/mine", ["-XX:SharedArchiveFile=/a b"])[103:]
    "'-XX:SharedArchiveFile=/a b' -Xms1g -Djava.io.tmpdir=/mine"
    """
    if _LIMIT.search(f"{given} {other}"):  # Java does not start if its heap begins above the limit
        also = [option for option in also if not option.startswith("-Xms")]
    options = [*_OURS, *also]
    if _COLLECTOR.search(f"{given} {other}"):
        options = [option for option in options if not _COLLECTOR.match(option)]
    options = [f"'{option}'" if " " in option else option for option in options]
    folder = tempfile.gettempdir()
    # Java itself does not look at TMPDIR.
    if not ("java.io.tmpdir" in given or folder == "/tmp" or "'" in folder):
        options.append(f"'-Djava.io.tmpdir={folder}'")
    return " ".join([*options, given]).strip()
