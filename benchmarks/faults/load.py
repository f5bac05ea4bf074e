"""A steady load of numbered events that keeps its own books.

In: a Kafka and a rate. Out: records in a topic; and the number of events of each user and item, the
unusable lines, and what was last said of each item, that the broker has accepted. Some users ask to
be forgotten again and again.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable

from confluent_kafka import Producer

from udfs.lists.contract import RecommendationList
from udfs.options.cassandra import Cassandra

PROBE = "probe"
USERS, ITEMS = 300, 120
_STEP_S = 0.02
_EACH_BAD = 40  # one in this number of lines cannot be used
_EACH_ITEM = 25  # and one says what an item is
_EACH_LINK = 60  # and one says that a user's phone is, or is not, of the user
_PHONE = 0.2  # so many events come by a phone
_EACH_SEEN = 10  # one says that a user has seen an item of the list that is there
_EACH_GONE = 20  # one is of a user who is forgotten again and again,
_EACH_FORGET = 5  # and one of these asks for it
GONE = "gone"
"""How the ids of these users begin, and those of their items. How many of their events are refused,
because they were written just before, depends on what was read together."""


def phone(user: str) -> str:
    """The other id of a user."""
    return f"{user}-phone"


class Load:
    """A thread that writes `rate` events/s while it is not paused.

    Attributes:
        users, items: events written for each; of users who were forgotten, since then, and
            without their items. sent: all events. bad: the unusable lines, all different.
        described: lines about items and users. prices, hidden: what the last of each item said.
        seen: impressions of items of lists, each of another item or of a list after another event.
        shown: reads the list of a user; None: nobody sees any.
        linked: users whose phone is linked. cassandra: where lists are kept too; None: nowhere.
    """

    def __init__(self, bootstrap: str, topic: str, rate: int, seed: int) -> None:
        self.users: Counter[str] = Counter()
        self.items: Counter[str] = Counter()
        self.bad: set[str] = set()
        self.described = self.sent = self.seen = 0
        self.shown: Callable[[str], RecommendationList | None] | None = None
        self._saw: set[tuple[str, str, str]] = set()
        self._forgotten: dict[str, int] = {}
        self.prices: dict[str, float] = {}
        self.hidden: set[str] = set()
        self.linked: set[str] = set()
        self.cassandra: Cassandra | None = None
        self._linked_ms = 0
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
        return self.sent + len(self.bad) + self.described + self.seen

    @property
    def persons(self) -> Counter[str]:
        """Events written for the person of each id that has any."""
        found = Counter(self.users)
        for user in self.linked:
            both = self.users[user] + self.users[phone(user)]
            found |= Counter({user: both, phone(user): both} if both else {})
        return found

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
        elif self._random.randrange(_EACH_ITEM) == 0:
            self._describe(f"i{self._random.randrange(ITEMS)}", self._random.random() < 0.8)
        elif self._random.randrange(_EACH_LINK) == 0:
            self._link(f"u{int(USERS * self._random.random() ** 2)}", self._random.random() < 0.8)
        elif self._random.randrange(_EACH_SEEN) == 0:
            self._see(f"u{int(USERS * self._random.random() ** 2)}")
        elif self._random.randrange(_EACH_GONE) == 0:
            name = f"{GONE}{self._random.randrange(10)}"
            forget = self._random.randrange(_EACH_FORGET) == 0
            self._forget(name) if forget else self._event(name, name)
        else:
            # A few users and items have many events, most have few.
            user = f"u{int(USERS * self._random.random() ** 2)}"
            item = int(ITEMS * self._random.random() ** 2)
            self._event(phone(user) if self._random.random() < _PHONE else user, f"i{item}")

    def _event(self, user: str, item: str) -> None:
        ts = max(int(time.time() * 1000), self._forgotten.get(user, 0) + 1)
        event = {"user": user, "item": item, "type": "view", "ts": ts}
        self._produce(json.dumps(event), user)
        self.sent += 1
        self.users[user] += 1
        if not item.startswith(GONE):
            self.items[item] += 1

    def _see(self, user: str) -> None:
        """Let a user see one more item of the list that is there. A list that is made again after a
        failure, with another time in its id but after the same events, is the same."""
        found = self.shown(user) if self.shown else None
        if found is None:
            return
        number = found.id.partition("-")[2]
        keys = [(user, number, entry.item) for entry in found.items]
        if (key := next((key for key in keys if key not in self._saw), None)) is None:
            return
        self._saw.add(key)
        event = {"user": user, "item": key[2], "type": "impression", "rec": found.id}
        self._produce(json.dumps(event), user)
        self.seen += 1

    def _forget(self, user: str) -> None:
        """Have a user forgotten, who begins from nothing then."""
        self.described += 1
        ts = max(int(time.time() * 1000), self._forgotten.get(user, 0) + 1)
        self._forgotten[user], self.users[user] = ts, 0
        self._produce(json.dumps({"kind": "forget", "user": user, "ts": ts}), user)

    def _describe(self, item: str, available: bool) -> None:
        """Say what an item costs, another number each time, and whether it is to be had."""
        self.described += 1
        line = {"kind": "item", "item": item, "ts": int(time.time() * 1000)}
        line |= {"price": float(self.described), "available": available}
        line |= {"category": f"c{int(item[1:]) % 7}", "provider": f"p{int(item[1:]) % 4}"}
        self._produce(json.dumps(line), item)
        self.prices[item] = float(self.described)
        (self.hidden.discard if available else self.hidden.add)(item)

    def _link(self, user: str, together: bool) -> None:
        """Say that a phone is of a user, or of nobody; the newest time counts."""
        self.described += 1
        self._linked_ms = max(self._linked_ms + 1, int(time.time() * 1000))
        said = {"kind": "link", "to": user} if together else {"kind": "unlink"}
        line = {"user": phone(user), "ts": self._linked_ms} | said
        self._produce(json.dumps(line), phone(user))
        (self.linked.add if together else self.linked.discard)(user)

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
