"""Redis for the local stack: the same redis-server and settings as the embedded default.

In: `Settings`. Out: a server at `address` (`str`, a redis:// URL), empty at first.
"""

from __future__ import annotations

import os

from deploy.stack.processes import Process, spawn
from deploy.stack.settings import Settings
from flink_app.local.ports import LOOPBACK
from flink_app.local.redis_server import answers, redis_command


class Redis:
    """One redis-server."""

    name = "redis"
    processes: tuple[str, ...] = ("redis",)

    def __init__(self, settings: Settings) -> None:
        self._port = settings.ports.redis
        self._folder = settings.folder / self.name
        self.address = f"redis://{LOOPBACK}:{self._port}/0"
        self.log = self._folder / "redis.log"
        self.dump = self._folder / "dump.rdb"

    def prepare(self) -> None:
        """Create the folder, and remove an old log and old data."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for leftover in (self.log, self.dump):
            leftover.unlink(missing_ok=True)

    def spawn(self, name: str) -> Process:
        """Start the server, with the data in `dump` if it exists."""
        command = redis_command(self._port, self._folder)
        return spawn(name, command, self._folder / "redis.out", os.environ)

    def ready(self) -> bool:
        """Whether it answers PING."""
        return answers(self.address)
