"""The command line of a Java server that is run from pinned jars.

In: sections of `deploy/jars.ini` and a log file. Out: a command up to the name of the main class.
"""

from __future__ import annotations

import os
from pathlib import Path

from deploy.download import fetch, pinned
from deploy.stack.settings import Settings
from flink_app.graph.java import java_home

LOGGING = Path(__file__).parents[1] / "kafka" / "log4j2.properties"


def java(
    settings: Settings, log: Path, *uses: str, heap: str = "256m", before: str = ""
) -> list[str]:
    """Java with a small heap, the jars of some sections and of `[log]`, and its log in a file.

    Args:
        heap: its size at most. before: a folder that comes before the jars.
    """
    jars = map(str, fetch(pinned(*uses, "log"), settings.jars))
    path = os.pathsep.join([*filter(None, [before]), *jars])
    logging = [f"-Dmillirec.log={log}", f"-Dlog4j2.configurationFile={LOGGING}"]
    return [str(java_home() / "bin" / "java"), f"-Xmx{heap}", *logging, "-cp", path]
