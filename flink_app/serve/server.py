"""Runs the application: by itself, or in a thread beside something else.

In: a `Config`. Out: a server that listens until it is told to stop.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import threading
import time
from types import FrameType, TracebackType

import uvicorn

from flink_app.config import Config
from flink_app.serve.app import Application
from flink_app.serve.guard import is_loopback
from udfs.errors import ServiceError

log = logging.getLogger(__name__)
_START_S = 30.0
_LINGER_S = 5  # how long requests may go on after the server was told to stop


class _Server(uvicorn.Server):
    """Ends the streams first, which would go on for ever."""

    def __init__(self, config: Config) -> None:
        serve, app = config.serve, Application(config)
        self.services = app.services
        super().__init__(
            uvicorn.Config(
                app, host=serve.host, port=serve.port, log_config=None, access_log=False,
                lifespan="on", timeout_graceful_shutdown=_LINGER_S, server_header=False,
                proxy_headers=False, ws="none",
            )
        )  # fmt: skip

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End with exit code 0, as it was asked to; at once where it is asked again."""
        self.force_exit = self.should_exit
        self.end()

    def end(self) -> None:
        """Stop soon."""
        self.should_exit = True
        self.services.streams.close()


def address(config: Config) -> str:
    """The URL that the server listens at."""
    host, port = config.serve.host, config.serve.port
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(config: Config) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Raises:
        ServiceError: the port is taken. ConfigError, SourceError: see `app.Application`.
    """
    serve = config.serve
    server = _Server(config)
    if not is_loopback(serve.host) and not serve.api_key:
        log.warning(
            "%s is reached from other machines and serve.api_key is empty: whoever reaches it can "
            "read every list and send events", serve.host,
        )  # fmt: skip
    gc.collect()
    gc.freeze()  # what is there now stays: a look at all of it would hold up requests
    with contextlib.suppress(SystemExit):  # it has said why it cannot listen
        server.run()
    if not server.started:
        raise ServiceError(
            f"{address(config)} cannot be listened on: is the port taken? Choose another with "
            "--port, or --set serve.port=…"
        )


class Beside:
    """Context manager: a server in a thread, which answers from the moment this is entered."""

    def __init__(self, config: Config) -> None:
        self._server = _Server(config)
        self.url = address(config)
        self._thread = threading.Thread(target=self._run, name="serve", daemon=True)

    def _run(self) -> None:
        with contextlib.suppress(SystemExit):
            self._server.run()

    def __enter__(self) -> Beside:
        self._thread.start()
        deadline = time.monotonic() + _START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise ServiceError(f"no server could be started at {self.url}.")
            time.sleep(0.01)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.end()
        self._thread.join()
