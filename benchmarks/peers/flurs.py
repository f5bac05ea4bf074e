"""Peer: FluRS's incremental matrix factorisation, which is ISGD, with full ranking.

`python -m benchmarks.peers.flurs FOLDER URL FACTORS`. ISGD is Vinagre, Jorge, Gama: Fast
Incremental Matrix Factorization for Recommendation with Positive-Only Feedback (2014).
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import redis
from flurs.data.entity import Event as Interaction
from flurs.data.entity import Item, User
from flurs.recommender import MFRecommender

from benchmarks.peers.loop import LENGTH, Event, Ids, follow, serve

RATE, PENALTY = 0.05, 0.05  # FluRS doubles the rate: these equal 0.1 and 0.05 in the paper


class Isgd:
    """FluRS's `MFRecommender`: learns from every event, ranks every unseen item."""

    def __init__(self, factors: int, rate: float = RATE, penalty: float = PENALTY) -> None:
        np.random.seed(1)  # FluRS draws from NumPy's shared generator
        self._model = MFRecommender(k=factors, l2_reg=penalty, learn_rate=rate)
        self._model.initialize()
        self._users, self._items = Ids(), Ids()
        self._seen: dict[int, set[int]] = defaultdict(set)

    def learn(self, events: Sequence[Event]) -> None:
        """Register new users and items, and update the model."""
        for event in events:
            user, item = User(self._users[event["user"]]), Item(self._items[event["item"]])
            if self._model.is_new_user(user.index):
                self._model.register(user)
            if self._model.is_new_item(item.index):
                self._model.register(item)
            self._model.update(Interaction(user, item))
            self._seen[user.index].add(item.index)

    def rank(self, users: Sequence[str]) -> list[list[str]]:
        """`recommend` from all items that the user has not had."""
        lists = []
        for name in users:
            number = self._users[name]
            unseen = np.ones(len(self._items), np.bool_)
            unseen[list(self._seen[number])] = False
            best, _ = self._model.recommend(User(number), np.flatnonzero(unseen))
            lists.append([self._items.names[item] for item in best[:LENGTH].tolist()])
        return lists


if __name__ == "__main__":
    where, url, width = sys.argv[1:4]
    serve(Isgd(int(width)), follow(Path(where)), redis.Redis.from_url(url))
