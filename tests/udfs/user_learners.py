"""User learners for the tests: small settings, batches as Flink hands them over, what came out."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.udfs.builders import NOW, SETTINGS, batch_of, shown, with_columns
from tests.udfs.flink import Subtask
from udfs.accounts import Account, unpack_account
from udfs.events.batch import pack
from udfs.learning.user_shard import UserLearnerSettings
from udfs.operators.flink import STATS
from udfs.operators.user_learner import UserLearner
from udfs.ranking.recommender import ModelSettings
from udfs.state.layout import Layout
from udfs.stores.redis_writer import RedisSettings


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def settle(self, flink: Subtask) -> None:
        """Let the replica have waited for the items."""
        flink.operator.feed._started -= 60

    def __call__(self) -> int:
        return self.now


def operator(url: str, **changes: Any) -> UserLearner:
    models = {k: v for k, v in changes.items() if k in ModelSettings.__struct_fields__}
    learner = {k: v for k, v in changes.items() if k in SETTINGS.__struct_fields__}
    own = {k: v for k, v in changes.items() if k not in learner | models}
    learner["models"] = msgspec.structs.replace(SETTINGS.models, **models)
    settings = UserLearnerSettings(
        learner=msgspec.structs.replace(SETTINGS, **learner),
        layout=Layout(4, 2, 8),
        gather_ms=0,
        redis=RedisSettings(url, retry_s=1),
        item_keys=[100, 101],
        deduplicate_s=60,
        deduplicate_ids=1000,
        threads=1,
        refresh_lists=True,
        coalesce_ms=200,
        overload_ms=500,
        refill_per_s=0,
        user_expiry_days=1,
        item_expiry_days=30,
        keep_s=30,
        refresh_ms=100,
        test_models=[],
        test_every=0,
        test_after=0,
        test_sequential=False,
    )
    return UserLearner(msgspec.structs.replace(settings, **own))


def sent(pairs: list[tuple[str, str]], opened: int, ids: list[str] | None = None) -> Any:
    batch = msgspec.structs.replace(batch_of(pairs), opened=opened)
    return 7, pack(with_columns(batch, ids=ids) if ids else batch)


def account(out: list[Any]) -> Account:
    total = Account()
    for tag, value in out:
        if tag is STATS:
            total.add(unpack_account(value))
    return total


def listed(client: Any, user: str) -> list[str] | None:
    data = client.get(f"rec:{user}")
    return None if data is None else sorted(shown(msgspec.json.decode(data)))
