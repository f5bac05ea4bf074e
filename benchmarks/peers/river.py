"""Peer: River's `reco.BiasedMF`, which learns and ranks in one Python process.

`python -m benchmarks.peers.river FOLDER URL FACTORS`. River's rankers predict a number for a pair:
an event is 1, and for each event some random items are learned as 0, since a model cannot learn
differences from ones alone.
"""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import redis
from river import optim, reco

from benchmarks.peers.loop import LENGTH, Event, follow, serve

RATE, PENALTY, NEGATIVES = 0.05, 0.005, 10


class BiasedMf:
    """`learn_one` for each event and its negatives, `rank` over all items not seen."""

    def __init__(
        self,
        factors: int,
        rate: float = RATE,
        penalty: float = PENALTY,
        negatives: int = NEGATIVES,
    ) -> None:
        self._model = reco.BiasedMF(
            n_factors=factors,
            bias_optimizer=optim.SGD(rate),
            latent_optimizer=optim.SGD(rate),
            l2_bias=penalty,
            l2_latent=penalty,
            latent_initializer=optim.initializers.Normal(sigma=0.1, seed=1),
            seed=1,
        )
        self._negatives, self._random = negatives, random.Random(1)
        self._known: dict[str, None] = {}
        self._items: list[str] = []
        self._seen: dict[str, set[str]] = defaultdict(set)

    def learn(self, events: Sequence[Event]) -> None:
        """Learn events as 1, and random known items as 0, unless the user had them."""
        for event in events:
            user, item = event["user"], event["item"]
            self._seen[user].add(item)
            if item not in self._known:
                self._known[item] = None
                self._items.append(item)
            for other in self._random.choices(self._items, k=self._negatives):
                if other not in self._seen[user]:
                    self._model.learn_one(user, other, 0.0)
            self._model.learn_one(user, item, 1.0)

    def rank(self, users: Sequence[str]) -> list[list[str]]:
        """River's own ranking of the unseen items."""
        known = self._known.keys()
        return [self._model.rank(user, known - self._seen[user])[:LENGTH] for user in users]


if __name__ == "__main__":
    where, url, width = sys.argv[1:4]
    serve(BiasedMf(int(width)), follow(Path(where)), redis.Redis.from_url(url))
