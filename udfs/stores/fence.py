"""Keeps an old attempt of a job from writing over what a newer one has written to Redis.

In: the connections of a writer, when they are made. Out: older writers disconnected, and refused
when they come back. A TaskManager that Flink has given up, but that still runs behind a broken
network, is such a writer. This costs time only when a connection is made, not per batch.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import redis

from udfs.errors import ServiceError

log = logging.getLogger(__name__)

# Refuses writers older than the newest job, or than the newest attempt of the same subtask. Flink's
# attempt number cannot be used: it starts again when a standby JobManager takes over.
_CLAIM = """
local job, own = redis.call('HGET', KEYS[1], 'job'), redis.call('HGET', KEYS[1], ARGV[2])
if (job and job > ARGV[1]) or (own and own > ARGV[1] .. '-' .. ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], 'job', ARGV[1], ARGV[2], ARGV[1] .. '-' .. ARGV[3])
return 1
"""


class Fence:
    """One writer's claim.

    Args:
        prefix: of the keys; the claims are in the hash `<prefix>writers`.
        born_ms: when the job was submitted, the same for all its writers. writer: the writer's
            name.
        began_ms: when this attempt of the writer began.
    """

    def __init__(self, prefix: str, born_ms: int, writer: str, began_ms: int) -> None:
        self._key = f"{prefix}writers"
        self._claim = f"{born_ms:015}", writer, f"{began_ms:015}"
        shop = hashlib.blake2b(prefix.encode(), digest_size=6).hexdigest()
        self._names = f"millirec:{shop}:"
        self._warned = False

    def claim(self, connection: Any, anywhere: Callable[..., Any] | None = None) -> None:
        """Claim a new connection, and close those of older writers to the same Redis.

        Args:
            anywhere: carries out a command on the node of its key, where Redis is a cluster.

        Raises:
            ServiceError: a newer job, or attempt, writes to this Redis.
        """
        anywhere = anywhere or partial(self._ask, connection)
        born, writer, began = self._claim
        # Set the name first, so that a newer writer that claims later sees it.
        name = f"{self._names}{born}:{writer}:{began}"
        try:
            self._ask(connection, "CLIENT", "SETNAME", name)
            if not anywhere("EVAL", _CLAIM, "1", self._key, *self._claim):
                raise ServiceError(
                    f"a newer job, or a newer attempt of this one, writes to this Redis: this one "
                    f"stops. If none does, delete the key {self._key}; two jobs on one Redis need "
                    "a redis.prefix each."
                )
        except redis.ResponseError as error:
            if not self._warned:
                log.warning("this Redis does not allow shutting out old writers: %s", error)
                self._warned = True
            return
        try:
            for client in self._ask(connection, "CLIENT", "LIST").decode().splitlines():
                self._end(connection, dict(part.partition("=")[::2] for part in client.split(" ")))
        except redis.ResponseError as error:  # the rights in docs/redis.md leave this out
            log.info("old writers are refused only when they connect again: %s", error)

    def _end(self, connection: Any, client: dict[str, str]) -> None:
        """Disconnect a client that is an older writer of the same keys."""
        name = client.get("name", "")
        if not name.startswith(self._names):
            return
        born, _, rest = name.removeprefix(self._names).partition(":")
        writer, _, began = rest.partition(":")
        own_born, own_writer, own_began = self._claim
        if born < own_born or ((born, writer) == (own_born, own_writer) and began < own_began):
            self._ask(connection, "CLIENT", "KILL", "ID", client["id"])

    @staticmethod
    def _ask(connection: Any, *command: str) -> Any:
        connection.send_command(*command)
        return connection.read_response()
