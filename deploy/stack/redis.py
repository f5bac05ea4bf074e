"""Redis for the local stack: the same redis-server and settings as the embedded default.

In: `Settings`. Out: a server at `address` (`str`, a redis:// URL), empty at each start.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from deploy.stack.processes import Process, spawn
from deploy.stack.settings import Settings
from flink_app.embedded.ports import LOOPBACK
from flink_app.embedded.redis_server import answers, redis_command


class Redis:
    """One redis-server."""

    name = "redis"

    def __init__(self, settings: Settings) -> None:
        self._port = settings.ports.redis
        self._folder = settings.folder / self.name
        self.address = f"redis://{LOOPBACK}:{self._port}/0"
        self.log = self._folder / "redis.log"

    def start(self) -> Iterator[Process]:
        """Start the server."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.log.unlink(missing_ok=True)
        command = redis_command(self._port, self._folder)
        yield spawn(self.name, command, self._folder / "redis.out", os.environ)

    def ready(self) -> bool:
        """Whether it answers PING."""
        return answers(self.address)
