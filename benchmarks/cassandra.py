"""What a list or an event in Cassandra costs: CPU time of the job's process, and rows/s.

In: a Cassandra with tables, such as `python -m deploy.local up cassandra` and `millirec
cassandra-schema --apply --replication 1` make. Out: one line of JSON; the rows are in the tables of
the keyspace, for an hour. CPU time does not count the server, nor what else the machine does.

    python -m benchmarks.cassandra --port 9042
"""

from __future__ import annotations

import argparse
import json
import time

from msgspec.structs import replace

from udfs.options.cassandra import Cassandra
from udfs.stores.cassandra_message import Kept, KeptEvent, KeptList
from udfs.stores.cassandra_store import CassandraStore

_BATCH = 200  # rows in one message
_ROUNDS = 5


def measure(store: CassandraStore, kept: Kept, batches: int) -> tuple[float, float]:
    """CPU µs a row, and rows/s, of a message that is written so often."""
    cpu, began = time.process_time(), time.perf_counter()
    rows = sum(store.write(kept) for _ in range(batches))
    spent, took = time.process_time() - cpu, time.perf_counter() - began
    return 1e6 * spent / rows, rows / took


def main() -> None:
    """Write, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9042)
    parser.add_argument("--keyspace", default="millirec")
    parser.add_argument("--rows", type=int, default=2000, help="in each round")
    given = parser.parse_args()
    options = Cassandra(hosts=[given.host], port=given.port, keyspace=given.keyspace)
    store = CassandraStore(replace(options, lists_days=1 / 24, history_days=1 / 24))
    now = time.time_ns() // 1_000_000
    users, text = [f"benchmark-{n}" for n in range(_BATCH)], b'{"items":"' + b"x" * 1270 + b'"}'
    kinds = {
        "list": Kept(lists=[KeptList(user, now, text, now * 1000) for user in users]),
        "event": Kept(
            events=[KeptEvent(user, now, "item", "view", 1.0, "", now * 1000) for user in users]
        ),
    }
    batches, found = max(given.rows // _BATCH, 1), dict[str, list[tuple[float, float]]]()
    for _ in range(_ROUNDS + 1):
        for kind, kept in kinds.items():
            found.setdefault(kind, []).append(measure(store, kept, batches))
    told = {}
    for kind, rounds in found.items():
        costs, rates = zip(*sorted(rounds[1:]), strict=True)  # the first one warms up
        told[kind] = {"cpu_us": [round(costs[at]) for at in (0, _ROUNDS // 2, -1)]}
        told[kind] |= {"rows_per_s": [round(rate) for rate in sorted(rates)[:: _ROUNDS // 2]]}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
