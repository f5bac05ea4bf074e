"""A steady load of numbered events that keeps its own books.

In: a Kafka and a rate. Out: records in a topic; and the number of events of each user and item, and
the unusable lines, that the broker has accepted.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter

from confluent_kafka import Producer

PROBE = "probe"
USERS, ITEMS = 300, 120
_STEP_S = 0.02
_EACH_BAD = 40  # one in this number of lines cannot be used


class Load:
    """A thread that writes `rate` events/s while it is not paused.

    Attributes:
        users, items: events written for each. bad: the unusable lines, all different.
    """

    def __init__(self, bootstrap: str, topic: str, rate: int, seed: int) -> None:
        self.users: Counter[str] = Counter()
        self.items: Counter[str] = Counter()
        self.bad: set[str] = set()
        self._random, self._rate, self._topic = random.Random(seed), rate, topic
        self._failed: list[str] = []
        # The broker drops duplicates of the client's retries, which never give up.
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "log_level": 0,
                "message.timeout.ms": 0,
                "linger.ms": 5,
                "reconnect.backoff.max.ms": 500,
            }
        )
        self._lock, self._run, self._ended = threading.Lock(), threading.Event(), False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    @property
    def written(self) -> int:
        """Lines written so far, including unusable ones."""
        return sum(self.users.values()) + len(self.bad)

    def go(self) -> None:
        """Start, or continue."""
        self._run.set()

    def pause(self) -> None:
        """Stop, and wait until the broker has everything."""
        self._run.clear()
        with self._lock:
            left = self._producer.flush(120)
        if left or self._failed:
            raise SystemExit(f"Kafka did not accept {left} events: {self._failed[:1]}")

    def event(self, user: str, item: str) -> None:
        """Write one event."""
        with self._lock:
            self._event(user, item)

    def line(self, line: str) -> None:
        """Write one line that is not an event."""
        with self._lock:
            self._line(line)

    def end(self) -> None:
        """Stop permanently."""
        self._run.clear()
        self._ended = True
        self._run.set()
        self._thread.join()

    def _work(self) -> None:
        due = 0.0
        while True:
            self._run.wait()
            if self._ended:
                return
            with self._lock:
                due += self._rate * _STEP_S
                while due >= 1:
                    due -= 1
                    self._next()
                self._producer.poll(0)
            time.sleep(_STEP_S)

    def _next(self) -> None:
        if self._random.randrange(_EACH_BAD) == 0:
            self._line(f'{{"user": "u1", "bad": {len(self.bad)}')
        else:
            # A few users and items have many events, most have few.
            user = int(USERS * self._random.random() ** 2)
            item = int(ITEMS * self._random.random() ** 2)
            self._event(f"u{user}", f"i{item}")

    def _event(self, user: str, item: str) -> None:
        event = {"user": user, "item": item, "type": "view", "ts": int(time.time() * 1000)}
        self._produce(json.dumps(event), user)
        self.users[user] += 1
        self.items[item] += 1

    def _line(self, line: str) -> None:
        self._produce(line, str(len(self.bad)))
        self.bad.add(line)

    def _produce(self, line: str, key: str) -> None:
        while True:
            try:
                self._producer.produce(
                    self._topic, line.encode(), key.encode(), on_delivery=self._delivered
                )
                return
            except BufferError:
                self._producer.poll(0.1)

    def _delivered(self, error: object, _: object) -> None:
        if error is not None:
            self._failed.append(str(error))
