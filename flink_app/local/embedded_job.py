"""The job on the embedded MiniCluster, for as long as a context lasts.

In: a `Config`. Out: a running job that can be asked whether it still runs; afterwards neither the
job nor its Java process is left.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flink_app.config import Config
from flink_app.connections import storage
from flink_app.console.failures import JobFailed, job_failed
from flink_app.graph import remote
from flink_app.local.compilation import Compilation
from flink_app.local.gateway import JavaGateway
from flink_app.local.java_options import suited
from udfs.errors import MillirecError, ServiceError
from udfs.learning.settings import ORDINARY, Trial


class EmbeddedJob:
    """Context manager: Java is there when it is entered; `submit` starts the job.

    Args:
        log, on_warning: see `JavaGateway`. trial: how events are tested, if the run measures.
        names: the true paths behind those that the job reads. java: options for Java, if not those
            that suit the configuration.
    """

    def __init__(
        self,
        config: Config,
        log: Path,
        on_warning: Callable[[str], None],
        trial: Trial = ORDINARY,
        names: Mapping[str, str] = {},
        java: Sequence[str] = (),
    ) -> None:
        self._config, self._trial, self._names = config, trial, names
        self._gateway = JavaGateway(
            log, on_warning, java or suited(config), storage.java_environment(config)
        )
        self._far = any(storage.addresses(config))
        self._storage = storage.flink_options(os.environ) if self._far else {}
        self._compilation = Compilation(config.settings)
        self._client: Any = None
        self._result: Any = None

    def __enter__(self) -> EmbeddedJob:
        self._compilation.start()
        try:
            self._gateway.__enter__()
            if self._far:
                remote.use_options(self._storage | self._config.flink.options)
        except BaseException:
            self._compilation.stop()
            self._gateway.stop()
            raise
        return self

    @property
    def compiles(self) -> bool:
        """Whether `submit` has to wait for the compiler."""
        return self._compilation.needed

    def submit(self) -> None:
        """Build the graph and start the job.

        Raises:
            ConfigError, SourceError: what the configuration asks for cannot be built. JobFailed:
                Flink refuses it. ServiceError: see `list_format`.
        """
        # Loading PyFlink takes seconds: not before it is needed.
        from flink_app.connections.schema_registry import list_format
        from flink_app.graph.environment import embedded_options, environments, flink_options
        from flink_app.job import build

        config = self._config
        options = self._storage | embedded_options(config) | flink_options(config)
        try:
            stream, tables = environments(options)
            build(stream, tables, config, self._trial, self._names, list_format(config))
            self._compilation.wait()
            self._client = stream.execute_async(config.job.name)
            self._result = self._client.get_job_execution_result()
        except MillirecError:
            raise
        except Exception as error:  # py4j's, PyFlink's own, by cause
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> MillirecError:
        """What is to be said of an error that came from Java, or from its absence."""
        from py4j.protocol import Py4JJavaError

        death = "" if isinstance(error, Py4JJavaError) else self._gateway.death()
        return ServiceError(death) if death else job_failed(str(error))

    @property
    def id(self) -> str:
        """Flink's name of the submitted job, 32 hexadecimal digits."""
        return str(self._client.get_job_id())

    def finished(self) -> bool:
        """Whether its input has ended and all of it is done.

        Raises:
            JobFailed: it has ended with an error; the message has the cause. ServiceError: Java is
                gone.
        """
        try:
            if self._result is None or not self._result.done():
                return False
            self._result.result()
        except Exception as error:  # py4j's, PyFlink's own, by cause
            raise self._failed(error) from error
        return True

    def check(self) -> None:
        """Raise JobFailed if the job, whose input has no end, has ended."""
        if self.finished():
            raise JobFailed("the job has ended by itself")

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            with contextlib.suppress(Exception):  # a job that has ended cannot be cancelled
                self._client.cancel().result()
        self._compilation.stop()
        self._gateway.stop()
