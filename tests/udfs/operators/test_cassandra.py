"""The shell of the operator `cassandra`: a message is written before the next is taken."""

from __future__ import annotations

import msgspec
import pytest

from tests.udfs.flink import Subtask
from udfs.operators import cassandra
from udfs.operators.cassandra import CassandraWriter
from udfs.options.cassandra import Cassandra
from udfs.stores.cassandra_message import Kept, KeptList


class Store:
    """Takes two tries for each message."""

    def __init__(self, options: Cassandra) -> None:
        self.options, self.retries, self.written, self.started = options, 0, list[Kept](), False

    def start(self) -> None:
        self.started = True

    def write(self, kept: Kept) -> int:
        self.retries += 1
        self.written.append(kept)
        return len(kept.lists)


def test_messages_are_written_in_order_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cassandra, "CassandraStore", Store)
    flink = Subtask(CassandraWriter(Cassandra(hosts=["c1"])))
    store = flink.operator._store
    assert store.started
    for user in ("ann", "bob"):
        kept = Kept(lists=[KeptList(user, 1, b"{}", 1000)])
        assert flink.process(7, msgspec.msgpack.encode(kept)) == []
    assert [kept.lists[0].user for kept in store.written] == ["ann", "bob"]
    assert flink.metrics.counters == {"written": 2, "repeated": 2}
