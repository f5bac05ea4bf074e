"""A live job in which visitors log in: how soon the account has the visitor's list.

In: a Redis and numbers. Out: milliseconds, as one JSON line. `identity.py` starts it as a process
of its own, since a process can have one Java only.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.identity import linking
from benchmarks.items_live import learned, live, quantiles, until
from benchmarks.load import ITEMS, known
from flink_app.simulator import zipf_events

_CLICKS = 20
_PATIENCE_S = 5.0
_PAST = 20_000


def event(user: str, item: int) -> bytes:
    """A line of one event, without an id."""
    return json.dumps({"user": user, "item": str(item), "type": "view"}).encode()


def logged_in(url: str, count: int, rate: float, given: Sequence[str] = ()) -> dict[str, Any]:
    """From writing a link until Redis has the visitor's list under the account.

    Args:
        count: visitors who log in one after the other, each after 20 clicks. rate: of events beside
            them, 1 % of which are links of others.
    """
    chosen, stop, ages, missing = random.Random(1), threading.Event(), list[float](), 0

    def beside(writer: Any) -> None:
        lines = linking(b"".join(zipf_events(int(rate * 300), 20_000, ITEMS, 1.0, 2)).splitlines())
        step = int(rate / 50)
        began, n = time.monotonic(), 0
        while not stop.is_set():
            writer.write([next(lines) for _ in range(step)])
            writer.flush()
            n += 1
            time.sleep(max(0.0, began + n / 50 - time.monotonic()))

    with live(url, ["identity.enabled=true", *given]) as (writer, client):
        writer.write(b"".join(zipf_events(_PAST, 20_000, ITEMS, 1.0, 1)).splitlines())
        writer.flush()
        learned(client, _PAST)
        thread = threading.Thread(target=beside, args=(writer,), daemon=True)
        thread.start()
        time.sleep(5)
        for n in range(count):
            visitor, account = f"visitor-{n}", f"account-{n}"
            writer.write([event(visitor, chosen.randrange(ITEMS)) for _ in range(_CLICKS)])
            writer.flush()
            if not _reaches(client, visitor):
                missing += 1
                continue
            began = time.perf_counter()
            line = {"kind": "link", "user": visitor, "to": account}
            writer.write([json.dumps(line).encode()])
            writer.flush()
            if _reaches(client, account):
                ages.append((time.perf_counter() - began) * 1000)
            else:
                missing += 1
        stop.set()
        thread.join()
    return quantiles(ages) | {"missing": missing, "events_per_s": rate}


def _reaches(client: Any, user: str) -> bool:
    """Wait until a user's list knows of all clicks."""
    return until(lambda: known(client.get(f"rec:{user}")) >= _CLICKS, _PATIENCE_S) < float("inf")


def main() -> None:
    """`python -m benchmarks.identity_live URL '{"count": 100, "rate": 5000}'`"""
    url, given = sys.argv[1:]
    print(json.dumps(logged_in(url, **json.loads(given))))


if __name__ == "__main__":
    main()
