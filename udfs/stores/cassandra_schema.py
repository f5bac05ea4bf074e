"""The tables in Cassandra, and the statements that write, read and delete their rows.

In: the section of the configuration. Out: CQL. Nothing makes tables but `millirec cassandra-schema
--apply`.
"""

from __future__ import annotations

import re

from udfs.errors import ConfigError

KEY_BYTES = 65_535
"""How long an id may be that is a key in Cassandra, in bytes."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_SCHEMA = """\
CREATE KEYSPACE IF NOT EXISTS {keyspace}
  WITH replication = {{'class': 'NetworkTopologyStrategy', 'replication_factor': {replication}}};

CREATE TABLE IF NOT EXISTS {keyspace}.lists (
  user text PRIMARY KEY,
  at timestamp,
  list text
) WITH comment = 'The list of each user as JSON, as in Redis';

CREATE TABLE IF NOT EXISTS {keyspace}.history (
  user text,
  ts timestamp,
  item text,
  type text,
  weight float,
  id text,
  PRIMARY KEY (user, ts, item, type)
) WITH CLUSTERING ORDER BY (ts DESC, item ASC, type ASC)
  AND comment = 'The events of each user, the newest first';
"""


def schema(keyspace: str, replication: int) -> list[str]:
    """The statements that make what is missing.

    Raises:
        ConfigError: that cannot be the name of a keyspace.

    >>> [line.split("(")[0].strip().splitlines()[0] for line in schema("shop", 3)]
    ['CREATE KEYSPACE IF NOT EXISTS shop', 'CREATE TABLE IF NOT EXISTS shop.lists', \
'CREATE TABLE IF NOT EXISTS shop.history']
    """
    if not _NAME.fullmatch(keyspace):
        raise ConfigError(
            f"cassandra.keyspace is {keyspace!r}: it must be a small letter followed by at "
            "most 47 small letters, digits and _."
        )
    text = _SCHEMA.format(keyspace=keyspace, replication=replication)
    return [f"{part.strip()};" for part in text.split(";\n") if part.strip()]


INSERT_LIST = (
    "INSERT INTO {keyspace}.lists (user, at, list) VALUES (?, ?, ?) USING TIMESTAMP ? AND TTL ?"
)
"""Replaces a list; times in ms, then the stamp in microseconds and seconds to live."""

INSERT_EVENT = (
    "INSERT INTO {keyspace}.history (user, ts, item, type, weight, id) VALUES (?, ?, ?, ?, ?, ?) "
    "USING TIMESTAMP ? AND TTL ?"
)
"""Adds an event, or writes the same again."""

DELETE_LIST = "DELETE FROM {keyspace}.lists USING TIMESTAMP ? WHERE user = ?"
DELETE_HISTORY = "DELETE FROM {keyspace}.history USING TIMESTAMP ? WHERE user = ?"
"""Deletes what is not newer than the stamp."""

WRITES = (INSERT_LIST, INSERT_EVENT, DELETE_LIST, DELETE_HISTORY)

SELECT_LIST = "SELECT list FROM {keyspace}.lists WHERE user = ?"
SELECT_HISTORY = "SELECT ts, item, type, weight, id FROM {keyspace}.history WHERE user = ?"
"""What is read of a user."""

READS = (SELECT_LIST, SELECT_HISTORY)
