"""Live item factors for `POST /rank`: a read-only replica that follows the item feed.

In: snapshots and the log of the feed in Redis, read by a thread. Out: scores of given items, by the
formula of the model mf for a user's vector, or by popularity.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flink_app.config import Config
from flink_app.connections.redis_access import redis_settings
from udfs.errors import ServiceError
from udfs.events.batch import item_key
from udfs.feed.entries import KEEP_S, unpack
from udfs.state.records import item_dtype
from udfs.stores.redis_feed import BEGUN, ITEMS, feed_key, log_key

log = logging.getLogger(__name__)
_PAUSE_S = 0.1
_AGAIN_S = 1.0
_RENEW_S = 600.0  # how often everything is read again, which drops expired items,
_UNFINISHED_S = 1.0  # and how soon if a snapshot was just being written
_ENTRIES = 64


class Scores(NamedTuple):
    """Of n items, in the order given: float64[n], 0 to 1; bool[n], whether each is known."""

    scores: NDArray[np.float64]
    known: NDArray[np.bool_]


class Items:
    """Item rows by id, as the item learners last wrote them."""

    def __init__(self, dimensions: int, half_life_ms: float) -> None:
        self._half_life_ms = half_life_ms
        self._place: dict[str, int] = {}
        self._by_key: dict[int, int] = {}
        self._q = np.zeros((256, dimensions), np.float32)
        self._bias = np.zeros(256, np.float32)
        self._heat = np.full(256, -np.inf)  # log2 of popularity, plus its time in half-lives
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._place)

    def put(self, ids: Sequence[str], rows: NDArray[np.void]) -> None:
        """Set items to absolute values; `rows` are records of `item_dtype`."""
        with self._lock:
            self._set(self._admit(ids), rows)

    def put_changed(self, ids: Sequence[str], changed: NDArray[np.void]) -> None:
        """Set items to absolute values; `changed` are records of `change_dtype`, and `ids` those
        that may be new. Other unknown items come with the snapshots."""
        with self._lock:
            self._admit(ids)
            places = np.array([self._by_key.get(key, -1) for key in changed["key"].tolist()], int)
            self._set(places[places >= 0], changed[places >= 0])

    def _admit(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """The place of each item; new ones get one."""
        for item in ids:
            if item not in self._place:
                self._by_key[item_key(item)] = self._place[item] = len(self._place)
        while len(self._place) > len(self._bias):
            self._q = np.concatenate([self._q, np.zeros_like(self._q)])
            self._bias = np.concatenate([self._bias, np.zeros_like(self._bias)])
            self._heat = np.concatenate([self._heat, np.full_like(self._heat, -np.inf)])
        return np.array([self._place[item] for item in ids], np.int64)

    def _set(self, places: NDArray[np.int64], rows: NDArray[np.void]) -> None:
        self._q[places], self._bias[places] = rows["factor"], rows["bias"]
        with np.errstate(divide="ignore"):
            heat = np.log2(np.maximum(rows["popularity"], 0.0))
        self._heat[places] = heat + rows["popularity_at"] / self._half_life_ms

    def by_factors(self, ids: Sequence[str], vector: NDArray[np.float32]) -> Scores:
        """σ(b_i + q_i·v_u) of each item; `vector` is v_u, float32[d]."""
        with self._lock:
            places, known = self._find(ids)
            logits = self._bias[places] + self._q[places] @ vector
        with np.errstate(over="ignore"):
            scores = 1.0 / (1.0 + np.exp(-logits.astype(np.float64)))
        return Scores(np.where(known, scores, 0.0), known)

    def by_popularity(self, ids: Sequence[str]) -> Scores:
        """Decayed popularity of each item, relative to the most popular one."""
        with self._lock:
            places, known = self._find(ids)
            highest = float(self._heat[: len(self._place)].max(initial=-math.inf))
            shares = np.exp2(self._heat[places] - highest) if highest > -math.inf else 0.0
        return Scores(np.where(known, shares, 0.0), known)

    def _find(self, ids: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        places = np.array([self._place.get(item, -1) for item in ids], np.int64)
        return np.maximum(places, 0), places >= 0


class Factors:
    """Follows the feed from `start` until `stop`.

    Attributes:
        items: the replica; replaced whenever everything is read again.
    """

    def __init__(self, config: Config) -> None:
        self._settings = redis_settings(config)
        self._shards = config.job.item_shards
        self.dimensions = config.model.dimensions
        self._dtype = item_dtype(self.dimensions)
        self._half_life_ms = config.half_life_ms
        self.items = self._empty()
        self._position = self._said = ""
        self._read_at = self._renewed_at = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="factors", daemon=True)

    def start(self) -> None:
        """Start following."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and wait for the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _empty(self) -> Items:
        return Items(self.dimensions, self._half_life_ms)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._settings.client() as client:
                    while not self._stop.is_set():
                        self.refresh(client)
                        self._stop.wait(_PAUSE_S)
            except Exception as error:  # whatever it is, the next attempt may succeed
                if str(error) != self._said:
                    self._said = str(error)
                    log.warning("the item feed cannot be read: %s", error)
                self._stop.wait(_AGAIN_S)

    def refresh(self, client: Any) -> None:
        """Bring the replica up to date: from the log, or from scratch if the log may have gaps.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        now = time.monotonic()
        gap = now - self._read_at > KEEP_S / 2
        if not self._position or gap or now - self._renewed_at > _RENEW_S:
            items, whole = self._load(client)
            # An emptied Redis will be filled again, and an unfinished snapshot finished.
            if len(items) >= (1 if whole else len(self.items)):
                self.items = items
            # Then the whole log: reading an entry twice is harmless, missing one is not.
            self._position = "0-0"
            self._renewed_at = now if whole else now - _RENEW_S + _UNFINISHED_S
        self._read_at = now
        while True:
            reply = client.xread({log_key(self._settings.prefix): self._position}, count=_ENTRIES)
            entries = reply[0][1] if reply else []
            for position, fields in entries:
                self._position = position.decode()
                self._apply(self.items, next(iter(fields.values()), b""))
            if len(entries) < _ENTRIES:
                return

    def _load(self, client: Any) -> tuple[Items, bool]:
        """The items of all snapshots, and whether none of these was being written meanwhile."""
        items = self._empty()
        whole = not self._unfinished(client)
        for shard in range(self._shards):
            chunks = client.hgetall(feed_key(self._settings.prefix, ITEMS, shard))
            for chunk in chunks.values():
                self._apply(items, chunk)
        return items, whole and not self._unfinished(client)

    def _unfinished(self, client: Any) -> bool:
        """Whether a snapshot is being written whole, so that items are missing from it."""
        keys = [feed_key(self._settings.prefix, "epoch", n) for n in range(self._shards)]
        return any((client.get(key) or b"").endswith(BEGUN) for key in keys)

    def _apply(self, items: Items, data: bytes) -> None:
        try:
            feed, rows, changed = unpack(data, self._dtype)
        except ServiceError as error:
            log.warning("skipping a damaged entry of the item feed: %s", error)
            return
        items.put(feed.items, rows)
        items.put_changed(feed.names, changed)
