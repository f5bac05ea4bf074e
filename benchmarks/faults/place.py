"""Where a fault happens: a stack, the job on it, and what the job reads.

In: a running stack and load. Out: a `Place`, on which `benchmarks.faults.kinds` acts.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis

from benchmarks.faults.load import Load
from deploy.stack import Stack
from flink_app.graph.restore import newest_checkpoint
from udfs.lists.contract import RecommendationList, read


class Place:
    """The stack, the job on it and its load.

    Args:
        submit: hands the job to Flink with further settings, and returns its id.
    """

    def __init__(
        self,
        stack: Stack,
        load: Load,
        submit: Callable[..., str],
        seed: int,
        checkpoint_s: float,
    ) -> None:
        self.stack, self.load, self.submit = stack, load, submit
        self.random, self.checkpoint_s = random.Random(seed), checkpoint_s
        self.redis: Any = redis.Redis.from_url(stack.redis_url)
        self._lists: Any = redis.Redis.from_url(stack.redis_url, socket_timeout=0.5)
        self.job = ""

    def shown(self, user: str) -> RecommendationList | None:
        """The list of a user, if Redis has one and answers."""
        try:
            value = self._lists.get(f"rec:{user}")
        except redis.RedisError:
            return None
        return read(value) if value else None

    def wait(self, least: float, most: float) -> None:
        """Some seconds."""
        time.sleep(self.random.uniform(least, most))

    def go_on(self) -> None:
        """Submit the job again, from its newest complete checkpoint."""
        folder = self.stack.checkpoints.as_uri()
        self.job = self.submit("state.restore=latest", f"state.checkpoints={folder}")

    def checkpoint(self) -> Path:
        """The folder of the newest finished checkpoint."""
        return Path(newest_checkpoint(str(self.stack.checkpoints)))
