"""A steady load of numbered events that keeps its own books.

In: a Kafka and a rate. Out: records in a topic; and how many events of each user and item, and
which unusable lines, the broker has taken.
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
_EACH_BAD = 40  # one line in so many cannot be used


class Load:
    """A thread that writes `rate` events a second while it is not paused.

    Attributes:
        users, items: events of each, as written. bad: the unusable lines, each another.
    """

    def __init__(self, bootstrap: str, topic: str, rate: int, seed: int) -> None:
        self.users: Counter[str] = Counter()
        self.items: Counter[str] = Counter()
        self.bad: set[str] = set()
        self._random, self._rate, self._topic = random.Random(seed), rate, topic
        self._failed: list[str] = []
        # Repeats by the client's own retries are dropped by the broker, and none gives up.
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
        """Lines so far, unusable ones too."""
        return sum(self.users.values()) + len(self.bad)

    def go(self) -> None:
        """Begin, or go on."""
        self._run.set()

    def pause(self) -> None:
        """Stop, and wait until the broker has everything."""
        self._run.clear()
        with self._lock:
            left = self._producer.flush(120)
        if left or self._failed:
            raise SystemExit(f"Kafka has not taken {left} events: {self._failed[:1]}")

    def event(self, user: str, item: str) -> None:
        """Write one event."""
        with self._lock:
            self._event(user, item)

    def line(self, line: str) -> None:
        """Write one line that is no event."""
        with self._lock:
            self._line(line)

    def end(self) -> None:
        """Stop for good."""
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
            # A few have many, most have few.
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
