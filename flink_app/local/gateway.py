"""The Java process that Flink runs in, with its output kept off the terminal.

In: a log file. Out: a running gateway that PyFlink finds by itself, because PYFLINK_GATEWAY_PORT
names it. Flink's log and the operators' go to the file, and the operators' warnings to a listener
too, one `str` each.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import logging
import os
import re
import signal
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from flink_app.config.paths import refusal
from flink_app.local.class_archive import ClassArchive
from flink_app.local.java_options import java_options
from udfs.errors import ServiceError

_PORT = "PYFLINK_GATEWAY_PORT"
_TOLD = ("JVM_ARGS", "FLINK_ENV_JAVA_OPTS", "JDK_JAVA_OPTIONS")  # what else tells Java options
_START_S = 120.0
_STOP_S = 20.0
_NOTICE_S = 1.0

# PyFlink passes Python's log records on under the name "path/of/module.py:line".
_LOG4J = """\
rootLogger.level = INFO
rootLogger.appenderRef.file.ref = file
rootLogger.appenderRef.listener.ref = listener
appender.file.name = file
appender.file.type = FILE
appender.file.fileName = {file}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yyyy-MM-dd HH:mm:ss,SSS}} %-5p %c %m%n
appender.listener.name = listener
appender.listener.type = CONSOLE
appender.listener.target = SYSTEM_ERR
appender.listener.filter.warnings.type = ThresholdFilter
appender.listener.filter.warnings.level = WARN
appender.listener.layout.type = PatternLayout
appender.listener.layout.pattern = warning|%c|%m{{nolookups}}%n
"""
# Java reads names of files by the locale; Python takes UTF-8 in the locale C too.
_LOCALE = {"LC_ALL": "C.UTF-8"} if sys.getfilesystemencoding() == "utf-8" else {}
_STACK = re.compile(r"\s+(at |\.\.\. \d+ more)|Picked up JAVA_TOOL_OPTIONS|warning\|")
_OPERATOR = re.compile(r"warning\|\S*[/\\]udfs[/\\](?:\w+[/\\])*\w+\.py:\d+\|(.*)")


class JavaGateway:
    """Context manager: Java for PyFlink, ended on exit and when this process dies.

    PyFlink starts such a process too, but leaves its standard error unread: the job would hang
    once operators had written 64 KiB of warnings to it.

    Args:
        log: the file to append to; its folder exists, and gets the logging settings.
        on_warning: called from a thread of its own with each warning or error of an operator.
        options: for Java. variables: more of its environment.
    """

    def __init__(
        self,
        log: Path,
        on_warning: Callable[[str], None],
        options: Sequence[str] = (),
        variables: Mapping[str, str] = {},
    ) -> None:
        self._log, self._on_warning, self._options = log, on_warning, options
        self._variables = variables
        self._last_lines: deque[str] = deque(maxlen=100)
        self._process: subprocess.Popen[bytes] | None = None
        self._gateway: Any = None
        self._archive: ClassArchive | None = None

    def __enter__(self) -> JavaGateway:
        """Start Java and wait until it listens.

        Raises:
            ServiceError: there is no Java, or it ends at once.
        """
        # Loading PyFlink takes seconds: not before the screen shows what is happening.
        from flink_app.graph.environment import prepare_process

        prepare_process()
        if reason := refusal(self._log):
            raise ServiceError(
                f"Java cannot log to {str(self._log)!r}, which has {reason}: set TMPDIR to another "
                "folder"
            )
        from pyflink import pyflink_gateway_server

        self._archive = ClassArchive(
            Path(os.environ["JAVA_HOME"]), {**os.environ, **self._variables}
        )
        # A signal to the whole group (systemd, `timeout`, a terminal) must reach the job first.
        pyflink_gateway_server.Popen = functools.partial(subprocess.Popen, start_new_session=True)
        settings, port = self._log.with_suffix(".properties"), self._log.with_suffix(".port")
        port.unlink(missing_ok=True)  # an earlier Java's, which has logged to the same folder
        settings.write_text(_LOG4J.format(file=_escaped(str(self._log))), encoding="ascii")
        environment = {
            **os.environ,
            **_LOCALE,
            **self._variables,
            "LOG4J_PROPERTIES": settings.as_uri(),
            "_PYFLINK_CONN_INFO_PATH": str(port),
            # PyFlink would ask for the user's name, which not every user has.
            "FLINK_IDENT_STRING": os.environ.get("FLINK_IDENT_STRING") or "millirec",
            **self._archive.environment,
            "JAVA_TOOL_OPTIONS": java_options(
                os.environ.get("JAVA_TOOL_OPTIONS", ""),
                [*self._options, *self._archive.options],
                " ".join(os.environ.get(name, "") for name in _TOLD),
            ),
        }
        environment.setdefault("MALLOC_ARENA_MAX", "2")  # else C's memory lies in one per thread
        # Its calls that a signal breaks off are not to be told by their tracebacks.
        logging.getLogger("py4j").addHandler(logging.NullHandler())
        main = ["-c", "org.apache.flink.client.python.PythonGatewayServer", "local"]
        self._process = pyflink_gateway_server.launch_gateway_server_process(environment, main)
        assert self._process.stderr is not None
        reader = threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True)
        reader.start()
        try:
            os.environ[_PORT] = str(self._wait(port))
            # Java ends by itself unless PyFlink introduces itself within seconds.
            self._gateway = importlib.import_module("pyflink.java_gateway").get_gateway()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End Java and wait until it is gone; does nothing the second time."""
        os.environ.pop(_PORT, None)
        process, self._process = self._process, None
        if process is None:
            return
        if self._gateway is not None:
            # Or each Java object that Python still holds would be given back over a dead socket.
            with contextlib.suppress(Exception):  # it may be dead already
                self._gateway.shutdown()
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._archive is not None and isinstance(process.args, list):
            self._archive.make([str(one) for one in process.args])

    def death(self) -> str:
        """Why Java is gone, as a sentence; "" while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired, AttributeError):
            # Its end may be noticed by a broken connection first.
            code = self._process.wait(_NOTICE_S)  # type: ignore[union-attr]
            reason = f"by itself, exit code {code}: {self._last_line()}"
            if code == -signal.SIGKILL:
                reason = "by SIGKILL, as the system does when memory runs out"
            elif code < 0:
                reason = f"by {signal.Signals(-code).name}"
            return f"Flink's Java process was ended {reason}. See {self._log}."
        return ""

    def _wait(self, file: Path) -> int:
        """The port that Java has written into `file`, as a big-endian 32-bit integer."""
        assert self._process is not None
        deadline = time.monotonic() + _START_S
        while not (file.exists() and file.stat().st_size >= 4):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ServiceError(
                    f"Flink's Java process did not start: {self._last_line()}. See {self._log}; "
                    "if JAVA_HOME is set, check that it is a working Java."
                )
            time.sleep(0.02)
        return int(struct.unpack("!I", file.read_bytes()[:4])[0])

    def _last_line(self) -> str:
        """The last line that Java printed, not of a stack."""
        lines = [line for line in self._last_lines if line.strip() and not _STACK.match(line)]
        return lines[-1] if lines else "it printed nothing"

    def _listen(self, stream: IO[bytes]) -> None:
        for raw in stream:
            line = raw.decode(errors="replace").rstrip()
            self._last_lines.append(line)
            if warning := operator_warning(line):
                # Java would stand still if nobody read on.
                with contextlib.suppress(Exception, SystemExit):
                    self._on_warning(warning)


def _escaped(path: str) -> str:
    """A path as Log4j's properties take it: a backslash, $ and other letters than ASCII escaped.

    >>> print(_escaped("/a b/ü${x}"))
    /a b/\\u00fc$${x}
    """
    units = path.replace("${", "$${").encode("utf-16-be")
    codes = [int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2)]
    return "".join(
        chr(code) if 32 <= code < 127 and code != 92 else f"\\u{code:04x}" for code in codes
    )


def operator_warning(line: str) -> str:
    """What an operator warned of, from a line of Java's standard error; "" if it is no such line.

    >>> operator_warning("warning|/job.zip/udfs/stores/redis_writer.py:9|Redis is away")
    'Redis is away'
    >>> operator_warning("warning|org.apache.flink.runtime.Task|Restarting")
    ''
    """
    found = _OPERATOR.fullmatch(line)
    return found[1] if found else ""
