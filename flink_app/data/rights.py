"""What a person asks of the running job: to be forgotten, or to see what is known.

In: ids of users. Out: lines where the job reads, and the job's answers under keys in Redis: a
receipt, or what the job knows, with the lists that Redis holds and what Cassandra does. `millirec
forget` and `millirec export` print them; `flink_app.serve.user_routes` does the same for requests.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from flink_app.config import Config, Loaded
from flink_app.config.pseudonyms import stored_user
from flink_app.connections.redis_access import find_redis
from flink_app.console.failures import FAILED, FINISHED
from flink_app.console.terminal import printable
from flink_app.data.sinks import sink_of
from flink_app.lookup.lists import read
from udfs.errors import ConfigError
from udfs.events.people import EXPORT, FORGET
from udfs.lists.keys import KNOWN, RECEIPT, digest, keys_of
from udfs.stores.cassandra_reads import CassandraReads
from udfs.stores.redis_refusals import told

ANSWER_S = 10.0
"""How long to wait for the job: it answers within a batch, unless it is behind."""
_LOOK_S = 0.05
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def line(kind: str, user: str, ts: int, **fields: Any) -> bytes:
    """A line about a user.

    >>> line("forget", "ann", 5)
    b'{"kind":"forget","user":"ann","ts":5}'
    """
    return _encode({"kind": kind, "user": user, "ts": ts, **fields})


def answered(value: bytes | None, ts: int, **same: str) -> dict[str, Any] | None:
    """The job's answer to what was asked at `ts`, or later, about the same; None: there is none
    yet."""
    found = _decode(value) if value else {}
    own = all(found.get(name) == wanted for name, wanted in same.items())
    return found if own and found.get("ts", 0) >= ts else None


def with_lists(known: Mapping[str, Any], values: Sequence[bytes | None]) -> dict[str, Any]:
    """What is known of a user, with what Redis holds under `keys_of`: lists as they are, and of the
    factor only that it is there, since `known` has its numbers."""
    names = ("list", "kept_list")
    lists = {name: _decode(v) for name, v in zip(names, values, strict=False) if v}
    return {**known, **lists, "factor_in_redis": values[2] is not None}


def kept_of(
    config: Config, user: str, known: Mapping[str, Any], reads: CassandraReads | None = None
) -> dict[str, Any]:
    """What Cassandra holds of a user, by the id in Redis, under all of the person's ids; {} without
    Cassandra.

    Args:
        reads: by which it is asked, if there are some that last.

    Raises:
        ServiceError: Cassandra does not answer, or its driver is not installed.
    """
    if not config.cassandra.hosts:
        return {}
    ids = [one["id"] for one in known.get("ids", ())]
    reads = reads or CassandraReads(config.cassandra)
    return reads.kept(list(dict.fromkeys([user, *ids])))


def forget(loaded: Loaded, users: Sequence[str], wait: bool = True) -> int:
    """Ask for users to be forgotten, and print the receipts; returns the exit code.

    Args:
        wait: whether to wait for the receipts.

    Raises:
        ConfigError: the job reads from nowhere that can be written to. ServiceError: the lines
            cannot be written, or Redis does not answer.
    """
    find = stored_user(loaded.config)
    ts = sent(loaded, FORGET, users)
    if not wait:
        return FINISHED
    missing, end = 0, time.monotonic() + ANSWER_S
    for user in users:
        found = answer_to(loaded, RECEIPT + digest(find(user)), ts, end)
        if found is None:
            missing += 1
            say_late(user)
            continue
        print(
            f"{printable(user)} was forgotten at {found['done']}; checkpoints and savepoints may "
            f"hold it until {found['checkpoints_until']}, what the job reads until "
            f"{found['source_until']} (receipt {RECEIPT}{found['digest']})"
        )
    return FAILED if missing else FINISHED


def export(loaded: Loaded, user: str) -> int:
    """Print what is known of a user, as JSON; returns the exit code. Errors as in `forget`."""
    ts, name = sent(loaded, EXPORT, [user]), stored_user(loaded.config)(user)
    found = answer_to(loaded, KNOWN + digest(name), ts, time.monotonic() + ANSWER_S)
    if found is None:
        say_late(user)
        return FAILED
    client, address = find_redis(loaded)
    with told(address):
        values = [read(client, loaded.config.redis.prefix + key) for key in keys_of(name)]
    found |= kept_of(loaded.config, name, found)
    print(msgspec.json.format(_encode(with_lists(found, values))).decode())
    return FINISHED


def sent(loaded: Loaded, kind: str, users: Sequence[str], **fields: Any) -> int:
    """Write a line for each user; returns their time. Errors as in `forget`."""
    sink = sink_of(loaded.config)
    if isinstance(sink, str):
        raise ConfigError(f"nothing can be asked of the job: {sink}")
    ts = time.time_ns() // 1_000_000
    sink.write([line(kind, user, ts, **fields) for user in users], users)
    return ts


def answer_to(loaded: Loaded, key: str, ts: int, end: float, **same: str) -> dict[str, Any] | None:
    """The job's answer to what was asked for at `ts`; None if there is none by `end`, as
    `time.monotonic` counts. `same`: as of `answered`."""
    client, address = find_redis(loaded)
    key = loaded.config.redis.prefix + key
    with told(address):
        while (found := answered(read(client, key), ts, **same)) is None and time.monotonic() < end:
            time.sleep(_LOOK_S)
    return found


def say_late(user: str) -> None:
    """Say that the job has not answered a question about a user."""
    text = (
        f"{printable(user)}: the line is written, but the job has not answered within "
        f"{ANSWER_S:g} s. It does once it gets there: is it running, and does it read from there?"
    )
    print(text, file=sys.stderr)
