"""The job on the embedded MiniCluster, for as long as a context lasts.

In: a `Config`. Out: a running job that can be asked whether it still runs; afterwards neither the
job nor its Java process is left.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from types import TracebackType
from typing import Any

from pyflink.java_gateway import get_gateway

from flink_app.config import Config
from flink_app.environment import embedded_options, environments, flink_options, prepare_process
from flink_app.job import build
from udfs.errors import ServiceError

_STOP_S = 20.0


class EmbeddedJob:
    """Context manager: `start_java`, then `submit`; leaving cancels the job and ends Java."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._java = 0
        self._client: Any = None
        self._result: Any = None

    def __enter__(self) -> EmbeddedJob:
        return self

    def start_java(self) -> None:
        """Start the Java process that everything of Flink's runs in; takes some seconds.

        Raises:
            ServiceError: there is no Java.
        """
        prepare_process()
        self._java = int(get_gateway().jvm.java.lang.ProcessHandle.current().pid())

    def submit(self) -> None:
        """Build the graph and start the job.

        Raises:
            ConfigError, SourceError: what the configuration asks for cannot be built.
        """
        options = flink_options(self._config) | embedded_options(self._config)
        stream, tables = environments(options)
        build(stream, tables, self._config)
        self._client = stream.execute_async(self._config.job.name)
        self._result = self._client.get_job_execution_result()

    def check(self) -> None:
        """Raise ServiceError, with the root cause, if the job has ended."""
        if self._result is None or not self._result.done():
            return
        try:
            self._result.result()
        except Exception as error:
            raise ServiceError(f"the job has failed: {_root(str(error))}") from error
        raise ServiceError("the job has ended by itself")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None:
            with contextlib.suppress(Exception):  # a job that has failed cannot be cancelled
                self._client.cancel().result()
        if self._java:
            # Without this, each Java object that Python still holds complains when it is collected.
            get_gateway().shutdown()
            _end(self._java)


def _root(message: str) -> str:
    """The innermost cause in a Java exception's text."""
    causes = [line for line in message.splitlines() if line.startswith("Caused by: ")]
    last = causes[-1].removeprefix("Caused by: ") if causes else message.splitlines()[0]
    return last.removeprefix("pemja.core.PythonException: ")


def _end(child: int) -> None:
    """Ask the Java process, a child of this one, to end, and wait until it is gone."""
    deadline = time.monotonic() + _STOP_S
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(child, signal.SIGTERM)
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.02)
