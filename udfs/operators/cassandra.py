"""The operator `cassandra`: keyed like the user learner, it keeps lists and histories in Cassandra.

In: `Kept` messages, packed, one for each batch of a user shard. Out: nothing. All of a message is
written before the operator takes the next, so that no checkpoint covers what was not written.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyflink.datastream import KeyedProcessFunction, RuntimeContext

from udfs.operators.code_check import CodeChecked
from udfs.options.cassandra import Cassandra
from udfs.stores.cassandra_message import unpack
from udfs.stores.cassandra_store import CassandraStore


class CassandraWriter(CodeChecked, KeyedProcessFunction):  # type: ignore[misc]
    """See the module; `udfs.stores.cassandra_store` writes."""

    def __init__(self, options: Cassandra) -> None:
        self._options = options

    def open(self, context: RuntimeContext) -> None:
        """Connect."""
        self._store = CassandraStore(self._options)
        self._store.start()
        group = context.get_metrics_group()
        self._written, self._repeated = group.counter("written"), group.counter("repeated")

    def process_element(
        self, value: bytes, context: KeyedProcessFunction.Context
    ) -> Iterator[bytes]:
        """Write one message."""
        before = self._store.retries
        self._written.inc(self._store.write(unpack(value)))
        self._repeated.inc(self._store.retries - before)
        yield from ()
