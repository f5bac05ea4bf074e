"""What a Redis that does not do as it is asked means, for whoever has to mend it.

In: an exception of redis-py. Out: a `Refusal`, and the sentence that says what, where (the address
without credentials) and what to do. The job's writers, `millirec serve` and every command use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import redis
from redis.exceptions import RedisClusterException

from udfs.errors import ServiceError


class Refusal(NamedTuple):
    """A kind of refusal.

    Attributes:
        what: what Redis does, to follow its name. advice: whole sentences, what to do about it.
    """

    what: str
    advice: str


AWAY = Refusal(
    "does not answer",
    "Start it or correct redis.url (REDIS_URL, or --set redis.url=redis://host:port/database).",
)
_CLUSTER = "is a node of a Redis Cluster", "Write redis.url as redis+cluster://host:port."
_COMMAND = re.compile(r"Command # \d+ \(.*\) of pipeline caused error: ")
_LATE = "does not answer in time"
_SECRET = "Correct redis.username and redis.password, or those in redis.url."
_KINDS: list[tuple[str, Refusal]] = [
    (pattern, Refusal(what, advice))
    for pattern, what, advice in (
        ("ReadOnlyError", "is a read-only replica", "Name its primary in redis.url."),
        (
            "NoPermissionError",
            "does not allow its user to do this",
            "Give the user the rights in docs/redis.md, or name another user with redis.username.",
        ),
        (
            "without any password configured",
            "has no password, and was sent one",
            "Take the password out of redis.url and redis.password.",
        ),
        ("WRONGPASS|invalid (username-)?password", "does not accept the password", _SECRET),
        (
            "AuthenticationError|NOAUTH|Authentication required",
            "asks for a password",
            "Set redis.password (MILLIREC_REDIS_PASSWORD), and redis.username if it has users.",
        ),
        (
            "DB index is out of range|invalid DB index",
            "has no database of that number",
            "End redis.url with a number that it has: /0 always exists.",
        ),
        ("SELECT is not allowed in cluster|MovedError|MOVED \\d|CROSSSLOT", *_CLUSTER),
        (
            "cluster support disabled|[Cc]luster mode is not enabled",
            "is not a Redis Cluster",
            "Write redis.url as redis://host:port/database.",
        ),
        (
            "MISCONF",
            "takes no writes, because it cannot save its data to its own disk",
            "Free space on its disk and see its log.",
        ),
        (
            "OutOfMemoryError|OOM command",
            "takes no writes, because its memory is full",
            "Raise its maxmemory, or choose a maxmemory-policy that removes lists: docs/redis.md.",
        ),
        ("BusyLoadingError", "is still loading its data", "Try again when it has."),
        (
            "MasterDownError|MASTERDOWN",
            "is a replica without its primary",
            "Name the primary in redis.url, or start it.",
        ),
        (
            "NOREPLICAS",
            "takes no writes, because it has too few replicas",
            "Start them, or lower its min-replicas-to-write.",
        ),
        (
            "max number of clients",
            "takes no more connections",
            "Raise its maxclients, or close other connections.",
        ),
        (
            "protected mode",
            "is in protected mode, which lets nobody in from other machines",
            "Give it a password (requirepass) and set redis.password.",
        ),
        (
            "unknown command|unknown subcommand",
            "does not know a command",
            "millirec needs Redis 6.2 or later, or Valkey.",
        ),
        (
            "WRONGTYPE",
            "holds a value of another kind under a key of millirec",
            "Delete that key, or keep apart what shares this Redis with redis.prefix.",
        ),
        (
            "InvalidResponse|Protocol error",
            "answers in another protocol, so that it is no Redis",
            "Correct the host and the port in redis.url.",
        ),
        (
            "WRONG_VERSION|wrong version|record layer|UNKNOWN_PROTOCOL|PACKET_LENGTH|SSL.*EOF",
            "does not speak TLS",
            "Write redis:// instead of rediss:// in redis.url.",
        ),
        (
            "CERTIFICATE|certificate",
            "has a certificate that cannot be checked, or wants one",
            "Name its authority: rediss://host:port/0?ssl_ca_certs=FILE.",
        ),
        (
            "Name or service not known|name resolution|nodename nor servname|No address associated"
            "|Name does not resolve|label (empty|too long)",
            "has a host that no name server knows",
            "Correct the host in redis.url.",
        ),
        (
            "closed by server|reset by peer|Broken pipe",
            "closes the connection",
            "If it speaks TLS, write rediss:// instead of redis://; if not, see its log.",
        ),
        (
            "MasterNotFoundError",
            "is not known to the Sentinels",
            "Start them, or correct their addresses and the service's name in redis.url.",
        ),
        (
            "TimeoutError|[Tt]imed out|Timeout",
            _LATE,
            "See whether it is busy or behind a firewall; redis.timeout_s says how long to wait.",
        ),
    )
]


def refusal(error: BaseException) -> Refusal:
    """Which kind an error is of.

    >>> refusal(redis.ReadOnlyError("You can't write against a read only replica.")).what
    'is a read-only replica'
    """
    names = " ".join(kind.__name__ for kind in type(error).__mro__)
    text = f"{names} {words(error)}"
    return next((found for pattern, found in _KINDS if re.search(pattern, text)), AWAY)


def words(error: BaseException) -> str:
    """What Redis, or the network, said: one line, bounded, without the command, whose key may name
    a user.

    >>> words(redis.ResponseError("Command # 1 (GET rec:ann) of pipeline caused error: OOM."))
    'OOM'
    """
    text = _COMMAND.sub("", " ".join(str(error).split())).rstrip(".")
    return text if len(text) <= 240 else f"{text[:240]}…"


def sentence(address: str, error: BaseException, quoted: bool = True) -> str:
    """What an error means; `quoted`: with what Redis said, which strangers need not know.

    >>> sentence("redis://cache:6379/0", redis.ConnectionError("Connection refused"))[:64]
    'Redis at redis://cache:6379/0 does not answer: Connection refuse'
    """
    what, advice = refusal(error)
    if what == _LATE and address.startswith("rediss"):  # it waits for the rest of a command
        advice += " If it speaks no TLS, write redis:// instead of rediss://."
    said = words(error) if quoted else ""
    return f"Redis at {address} {what}{': ' if said else ''}{said}. {advice}"


FAILURES = (redis.RedisError, RedisClusterException)
"""What redis-py raises if Redis is not there, does not answer, or refuses."""


@contextmanager
def told(address: str) -> Iterator[None]:
    """Turn the failures of redis-py in this block into the sentence.

    Raises:
        ServiceError: there was one.
    """
    try:
        yield
    except FAILURES as error:
        raise ServiceError(sentence(address, error)) from error
