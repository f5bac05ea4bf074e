"""Runs the application until it is told to stop.

In: a `Config`. Out: a server that listens; its streams end with it.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import socket
from types import FrameType

import uvicorn

from flink_app.config import Config
from flink_app.config.pseudonyms import check_pseudonyms
from flink_app.console.terminal import printable
from flink_app.serve.app import Application
from flink_app.serve.guard import is_loopback
from udfs.errors import ServiceError

log = logging.getLogger(__name__)
_NO_KEY = (
    "%s can be reached from other machines and serve.api_key is empty: anyone who reaches it can "
    "read every list and send events"
)
_SELDOM = (10_000, 50, 1_000)
"""How often Python looks for cycles: each look at everything, which holds the fields of thousands
of items for filters, delays requests by tens of milliseconds, and there is little to be found."""
_LINGER_S = 5  # how long requests may continue after the server is told to stop


class Server(uvicorn.Server):
    """Ends the streams first, as they would never end by themselves."""

    def __init__(self, config: Config) -> None:
        serve, app = config.serve, Application(config)
        self.services = app.services
        super().__init__(
            uvicorn.Config(
                app,
                host=serve.host,
                port=serve.port,
                log_config=None,
                access_log=False,
                lifespan="on",
                timeout_graceful_shutdown=_LINGER_S,
                server_header=False,
                proxy_headers=False,
                ws="none",
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop with exit code 0; immediately at the second signal."""
        self.force_exit = self.should_exit
        self.end()

    def end(self) -> None:
        """Begin to stop."""
        self.should_exit = True
        self.services.streams.close()


def address(config: Config) -> str:
    """The URL that the server listens on."""
    host, port = config.serve.host, config.serve.port
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(config: Config) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Raises:
        ServiceError: the port is taken. ConfigError: as `check_pseudonyms`, and with SourceError
            as `app.Application`.
    """
    check_pseudonyms(config)
    serve = config.serve
    try:
        socket.getaddrinfo(serve.host, serve.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ServiceError(
            f"cannot listen on {printable(address(config))}: {error}. Correct serve.host or --host."
        ) from error
    server = Server(config)
    if not is_loopback(serve.host) and not serve.api_key:
        log.warning(_NO_KEY, serve.host)
    gc.collect()
    gc.freeze()  # what exists now stays: scanning all of it would delay requests
    gc.set_threshold(*_SELDOM)
    with contextlib.suppress(SystemExit):  # uvicorn has logged why it cannot listen
        server.run()
    if not server.started:
        raise ServiceError(
            f"cannot listen on {address(config)}: is the port taken? Choose another with --port "
            "or --set serve.port=…"
        )
